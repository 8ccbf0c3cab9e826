"""Threads from the shell: two conversations of one patient made one, one made two, another patient, a time to come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.conftest import Caller
from tests.cli.test_work import arrive, clinic

__all__ = ["clinic"]

STRANGER = "646-555-0177"


def two_of_one(clinic: Caller) -> tuple[str, str]:
    """The patient's conversation, and one of a number that nobody has, both open."""
    first = arrive(clinic)["conversation"]
    second = arrive(clinic, "How much is my bill from the clinic?", **{"from": STRANGER})["conversation"]
    return first, second


def relinked(clinic: Caller, patient: str, name: str) -> None:
    """Link an unknown sender, as the console's L does."""
    from crm_core.app import open_crm
    from crm_core.inbox.handling import link
    from crm_core.settings import read_settings
    from crm_tui.cli.identity import act

    with open_crm(read_settings(clinic.home)) as crm, crm.write(act(crm, None)) as unit:
        link(unit, int(name[2:]), int(patient[2:]))


def test_an_old_id_leads_to_the_one_that_was_kept_wherever_it_is_typed(clinic: Caller) -> None:
    first, second = two_of_one(clinic)
    refused = clinic("merge", second, "--into", first)
    assert refused.code == 1
    assert "not known to be one person's" in refused.err
    relinked(clinic, clinic.done("show", first)["patient"], second)
    (found,) = clinic.done("duplicates", first)
    assert (found["conversation"], found["same_person"]) == (second, True)
    merged = clinic.done("merge", second, "--into", first)
    assert (merged["conversation"], len(merged["messages"])) == (first, 2)
    assert clinic.done("show", second)["conversation"] == first
    assert clinic.done("note", second, "--text", "both are hers")["conversation"] == first
    assert f"{second} was merged into {first}" in clinic("show", second).err
    assert clinic.done("duplicates", second) == []


def test_a_message_becomes_a_conversation_of_its_own(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    later = arrive(clinic, "How much is my bill from the clinic?")
    assert later["conversation"] == name
    made = clinic.done("split", name, "--from", str(later["message"]))
    assert (made["lane"], made["follows"], len(made["messages"])) == ("billing", name, 1)
    assert len(clinic.done("show", name)["messages"]) == 1
    left = clinic.done("show", name)["messages"][0]["message"]
    refused = clinic("split", name, "--message", str(left))
    assert refused.code == 1
    assert "Nothing would be left" in refused.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("split", "C-1"), "--from"),
        (("later", "C-1"), "--at"),
        (("later", "C-1", "--at", "2h", "--cancel"), "--at"),
        (("snooze", "C-1"), "--until"),
        (("snooze", "C-1", "--reply", "--even-if-reply"), "--until"),
        (("snooze", "C-1", "--reply", "--until", "2h"), "--until"),
        (("classify", "C-1", "--category", "telegram"), "choose one of"),
        (("classify", "C-1"), "already"),
        (("relink", "C-1", "--to", "P-999", "--reason", "wrong_patient"), "No patient P-999"),
        (("relink", "C-1", "--to", "P-1", "--reason", "telegram"), "choose one of"),
        (("merge", "C-1", "--into", "C-1"), "into itself"),
        (("later", "C-1", "--cancel"), "No answer is set"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_and_changes_nothing(
    clinic: Caller, arguments: tuple[str, ...], told: str
) -> None:
    name = arrive(clinic)["conversation"]
    patient = clinic.done("show", name)["patient"]
    names = {"C-1": name, "P-1": patient}
    before = clinic.done("show", name)
    refused = clinic(*(names.get(each, each) for each in arguments))
    assert refused.code in (1, 2)
    assert told in refused.err
    assert "Featherstone" not in refused.err
    assert clinic.done("show", name) == before


def test_a_category_and_a_priority_are_said_by_a_person_and_the_clock_follows(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    before = clinic.done("show", name)["due_at"]
    after = clinic.done("classify", name, "--category", "billing", "--priority", "asap")
    assert (after["category"], after["priority"], after["lane"]) == ("billing", "asap", "refills")
    assert after["due_at"] < before


def test_snoozing_until_a_reply_and_even_if_they_reply(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    until_reply = clinic.done("snooze", name, "--reply")
    assert (until_reply["state"], until_reply["even_if_reply"]) == ("snoozed", False)
    clinic.done("next")
    arrive(clinic, "any news about my refill")
    assert clinic.done("show", name)["state"] == "open"
    held = clinic.done("snooze", name, "--until", "2d", "--even-if-reply")
    assert (held["state"], held["even_if_reply"]) == ("snoozed", True)
    arrive(clinic, "any news about my refill")
    assert clinic.done("show", name)["state"] == "snoozed"


def test_an_answer_is_set_for_later_changed_and_taken_back(clinic: Caller) -> None:
    name = arrive(clinic)["conversation"]
    planned = clinic.done("reply", name, "--text", "It is ready on Tuesday.", "--at", "2d")
    assert (planned["state"], planned["clock"], planned["first_response_at"]) == ("waiting_other", "sends", None)
    assert planned["sends_at"] == planned["clock_at"] == planned["follow_up_at"]
    again = clinic("reply", name, "--text", "Another.", "--at", "1d")
    assert (again.code, "set to go" in again.err) == (1, True)
    sooner = clinic.done("later", name, "--at", "1d")
    at = datetime.fromisoformat(sooner["sends_at"])
    assert timedelta(hours=23) < at - datetime.now(UTC) < timedelta(hours=25)
    back = clinic.done("later", name, "--cancel")
    assert (back["state"], back["sends_at"]) == ("open", None)
    assert back["messages"][-1]["delivery"] == "taken_back"
