"""Putting off in three ways, and saying what a conversation is about (issue 3, Threads)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_core.access.model import Role
from crm_core.errors import NotFound, UsageError
from crm_core.inbox.alarms import acknowledge
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.answering.calls import log_call
from crm_core.inbox.answering.scheduling import send_later
from crm_core.inbox.classifying import classify
from crm_core.inbox.handling import Unread, escalate, move, snooze
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import HeldForClinicians
from crm_core.inbox.take import settle_time, take_next
from crm_core.inbox.undo import undo_last
from crm_core.words import Priority
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import Clinic
from tests.inbox.looking import stored, verbs

BILL = "How much is my bill?"
FRIDAY = MONDAY + timedelta(days=4)
AN_HOUR_ON = MONDAY + timedelta(hours=1)


def taken(clinic: Clinic) -> int:
    clinic.text(BILL)
    number: int = clinic.do(clinic.agent, take_next)
    return number


def test_until_a_reply_it_comes_back_when_they_write(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, snooze, number)
    assert stored(clinic.crm, number)["state"] is State.SNOOZED
    clinic.at(AN_HOUR_ON)
    clinic.text("any news about the bill")
    assert stored(clinic.crm, number)["state"] is State.OPEN


def test_until_a_reply_it_comes_back_at_the_lanes_follow_up_date_where_they_do_not(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, snooze, number)
    follow_up = MONDAY + timedelta(days=2)
    assert stored(clinic.crm, number)["snoozed_until"] == follow_up
    clinic.at(follow_up - timedelta(seconds=1))
    assert clinic.do(clinic.agent, settle_time) == 0 or stored(clinic.crm, number)["state"] is State.SNOOZED
    clinic.at(follow_up)
    clinic.do(clinic.agent, settle_time)
    assert stored(clinic.crm, number)["state"] is State.OPEN


def test_even_if_they_reply_it_stays_away_until_its_date_and_its_clock_is_told(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "We will look on Friday.")
    clinic.do(clinic.agent, snooze, number, until=FRIDAY, even_if_reply=True)
    clinic.at(AN_HOUR_ON)
    received = clinic.text("any news about the bill")
    assert received.conversation_id == number
    assert any("stays put off" in why for why in received.why)
    row = stored(clinic.crm, number)
    assert (row["state"], row["snoozed_until"], row["owner_id"]) == (State.SNOOZED, FRIDAY, clinic.agent.staff_id)
    assert (row["waiting_since"], verbs(clinic.crm, number)[-1]) == (AN_HOUR_ON, "received")
    assert row["due_at"] is not None
    seen = clinic.now_at(number)
    assert (seen.snooze_holds, seen.clock) == (True, "snoozed, even if they reply, until")
    clinic.at(FRIDAY)
    clinic.do(clinic.agent, settle_time)
    row = stored(clinic.crm, number)
    assert (row["state"], row["snooze_holds"]) == (State.OPEN, False)


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("I have chest pain", {}),
        ("My knee is swollen and hurts since the surgery, what should I do?", {}),
        ("I want to file a complaint about this bill", {}),
        ("", {"attachments": 1}),
        ("please stop texting me", {}),
    ],
)
def test_what_cannot_wait_wakes_it_all_the_same(clinic: Clinic, text: str, more: dict[str, Any]) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, snooze, number, until=FRIDAY, even_if_reply=True)
    clinic.at(AN_HOUR_ON)
    clinic.text(text, **more)
    row = stored(clinic.crm, number)
    assert (row["state"], row["snoozed_until"], row["snooze_holds"]) == (State.OPEN, None, False)


def test_a_later_snooze_of_another_kind_holds_no_more(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, snooze, number, until=FRIDAY, even_if_reply=True)
    clinic.do(clinic.agent, snooze, number, until=FRIDAY)
    clinic.at(AN_HOUR_ON)
    clinic.text("any news about the bill")
    assert stored(clinic.crm, number)["state"] is State.OPEN


def test_even_if_they_reply_needs_a_date_and_undo_puts_the_kind_back(clinic: Clinic) -> None:
    number = taken(clinic)
    with pytest.raises(UsageError, match="needs a date"):
        clinic.do(clinic.agent, snooze, number, even_if_reply=True)
    clinic.do(clinic.agent, snooze, number, until=FRIDAY, even_if_reply=True)
    clinic.do(clinic.agent, snooze, number)
    clinic.do(clinic.agent, undo_last)
    row = stored(clinic.crm, number)
    assert (row["state"], row["snoozed_until"], row["snooze_holds"]) == (State.SNOOZED, FRIDAY, True)


def test_a_person_says_what_it_is_about_and_how_urgent_and_the_clock_follows(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    before = stored(clinic.crm, number)
    clinic.do(clinic.agent, classify, number, category="records_request", priority=Priority.ASAP)
    row = stored(clinic.crm, number)
    assert (row["category"], row["priority"], row["lane"]) == ("records_request", Priority.ASAP, before["lane"])
    targets = clinic.crm.units.shared["inbox.rules"].targets(row["lane"], Priority.ASAP)
    assert row["due_at"] == MONDAY + targets.first_response
    assert clinic.now_at(number).next_action != ""
    assert (verbs(clinic.crm, number)[-1], row["urgency"]) == ("reclassified", 2)
    assert clinic.do(clinic.agent, undo_last) == (number, Verb.RECLASSIFIED)
    after = stored(clinic.crm, number)
    for name in ("category", "priority", "due_at", "urgency", "next_action_sealed"):
        assert after[name] == before[name], name


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "already"),
        ({"category": "billing", "priority": Priority.ROUTINE}, "already"),
        ({"category": "telegram"}, "choose one of"),
    ],
)
def test_what_changes_nothing_or_is_unknown_is_refused(clinic: Clinic, asked: dict[str, object], told: str) -> None:
    number = clinic.text(BILL).conversation_id
    with pytest.raises(UsageError, match=told):
        clinic.do(clinic.agent, classify, number, **asked)


def test_what_has_alarmed_only_a_clinician_makes_less_urgent(clinic: Clinic, staff: StaffFactory) -> None:
    number = clinic.text("I have chest pain").conversation_id
    with pytest.raises(HeldForClinicians):
        clinic.do(clinic.supervisor, classify, number, priority=Priority.ROUTINE)
    clinic.do(clinic.nurse, acknowledge, number)
    with pytest.raises(HeldForClinicians):
        clinic.do(clinic.supervisor, classify, number, priority=Priority.ROUTINE)
    clinic.do(clinic.nurse, classify, number, priority=Priority.URGENT)
    assert stored(clinic.crm, number)["priority"] is Priority.URGENT
    with pytest.raises(NotFound):
        clinic.do(staff(Role.COORDINATOR), classify, number, priority=Priority.STAT)


def test_what_nobody_could_screen_is_not_put_off_before_a_person_has_dealt_with_it(clinic: Clinic) -> None:
    number = clinic.text("", attachments=1).conversation_id
    for actor in (clinic.agent, clinic.supervisor):
        with pytest.raises(Unread, match="read it, then answer, move or close it"):
            clinic.do(actor, snooze, number, until=MONDAY + timedelta(days=300), even_if_reply=True)
    clinic.do(clinic.agent, log_call, number, outcome="no_answer", words=None)
    row = stored(clinic.crm, number)
    assert (row["state"], row["unscreened"]) == (State.NEW, True)
    clinic.do(clinic.agent, move, number, lane="billing", reason="wrong_lane")
    clinic.do(clinic.agent, snooze, number, until=FRIDAY)
    assert stored(clinic.crm, number)["state"] is State.SNOOZED


@pytest.mark.parametrize("how", ["snoozed", "planned", "answered"])
def test_what_is_moved_or_escalated_is_open_where_it_comes_to_lie(clinic: Clinic, how: str) -> None:
    number = taken(clinic)
    if how == "snoozed":
        clinic.do(clinic.agent, snooze, number, until=FRIDAY, even_if_reply=True)
    elif how == "planned":
        clinic.do(clinic.agent, send_later, clinic.crm.gate, number, "Ana, it is 20 dollars.", at=FRIDAY)
    else:
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    clinic.do(clinic.agent, move, number, lane="referrals", reason="wrong_lane")
    row = stored(clinic.crm, number)
    assert (row["state"], row["snoozed_until"], row["snooze_holds"]) == (State.OPEN, None, False)
    assert row["follow_up_at"] == (FRIDAY if how != "answered" else MONDAY + timedelta(days=2))
    clinic.do(clinic.agent, undo_last)
    clinic.do(clinic.agent, escalate, number, to=Role.NURSE, reason="safety", question="Is it safe?")
    row = stored(clinic.crm, number)
    assert (row["state"], row["snoozed_until"], row["snooze_holds"]) == (State.OPEN, None, False)
    assert clinic.do(clinic.nurse, take_next) == number
