"""Danger first: whatever the state, the channel, the sender and the hour (domain.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from crm_core.access.model import Role
from crm_core.channels.model import Handled
from crm_core.errors import UsageError
from crm_core.inbox.alarms import acknowledge, alarms
from crm_core.inbox.answering.answers import note, reply
from crm_core.inbox.answering.calls import log_call
from crm_core.inbox.handling import assign, close, escalate, move, snooze
from crm_core.inbox.model import State
from crm_core.inbox.queries import queue
from crm_core.inbox.record import HeldForClinicians, NotAcknowledged
from crm_core.inbox.take import claim, release, take_next
from crm_core.words import Channel, Priority
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import ANA, BO, Clinic
from tests.inbox.looking import alarm_rows, conversations, outbox_rows, stored, tags, verbs

DANGER = "I have crushing chest pain and can't breathe"
SATURDAY_2010 = datetime(2026, 11, 29, 1, 10, tzinfo=UTC)
"""Saturday 28 November, 20:10 in New York."""


def snoozed_bill(clinic: Clinic) -> int:
    """A billing conversation that an agent has snoozed until Monday."""
    made = clinic.text("How much is my bill?")
    clinic.do(clinic.agent, take_next)
    clinic.do(clinic.agent, snooze, made.conversation_id, until=MONDAY + timedelta(days=7))
    assert made.conversation_id is not None
    assert clinic.now_at(made.conversation_id).lane == "billing"
    return made.conversation_id


def test_a_danger_in_an_agents_snoozed_billing_conversation_on_saturday_night_is_a_free_stat_item_of_triage(
    clinic: Clinic,
) -> None:
    number = snoozed_bill(clinic)
    clinic.at(SATURDAY_2010)
    received = clinic.text(DANGER)
    assert (received.conversation_id, received.lane, received.priority) == (number, "clinical_triage", "stat")
    row = stored(clinic.crm, number)
    assert (row["state"], row["owner_id"], row["taken_at"]) == (State.OPEN, None, None)
    assert (row["priority"], row["urgency"], row["danger"]) == (Priority.STAT, 0, True)
    assert row["snoozed_until"] is None
    assert row["due_at"] == SATURDAY_2010 + timedelta(minutes=15)
    raised = alarm_rows(clinic.crm)
    assert [(each["conversation_id"], each["ack_due_at"]) for each in raised] == [
        (number, SATURDAY_2010 + timedelta(minutes=15))
    ]
    assert "conversation:alarm:raised" in tags(clinic.crm)


def test_the_holder_of_an_alarm_follows_from_its_age_alone(clinic: Clinic) -> None:
    clinic.text(DANGER)
    held = []
    for minutes in (0, 14, 15, 29, 30):
        clinic.at(MONDAY + timedelta(minutes=minutes))
        held.append(clinic.see(clinic.agent, alarms)[0].holder)
    assert held == ["nurse", "nurse", "supervisor", "supervisor", "supervisor"]


@pytest.mark.parametrize("acknowledged", [False, True])
@pytest.mark.parametrize(
    ("verb", "more"),
    [
        (snooze, {"until": MONDAY + timedelta(days=30)}),
        (move, {"lane": "billing", "reason": "wrong_lane"}),
        (close, {"outcome": "resolved"}),
        (escalate, {"to": Role.SUPERVISOR, "reason": "safety", "question": "Who has this?"}),
    ],
)
def test_nobody_but_a_clinician_puts_a_danger_aside_even_after_it_is_acknowledged(
    clinic: Clinic,
    verb: Callable[..., None],
    more: dict[str, object],
    acknowledged: bool,
) -> None:
    number = snoozed_bill(clinic)
    clinic.text(DANGER)
    if acknowledged:
        clinic.do(clinic.nurse, acknowledge, number)
    before = stored(clinic.crm, number)
    for actor in (clinic.agent, clinic.supervisor):
        with pytest.raises(HeldForClinicians):
            clinic.do(actor, verb, number, **more)
    assert stored(clinic.crm, number) == before


def test_a_clinician_acknowledges_before_putting_it_aside(clinic: Clinic) -> None:
    number = clinic.text(DANGER).conversation_id
    with pytest.raises(NotAcknowledged):
        clinic.do(clinic.nurse, close, number, outcome="resolved")
    clinic.do(clinic.nurse, acknowledge, number)
    assert clinic.see(clinic.agent, alarms) == []
    row = stored(clinic.crm, number)
    assert (row["owner_id"], row["urgency"], row["danger"]) == (clinic.nurse.staff_id, 1, False)
    clinic.do(clinic.nurse, close, number, outcome="resolved")
    with pytest.raises(UsageError):
        clinic.do(clinic.nurse, acknowledge, number)


def test_an_agent_can_neither_own_nor_put_off_an_unacknowledged_danger_by_another_way(
    clinic: Clinic, staff: StaffFactory
) -> None:
    number = clinic.text(DANGER).conversation_id
    with pytest.raises(HeldForClinicians):
        clinic.do(clinic.agent, claim, number)
    with pytest.raises(HeldForClinicians):
        clinic.do(clinic.supervisor, assign, number, clinic.agent.staff_id)
    before = stored(clinic.crm, number)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Please call 911 now, a nurse will call you.")
    clinic.do(
        clinic.agent,
        log_call,
        number,
        outcome="no_answer",
        words=None,
        next_call_at=clinic.crm.clock.now() + timedelta(days=9),
    )
    clinic.do(clinic.agent, note, number, "Called twice.")
    after = stored(clinic.crm, number)
    for name in ("state", "owner_id", "taken_at", "lane", "urgency", "due_at", "follow_up_at", "danger"):
        assert after[name] == before[name], name
    other = staff(Role.NURSE)
    clinic.do(clinic.supervisor, assign, number, other.staff_id)
    assert clinic.do(other, take_next) == number


def test_an_agents_call_that_did_not_reach_leaves_an_acknowledged_danger_with_the_nurse(clinic: Clinic) -> None:
    number = clinic.text(DANGER).conversation_id
    clinic.do(clinic.nurse, acknowledge, number)
    clinic.do(
        clinic.agent,
        log_call,
        number,
        outcome="voicemail",
        words=None,
        next_call_at=clinic.crm.clock.now() + timedelta(days=9),
    )
    row = stored(clinic.crm, number)
    assert (row["state"], row["owner_id"], row["follow_up_at"]) == (State.OPEN, clinic.nurse.staff_id, None)


@pytest.mark.parametrize("how", ["answer", "call"])
@pytest.mark.parametrize("released", [False, True])
def test_an_agents_answer_to_an_acknowledged_danger_leaves_it_open_and_with_clinicians(
    clinic: Clinic, how: str, released: bool
) -> None:
    number = clinic.text(DANGER).conversation_id
    clinic.do(clinic.nurse, acknowledge, number)
    if released:
        clinic.do(clinic.nurse, release, number)
        clinic.do(clinic.agent, claim, number)
    if how == "answer":
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "ok")
    else:
        later = clinic.crm.clock.now() + timedelta(days=9)
        clinic.do(clinic.agent, log_call, number, outcome="reached", words=None, next_call_at=later)
    row = stored(clinic.crm, number)
    assert (row["state"], row["owner_id"]) == (State.OPEN, None if released else clinic.nurse.staff_id)
    if released:
        assert clinic.do(clinic.nurse, take_next) == number
    clinic.do(clinic.nurse, reply, clinic.crm.gate, number, "Are you better?")
    assert stored(clinic.crm, number)["state"] is State.WAITING_PATIENT


def test_stop_with_a_danger_opts_out_and_alarms(clinic: Clinic) -> None:
    received = clinic.text("STOP, chest pain")
    assert received.handled_by is Handled.OPT_OUT
    assert received.lane == "clinical_triage"
    assert len(alarm_rows(clinic.crm)) == 1
    assert "contact:number:opted_out" in tags(clinic.crm)
    assert len(outbox_rows(clinic.crm)) == 1


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL, Channel.PORTAL, Channel.CHAT, Channel.SOCIAL])
def test_an_unknown_sender_alarms_on_every_channel(clinic: Clinic, channel: Channel) -> None:
    sender = "who@example.org" if channel is Channel.EMAIL else "+1 646 555 0199"
    received = clinic.text(DANGER, sender, channel=channel)
    assert (received.patient_id, received.lane, received.priority) == (None, "clinical_triage", "stat")
    assert len(clinic.see(clinic.agent, alarms)) == 1


def test_a_sender_without_any_number_alarms_too(clinic: Clinic) -> None:
    assert clinic.text(DANGER, "", channel=Channel.CHAT).lane == "clinical_triage"


def test_a_danger_that_stands_only_in_a_letters_subject_alarms(clinic: Clinic) -> None:
    received = clinic.text("Please see above.", "a@example.org", channel=Channel.EMAIL, subject="I have chest pain")
    assert received.priority == "stat"


def test_hidden_characters_do_not_hide_a_danger_in_a_subject_or_a_text(clinic: Clinic) -> None:
    split = "I have chest p\u200bain"
    assert clinic.text("See above.", "a@example.org", channel=Channel.EMAIL, subject=split).priority == "stat"
    assert clinic.text(split, BO).priority == "stat"


@pytest.mark.parametrize("subject", [None, "Photo"])
def test_a_picture_alone_is_unscreened_and_stands_at_the_top_of_the_front_desk(
    clinic: Clinic, subject: str | None
) -> None:
    clinic.text("Are you open on Friday", BO)
    received = clinic.text("", attachments=1, channel=Channel.EMAIL, sender="a@example.org", subject=subject)
    assert received.lane == "front_desk"
    shown = clinic.see(clinic.agent, queue, "front_desk").items
    assert shown[0].conversation_id == received.conversation_id
    assert shown[0].unscreened
    assert clinic.do(clinic.agent, take_next) == received.conversation_id


def test_a_picture_in_a_thread_that_an_agent_owns_comes_to_the_top_of_the_front_desk_unowned(clinic: Clinic) -> None:
    number = snoozed_bill(clinic)
    clinic.text("", attachments=2)
    row = stored(clinic.crm, number)
    assert (row["lane"], row["owner_id"], row["urgency"], row["unscreened"]) == ("front_desk", None, 1, True)
    clinic.text("sorry, wrong picture", attachments=0)
    assert stored(clinic.crm, number)["urgency"] == 1
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Thank you, we saw it.")
    assert not stored(clinic.crm, number)["unscreened"]


def test_thanks_with_a_picture_on_a_closed_conversation_is_looked_at(clinic: Clinic) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    clinic.do(clinic.agent, close, number, outcome="resolved")
    clinic.text("thanks", attachments=1)
    assert stored(clinic.crm, number)["state"] is State.OPEN


def test_a_second_danger_raises_a_second_alarm_and_does_not_put_off_the_first_ones_clock(clinic: Clinic) -> None:
    number = clinic.text(DANGER).conversation_id
    clinic.at(MONDAY + timedelta(minutes=10))
    clinic.text("still chest pain, getting worse")
    assert len(alarm_rows(clinic.crm)) == 2
    assert stored(clinic.crm, number)["due_at"] == MONDAY + timedelta(minutes=15)
    clinic.do(clinic.nurse, acknowledge, number)
    assert clinic.see(clinic.agent, alarms) == []


def test_an_ordinary_text_after_a_danger_changes_nothing_of_its_urgency_or_next_action(clinic: Clinic) -> None:
    number = clinic.text(DANGER).conversation_id
    before = stored(clinic.crm, number)
    clinic.at(MONDAY + timedelta(minutes=3))
    clinic.text("also how much is my bill?")
    after = stored(clinic.crm, number)
    for name in ("danger", "urgency", "due_at", "waiting_since", "lane", "priority", "state", "next_action_sealed"):
        assert after[name] == before[name], name
    assert len(conversations(clinic.crm)) == 1


@pytest.mark.parametrize("days", [1, 60])
def test_a_danger_on_a_closed_conversation_is_open_at_once(clinic: Clinic, days: int) -> None:
    closed = clinic.text("How much is my bill?").conversation_id
    clinic.do(clinic.agent, close, closed, outcome="resolved")
    clinic.at(MONDAY + timedelta(days=days))
    received = clinic.text(DANGER)
    assert (received.conversation_id == closed) == (days == 1)
    row = stored(clinic.crm, received.conversation_id)
    assert (row["state"], row["danger"], row["outcome"], row["closed_at"]) == (State.OPEN, True, None, None)
    assert verbs(clinic.crm, received.conversation_id)[-1] == "alarmed"


def test_everyone_sees_that_there_is_an_alarm_but_not_whose(clinic: Clinic, staff: StaffFactory) -> None:
    number = clinic.text(DANGER, ANA).conversation_id
    for role in (Role.COORDINATOR, Role.PHYSICIAN, Role.ADMIN):
        shown = clinic.see(staff(role), alarms)
        assert [each.conversation_id for each in shown] == [number]
        assert not any(hasattr(each, name) for each in shown for name in ("patient_id", "patient_name", "text"))
