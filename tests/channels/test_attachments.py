"""Attachments: kept by reference, their bytes sealed within limits, and never trusted."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from crm_core.access.model import Role
from crm_core.channels.attachments import ANY_TYPE, LARGEST, LARGEST_TOGETHER, LONGEST_NAME, file_name, media_type
from crm_core.channels.model import Attached, Withheld
from crm_core.channels.tables import Attachment
from crm_core.errors import NotFound, NotPermitted
from crm_core.inbox.threads.attachments import NotKept, take_out
from crm_core.vault.sealing import Tampered
from tests.conftest import StaffFactory
from tests.inbox.conftest import Clinic

PHOTO = Attached(name="rash.jpg", media_type="image/jpeg; name=rash.jpg", content=b"\xff\xd8" + b"\x00" * 2_000)
TEXT = "Here is the form you asked for, can you fill it in?"


def kept(clinic: Clinic) -> list[dict[str, Any]]:
    """The stored rows."""
    table = Attachment.__table__
    with clinic.crm.store.reading.connect() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(table.c.id)).mappings()]


def files(clinic: Clinic, *attached: Attached) -> list[tuple[str, str, int | None, Withheld | None]]:
    number = clinic.text(TEXT, attachments=attached).conversation_id
    shown = clinic.now_at(number).messages[-1]
    assert shown.attachments == len(attached)
    return [(str(one.name), one.media_type, one.size, one.withheld) for one in shown.files]


def test_a_file_is_shown_by_name_type_and_size_and_comes_out_as_it_came_in(clinic: Clinic) -> None:
    assert files(clinic, PHOTO) == [("rash.jpg", "image/jpeg", 2_002, None)]
    row = kept(clinic)[0]
    assert b"\xff\xd8" not in bytes(row["content_sealed"])
    assert row["content_token"] is not None
    assert str(row["content_token"]) not in hashlib.sha256(PHOTO.content or b"").hexdigest()
    taken = clinic.do(clinic.agent, take_out, row["id"])
    assert (str(taken.name), taken.content) == ("rash.jpg", PHOTO.content)
    assert "\xff" not in repr(taken)


def test_equal_bytes_have_equal_tokens_and_others_have_others(clinic: Clinic) -> None:
    other = Attached(name="b.jpg", content=b"other")
    files(clinic, PHOTO, Attached(name="again.jpg", content=PHOTO.content), other)
    tokens = [row["content_token"] for row in kept(clinic)]
    assert tokens[0] == tokens[1] != tokens[2]


def test_what_is_too_large_or_too_many_is_kept_by_reference_alone(clinic: Clinic) -> None:
    just, over = Attached(name="a", content=bytes(LARGEST)), Attached(name="b", content=bytes(LARGEST + 1))
    assert [one[3] for one in files(clinic, just, over)] == [None, Withheld.TOO_LARGE]
    assert LARGEST_TOGETHER == 5 * LARGEST
    full = [Attached(name=f"{number}", content=bytes(LARGEST)) for number in range(6)]
    assert [one[3] for one in files(clinic, *full)] == [None] * 5 + [Withheld.TOO_LARGE]
    many = [Attached(name=f"{number}.txt", content=b"x") for number in range(12)]
    assert [one[3] for one in files(clinic, *many)] == [None] * 10 + [Withheld.TOO_MANY] * 2
    for row in kept(clinic):
        assert (row["content_sealed"] is None) == (row["withheld"] is not None)


def test_what_was_not_kept_says_so_when_asked_for(clinic: Clinic) -> None:
    files(clinic, Attached(name="scan.pdf", size=9_000_000), Attached(name="gone.pdf"))
    first, second = (row["id"] for row in kept(clinic))
    with pytest.raises(NotKept, match="it is too large; ask the patient to send it another way"):
        clinic.do(clinic.agent, take_out, first)
    with pytest.raises(NotKept, match="did not pass it on"):
        clinic.do(clinic.agent, take_out, second)


def test_a_mere_number_of_attachments_is_a_number_and_no_rows(clinic: Clinic) -> None:
    number = clinic.text(TEXT, attachments=3).conversation_id
    shown = clinic.now_at(number).messages[-1]
    assert (shown.attachments, shown.files) == (3, ())


def test_a_file_is_taken_out_only_by_who_sees_its_conversation(clinic: Clinic, staff: StaffFactory) -> None:
    files(clinic, PHOTO)
    row = kept(clinic)[0]
    elsewhere = staff(Role.AGENT, lanes=frozenset({"billing"}))
    with pytest.raises(NotFound, match=f"F-{row['id']}"):
        clinic.do(elsewhere, take_out, row["id"])
    with pytest.raises(NotFound):
        clinic.do(clinic.agent, take_out, row["id"] + 999)
    with pytest.raises(NotPermitted):
        clinic.do(staff(Role.ADMIN), take_out, row["id"])


def test_bytes_moved_to_another_row_do_not_open(clinic: Clinic) -> None:
    files(clinic, PHOTO, Attached(name="b.jpg", content=b"other"))
    table = Attachment.__table__
    with clinic.crm.store.writing.begin() as connection:
        first, second = connection.execute(select(table.c.id, table.c.content_sealed).order_by(table.c.id)).all()
        connection.execute(
            update(table).where(table.c.id == second.id).values(content_sealed=first.content_sealed)  # type: ignore[arg-type]
        )
    with pytest.raises(Tampered):
        clinic.do(clinic.agent, take_out, second.id)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\scan.pdf", "scan.pdf"),
        ("/tmp/\x1b]52;c;eA==\x07x.pdf", "]52;c;eA==x.pdf"),
        ("inv\u202efdp.exe", "invfdp.exe"),
        (".bashrc", "bashrc"),
        ("a\nb\x00c.txt", "a bc.txt"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("x" * 300 + ".pdf", "x" * (LONGEST_NAME - 4) + ".pdf"),
    ],
)
def test_a_name_is_cleaned_of_paths_and_of_what_hides(given: str, kept: str) -> None:
    assert file_name(given) == kept


@given(st.text())
def test_whatever_a_file_is_called_its_name_is_one_short_line_without_a_path(given: str) -> None:
    name = file_name(given)
    assert 0 < len(name) <= LONGEST_NAME
    assert not set(name) & set("/\\\n\x00\x1b\u202e")
    assert not name.startswith(".")


def test_a_type_that_is_none_counts_as_bytes() -> None:
    assert media_type("Image/JPEG; name=x") == "image/jpeg"
    for odd in ("", "jpeg", "image/", "text/html\x1b[2J", "a/b/c", "x" * 80 + "/y"):
        assert media_type(odd) == ANY_TYPE
