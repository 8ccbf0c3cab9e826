"""Filters from the command line: finding, saved views, one verb over many, and taking it back."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Caller
from tests.cli.test_work import QUEUE_KEYS

SENDERS = ["+1 212 555 0147", "+1 212 555 0148", "+1 212 555 0149", "+1 212 555 0150"]


@pytest.fixture
def waiting(crm_home: Caller, tmp_path: Path) -> list[str]:
    """Four conversations: three bills and a refill of metformin."""
    texts = ["How much is my bill?"] * 3 + ["A refill of my metformin please"]
    lines = [
        json.dumps({"channel": "sms", "from": sender, "text": text, "id": f"t{number}"})
        for number, (sender, text) in enumerate(zip(SENDERS, texts, strict=True))
    ]
    (tmp_path / "in.ndjson").write_text("\n".join(lines) + "\n")
    return [one["conversation"] for one in crm_home.done("receive", "--file", str(tmp_path / "in.ndjson"))]


def test_a_filter_finds_across_lanes_with_the_documents_of_a_queue(crm_home: Caller, waiting: list[str]) -> None:
    found = crm_home.done("find", "lane:billing,refills owner:none")
    assert crm_home.done("find", "lane:billing,refills owner:nobody") == found, "as lists say it"
    assert {one["conversation"] for one in found} == set(waiting)
    assert set(found[0]) == QUEUE_KEYS | {"lane"}
    assert [one["conversation"] for one in crm_home.done("find", '"metformin"')] == [waiting[3]]
    assert [one["conversation"] for one in crm_home.done("find", "-", stdin="metf refill\n")] == [waiting[3]]
    assert crm_home.done("find", "owner:me") == []
    told = crm_home("find", "lane:billing", "--limit", "1")
    assert "2 more; see --limit." in told.err
    assert told.out.count("C-") == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour:red", "no field colour"),
        ("lane:nowhere", "lane: cannot be nowhere; it may be billing"),
        ('"open', "A quote is not closed"),
        ("owner:nobody.here", "There is no account nobody.here"),
        ("lane:x'or'1", "lane: cannot be that"),
    ],
)
def test_a_filter_that_is_not_understood_is_one_sentence(crm_home: Caller, text: str, says: str) -> None:
    answer = crm_home("find", text)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    assert answer.err.count("\n") == 1


def test_views_are_saved_shown_renamed_and_dropped(crm_home: Caller, waiting: list[str]) -> None:
    listed = {view["view"]: view["open"] for view in crm_home.done("views", "list")}
    assert (listed["Unowned"], listed["Mine"], listed["Snoozed"]) == (4, 0, 0)
    saved = crm_home.done("views", "save", "Bills", "lane:billing  owner:none", "--shared")
    assert saved == {"view": "Bills", "filter": "lane:billing owner:none", "shared": True}
    assert len(crm_home.done("views", "show", "bills")) == 3
    assert crm_home.done("views", "rename", "bills", "Free bills")["view"] == "Free bills"
    assert crm_home.done("views", "show", "Unowned", "--limit", "1")
    assert crm_home("views", "show", "bills").code == 1
    assert crm_home("views", "save", "Mine", "owner:me").code == 2
    assert crm_home("views", "drop", "Mine").code == 2
    crm_home.done("views", "drop", "free bills")
    assert [view["view"] for view in crm_home.done("views", "list")][-1] == "Snoozed"
    assert waiting


def test_a_bulk_verb_shows_what_it_would_do_and_goes_only_with_its_number(crm_home: Caller, waiting: list[str]) -> None:
    close = ("bulk", "close", "--filter", "lane:billing", "--outcome", "resolved")
    asked = crm_home(*close)
    assert (asked.code, asked.out) == (2, "")
    assert f"Close 3: {waiting[0]}, {waiting[1]}, {waiting[2]}." in asked.err
    assert "repeat with --yes 3" in asked.err
    wrong = crm_home(*close, "--yes", "4")
    assert wrong.code == 2
    assert "4 is not 3" in wrong.err
    assert len(crm_home.done("find", "lane:billing")) == 3

    report = crm_home.done(*close, "--yes", "3")
    assert (report["done"], report["refused"], report["stopped"]) == (waiting[:3], [], False)
    assert crm_home.done("find", "lane:billing") == []
    (act,) = crm_home.done("undo", "--list")
    assert (act["verb"], act["count"], act["possible"], act["act"]) == ("closed", 3, 3, report["act"])
    taken = crm_home.done("undo")
    assert (taken["verb"], taken["done"], taken["left"]) == ("closed", waiting[:3], [])
    assert len(crm_home.done("find", "lane:billing")) == 3
    nothing = crm_home("undo")
    assert (nothing.code, nothing.err.count("\n")) == (1, 1)


class Terminal(io.StringIO):
    """Standard input that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "code", "left"), [("3", 0, 0), ("yes", 2, 3), ("2", 2, 3), ("", 2, 3)])
def test_at_a_terminal_the_number_is_typed(
    crm_home: Caller, waiting: list[str], typed: str, code: int, left: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(io, "StringIO", Terminal)
        answer = crm_home("bulk", "snooze", "--filter", "lane:billing", "--until", "2d", stdin=f"{typed}\n")
    assert answer.code == code, answer.err
    assert "Type 3 to go: " in answer.err
    assert len(crm_home.done("find", "lane:billing -is:snoozed")) == left
    assert waiting


def test_what_changed_meanwhile_is_left_and_named(crm_home: Caller, waiting: list[str]) -> None:
    move = ("bulk", "move", "--filter", "lane:billing,refills", "--lane", "records", "--reason", "wrong_lane")
    report = crm_home.done(*move, "--yes", "4")
    crm_home.done("assign", waiting[1])
    answer = crm_home("undo", "--act", str(report["act"]), "--json")
    assert answer.code == 1
    assert answer.json["left"] == [{"conversation": waiting[1], "why": "something else happened since"}]
    assert len(answer.json["done"]) == 3
    again = crm_home("undo", "--act", str(report["act"]))
    assert again.code == 1
    assert crm_home("undo", waiting[0], "--list").code == 2
    assert crm_home("undo", "--act", "999999").code == 1


def test_what_is_left_out_is_counted_with_its_reason(crm_home: Caller, waiting: list[str]) -> None:
    crm_home.done("receive", "--channel", "sms", "--from", "+1 212 555 0151", "--text", "I have chest pain")
    answer = crm_home("bulk", "close", "--filter", "owner:none", "--outcome", "resolved", "--yes", "4", "--json")
    assert answer.code == 0
    assert "Left out: 1 with an open alarm." in answer.err
    assert answer.json["left_out"] == [{"reason": "with an open alarm", "count": 1}]
    nothing = crm_home("bulk", "close", "--filter", "owner:none", "--outcome", "resolved", "--yes", "1")
    assert nothing.code == 1
    assert "Left out: 1 with an open alarm" in nothing.err
    assert crm_home("bulk", "close", "--filter", "", "--outcome", "resolved").code == 2
    assert waiting


def test_assigning_many_to_somebody(crm_home: Caller, waiting: list[str]) -> None:
    crm_home.done("staff", "add", "maria", "--name", "Maria Lopez", "--role", "agent")
    report = crm_home.done("bulk", "assign", "--filter", "lane:billing", "--to", "maria", "--yes", "3")
    assert len(report["done"]) == 3
    assert len(crm_home.done("find", "owner:maria")) == 3
    assert crm_home("bulk", "assign", "--filter", "lane:billing", "--to", "nobody", "--yes", "3").code == 1
    assert waiting
