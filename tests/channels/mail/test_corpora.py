"""Whatever lies in a mailbox is read without raising: the standard library's own odd letters, cut and mangled too."""

from __future__ import annotations

import random
import sysconfig
from pathlib import Path

import pytest

from crm_core.channels.incoming.model import Brought
from crm_core.channels.incoming.payload import read, written
from crm_core.channels.mail.bounces import returned_in
from crm_core.channels.mail.letters_in import beginning, taken
from crm_core.channels.mail_reading import parsed
from tests.conftest import MONDAY

CORPUS = Path(sysconfig.get_paths()["stdlib"]) / "test" / "test_email" / "data"
CHANGES = 12
"""Of each letter: cut off, or with bytes changed."""


@pytest.fixture(scope="module")
def letters() -> list[bytes]:
    """Letters that the standard library's parser is tested with; among them two reports of mail servers."""
    if not CORPUS.is_dir():
        pytest.skip(f"this Python came without its tests ({CORPUS})")
    return [file.read_bytes() for file in sorted(CORPUS.glob("msg_*.txt"))]


def mangled(raw: bytes, chance: random.Random) -> bytes:
    """The letter cut off somewhere, or with some of its bytes changed."""
    if chance.random() < 0.4:
        return raw[: chance.randrange(len(raw))]
    changed = bytearray(raw)
    for _ in range(chance.randrange(1, 12)):
        changed[chance.randrange(len(changed))] = chance.choice(b'\x00\xff\r\n:;="<>@?-\xc3')
    return bytes(changed)


def test_every_letter_is_taken_in_and_told_from_every_other(letters: list[bytes]) -> None:
    said: dict[str | None, set[bytes]] = {}
    for raw in letters:
        inbound = taken(raw, "front_desk", MONDAY)
        assert read(Brought.MESSAGE, written(inbound)) == inbound
        assert taken(raw, "front_desk", MONDAY) == inbound
        said.setdefault(inbound.provider_id, set()).add(raw.partition(b"\n\n")[2])
    assert len(letters) > 40
    assert all(len(bodies) == 1 for bodies in said.values())


def test_mangled_letters_are_taken_in_too(letters: list[bytes]) -> None:
    chance = random.Random(4)  # noqa: S311 - odd letters, no secret
    for raw in letters:
        for _ in range(CHANGES):
            odd = mangled(raw, chance)
            for inbound in (taken(odd, "front_desk", MONDAY), beginning(odd, 30_000_000, "front_desk", MONDAY)):
                assert read(Brought.MESSAGE, written(inbound)) == inbound
            returned_in(parsed(odd))


def test_the_reports_among_them_are_understood(letters: list[bytes]) -> None:
    told = [returned for raw in letters for returned in returned_in(parsed(raw))]
    assert {(one.action, one.status) for one in told} >= {("failed", "5.0.0")}
    assert all(taken(raw, "front_desk", MONDAY).automatic for raw in letters if returned_in(parsed(raw)))
