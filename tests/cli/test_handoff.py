"""`crm handoff`: one shift hands over to the next from the command line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Caller

PASSWORD = "correct horse battery"


@pytest.fixture
def clinic(crm_home: Caller) -> Caller:
    """A home with a colleague, and two conversations of mine."""
    new = ("staff", "add", "tom", "--name", "Tom Okafor", "--role", "agent", "--ask-password")
    assert crm_home(*new, stdin=f"{PASSWORD}\n").code == 0
    for number in ("0147", "0148"):
        crm_home.done("receive", "--channel", "sms", "--from", f"212-555-{number}", "--text", "I want to book a visit")
        crm_home.done("next")
    return crm_home


def mine(clinic: Caller) -> list[Any]:
    found: list[Any] = clinic.done("handoff")["mine"]
    return found


def test_what_is_mine_is_listed_offered_withdrawn_and_refused_one_by_one(clinic: Caller) -> None:
    first, second = (row["conversation"] for row in mine(clinic))
    assert [row["unfinished"] for row in mine(clinic)] == [True, True]
    clinic.done("handoff", "offer", "--to", "tom", first, "--words", "call at 4")
    (offered,) = [row for row in mine(clinic) if row["offered_to"]]
    assert (offered["conversation"], offered["offered_to"], offered["words"]) == (first, "Tom Okafor", "call at 4")
    partly = clinic("handoff", "offer", "--to", "tom", first, second)
    assert partly.code == 1
    assert f"{first} is on offer to Tom Okafor already" in partly.err
    assert all(row["offered_to"] for row in mine(clinic))
    shown = clinic("handoff")
    assert "offered to" in shown.out and "Tom Okafor" in shown.out
    clinic.done("handoff", "withdraw", first, second)
    assert not any(row["offered_to"] for row in mine(clinic))
    assert clinic("handoff", "accept", first).code == 1
    assert clinic("handoff", "offer", "--to", "nobody", first).code == 1
    assert clinic("handoff", "offer", "--to", "tom", "12").code == 2


def test_the_receiver_accepts_one_and_declines_the_other_with_a_reason(clinic: Caller) -> None:
    first, second = (row["conversation"] for row in mine(clinic))
    clinic.done("handoff", "offer", "--to", "tom", first, second)
    handed = clinic.done("handoff", "--as", "tom", stdin=f"{PASSWORD}\n")["handed_to_me"]
    assert [row["conversation"] for row in handed] == [first, second]
    accepted = clinic("handoff", "accept", first, "--as", "tom", "--json", stdin=f"{PASSWORD}\n")
    assert accepted.code == 0
    assert [row["conversation"] for row in accepted.json["mine"]] == [first]
    assert clinic("handoff", "decline", second, "--as", "tom", stdin=f"{PASSWORD}\n").code == 2
    why = ("--words", "I leave at noon")
    assert clinic("handoff", "decline", second, *why, "--as", "tom", stdin=f"{PASSWORD}\n").code == 0
    (left,) = mine(clinic)
    assert (left["conversation"], left["declined_by"], left["words"]) == (second, "Tom Okafor", "I leave at noon")


def test_giving_to_the_full_is_refused_with_the_figures_unless_it_is_meant(clinic: Caller) -> None:
    first = mine(clinic)[0]["conversation"]
    clinic.done("staff", "capacity", "tom", "0")
    refused = clinic("assign", first, "--to", "tom")
    assert refused.code == 1
    assert "Tom Okafor holds 0 of 0 open conversations" in refused.err
    assert clinic.done("assign", first, "--to", "tom", "--anyway")["owner"] == "Tom Okafor"
