"""Threading: which conversation a text belongs to, and where a new need goes (domain.md, Reopening, Shared number)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from crm_core.access.model import SYSTEM, Role
from crm_core.inbox.answering.answers import note, reply
from crm_core.inbox.handling import close, escalate, link, snooze
from crm_core.inbox.model import State
from crm_core.inbox.tables import Conversation
from crm_core.inbox.take import claim, take_next
from crm_core.inbox.thread import why_here
from crm_core.words import Channel, Priority
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import ANA, BO, Clinic
from tests.inbox.looking import conversations, stored, tags, verbs

BILL = "How much is my bill?"
STRANGER = "+1 646 555 0177"


def closed(clinic: Clinic, text: str = BILL, sender: str = ANA) -> int:
    """A conversation that the agent took and closed now."""
    number = clinic.text(text, sender).conversation_id
    assert number is not None
    clinic.do(clinic.agent, take_next)
    clinic.do(clinic.agent, close, number, outcome="resolved")
    return number


def test_a_new_need_is_routed_and_keeps_why(clinic: Clinic) -> None:
    received = clinic.text("I need a refill of my metformin please")
    assert (received.lane, received.category, received.patient_id) == ("refills", "refill", clinic.patients["Ana"])
    lines = clinic.see(clinic.agent, why_here, received.conversation_id)
    assert lines[0].startswith("Routed by")
    assert stored(clinic.crm, received.conversation_id)["due_at"] == MONDAY + timedelta(hours=24)


def test_a_first_response_is_due_in_the_lanes_business_hours(clinic: Clinic) -> None:
    """Front desk, routine: four working hours. Friday 16:30 New York is Monday 12:30."""
    clinic.at(datetime(2026, 12, 4, 21, 30, tzinfo=UTC))
    number = clinic.text("Are you open on Friday").conversation_id
    assert stored(clinic.crm, number)["due_at"] == datetime(2026, 12, 7, 17, 30, tzinfo=UTC)


def test_a_further_text_joins_the_open_conversation_whatever_the_spelling_of_the_number(clinic: Clinic) -> None:
    first = clinic.text(BILL)
    second = clinic.text("and please send it by mail", "(212) 555-0101")
    assert second.conversation_id == first.conversation_id
    assert len(conversations(clinic.crm)) == 1


def test_a_text_to_a_snoozed_conversation_wakes_it_with_its_clock(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    due = stored(clinic.crm, number)["due_at"]
    clinic.do(clinic.agent, take_next)
    clinic.do(clinic.agent, snooze, number, until=MONDAY + timedelta(days=5))
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.text("any news about the bill")
    row = stored(clinic.crm, number)
    assert (row["state"], row["owner_id"], row["snoozed_until"]) == (State.OPEN, clinic.agent.staff_id, None)
    assert row["due_at"] == due


def test_while_staff_spoke_last_no_clock_runs_and_the_next_text_starts_a_new_one(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    clinic.do(clinic.agent, take_next)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    row = stored(clinic.crm, number)
    assert (row["state"], row["due_at"]) == (State.WAITING_PATIENT, None)
    assert row["follow_up_at"] is not None
    clinic.at(MONDAY + timedelta(hours=2))
    clinic.text("Can I pay online?")
    row = stored(clinic.crm, number)
    assert (row["state"], row["waiting_since"]) == (State.OPEN, MONDAY + timedelta(hours=2))
    assert row["due_at"] > MONDAY + timedelta(hours=2)


@pytest.mark.parametrize(
    "text", ["thanks", "Thanks!", "ok", "C", "👍", "I'm driving right now.", "Out of office: back May 3"]
)
def test_thanks_and_auto_responders_leave_a_closed_conversation_closed_with_its_owner(
    clinic: Clinic, text: str
) -> None:
    number = closed(clinic)
    before = stored(clinic.crm, number)
    received = clinic.text(text)
    assert received.conversation_id == number
    after = stored(clinic.crm, number)
    for name in ("state", "owner_id", "outcome", "closed_at", "due_at"):
        assert after[name] == before[name], name


@pytest.mark.parametrize("text", ["Thanks, but is it due today?", "ok and where do I pay", "Out of office? I need you"])
def test_any_other_text_reopens_it_with_a_clock_from_that_text(clinic: Clinic, text: str) -> None:
    number = closed(clinic)
    clinic.at(MONDAY + timedelta(days=1))
    assert clinic.text(text).conversation_id == number
    row = stored(clinic.crm, number)
    assert (row["state"], row["outcome"], row["closed_at"]) == (State.OPEN, None, None)
    assert (row["owner_id"], row["waiting_since"]) == (clinic.agent.staff_id, MONDAY + timedelta(days=1))
    assert row["due_at"] is not None
    assert "reopened" in verbs(clinic.crm, number)


def test_within_five_business_days_it_reopens_and_after_them_a_linked_conversation_begins(clinic: Clinic) -> None:
    """Closed Monday 10:00 in Thanksgiving week: Tue, Wed, Fri, Mon, Tue 1 December 10:00 New York."""
    number = closed(clinic)
    last = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
    clinic.at(last)
    assert clinic.text("one more thing about the bill").conversation_id == number
    clinic.do(clinic.agent, close, number, outcome="resolved")
    # Closed Tuesday 10:00: the fifth business day is Tuesday 8 December.
    clinic.at(datetime(2026, 12, 8, 15, 0, 1, tzinfo=UTC))
    later = clinic.text("one more thing about the bill")
    assert later.conversation_id != number
    assert clinic.now_at(later.conversation_id).follows_id == number


def test_a_clinical_text_on_a_closed_bill_reopens_in_triage_and_not_among_bills(clinic: Clinic) -> None:
    number = closed(clinic)
    received = clinic.text("My knee is swollen and hurts since the surgery, what should I do?")
    assert (received.conversation_id, received.lane) == (number, "clinical_triage")
    assert stored(clinic.crm, number)["owner_id"] is None


def test_a_complaint_never_draws_a_clinical_conversation_out_of_triage(clinic: Clinic) -> None:
    number = clinic.text("My knee is swollen and hurts since the surgery, what should I do?").conversation_id
    assert clinic.now_at(number).lane == "clinical_triage"
    clinic.text("I want to file a complaint about the rude receptionist")
    assert clinic.now_at(number).lane == "clinical_triage"


def test_a_number_that_two_share_makes_an_unlinked_conversation_that_a_person_links(clinic: Clinic) -> None:
    cy = clinic.patient("Cy", "Lopez", ANA, "1003")
    received = clinic.text("Can I have an appointment?")
    number = received.conversation_id
    assert (received.patient_id, clinic.now_at(number).patient_id) == (None, None)
    clinic.do(clinic.agent, link, number, cy)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Hello Cy, Tuesday at 3?")
    joined = clinic.text("yes, that works")
    assert (joined.conversation_id, joined.patient_id) == (number, cy)


def test_with_answers_awaited_from_two_on_one_number_a_text_is_nobodys_until_linked(clinic: Clinic) -> None:
    cy = clinic.patient("Cy", "Lopez", ANA, "1003")
    asked = []
    for patient_id in (cy, clinic.patients["Ana"]):
        asked.append(clinic.text("Can I have an appointment?").conversation_id)
        clinic.do(clinic.agent, link, asked[-1], patient_id)
    for number, name in zip(asked, ("Cy", "Ana"), strict=True):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, f"Hello {name}, Tuesday at 3?")
    answer = clinic.text("Tuesday at 3 is fine")
    assert answer.patient_id is None
    assert len(conversations(clinic.crm)) == 3


def test_an_unknown_number_threads_by_itself(clinic: Clinic) -> None:
    first = clinic.text("Hello, do you take new patients?", STRANGER)
    second = clinic.text("anyone there", STRANGER)
    assert (first.patient_id, second.conversation_id) == (None, first.conversation_id)


def test_senders_without_any_address_are_never_taken_for_one_another(clinic: Clinic) -> None:
    first = clinic.text("Hello, is this the clinic?", "session 1", channel=Channel.CHAT)
    second = clinic.text("Hello, is this the clinic?", "session 2", channel=Channel.CHAT)
    assert first.conversation_id != second.conversation_id


def test_an_empty_text_is_a_conversation_too(clinic: Clinic) -> None:
    assert clinic.text("").lane == "front_desk"


def test_a_text_from_the_future_came_now(clinic: Clinic) -> None:
    number = clinic.text(BILL, at=MONDAY + timedelta(days=400)).conversation_id
    assert stored(clinic.crm, number)["waiting_since"] == MONDAY


def test_a_text_of_the_distant_past_is_taken_in(clinic: Clinic) -> None:
    number = clinic.text(BILL, at=datetime(1970, 1, 2, tzinfo=UTC)).conversation_id
    assert stored(clinic.crm, number)["urgency"] == 3


def test_a_more_urgent_text_raises_the_conversation_and_a_less_urgent_one_does_not_lower_it(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    assert stored(clinic.crm, number)["priority"] is Priority.ROUTINE
    clinic.text("I want to file a complaint about this bill")
    assert stored(clinic.crm, number)["priority"] is Priority.URGENT
    clinic.text(BILL)
    assert stored(clinic.crm, number)["priority"] is Priority.URGENT


def test_a_patients_text_never_reaches_a_physicians_lane_but_the_nurse_who_asked(
    clinic: Clinic, staff: StaffFactory
) -> None:
    number = clinic.text("My knee is swollen and hurts since the surgery, what should I do?").conversation_id
    clinic.do(clinic.nurse, take_next)
    question = "May she take ibuprofen?"
    clinic.do(clinic.nurse, escalate, number, to=Role.PHYSICIAN, reason="clinical_judgement", question=question)
    assert clinic.now_at(number, clinic.nurse).lane == "physician_review"
    clinic.text("It is worse today")
    row = stored(clinic.crm, number)
    assert (row["lane"], row["owner_id"]) == ("clinical_triage", clinic.nurse.staff_id)


def test_a_physicians_note_is_the_answer_and_returns_to_the_nurse_who_asked(
    clinic: Clinic, staff: StaffFactory
) -> None:
    physician = staff(Role.PHYSICIAN)
    number = clinic.text("My knee is swollen and hurts since the surgery, what should I do?").conversation_id
    clinic.do(clinic.nurse, take_next)
    question = "May she take ibuprofen?"
    clinic.do(clinic.nurse, escalate, number, to=Role.PHYSICIAN, reason="clinical_judgement", question=question)
    assert clinic.do(physician, take_next) == number
    clinic.do(physician, note, number, "Yes, 400 mg, no longer than three days.")
    row = stored(clinic.crm, number)
    assert (row["lane"], row["owner_id"], row["state"]) == ("clinical_triage", clinic.nurse.staff_id, State.OPEN)
    assert clinic.do(clinic.nurse, take_next) == number


def test_receiving_is_audited_without_a_word_of_what_was_said(clinic: Clinic) -> None:
    clinic.text("Xylophonist Quagmire wants a visit", BO)
    assert "message:inbound:received" in tags(clinic.crm)
    assert "conversation:record:created" in tags(clinic.crm)


def test_a_text_finds_its_thread_in_a_lane_and_a_category_that_the_playbook_no_longer_has(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    with clinic.crm.write(SYSTEM) as unit:
        gone = {"lane": "telex", "category": "telegram"}
        unit.execute(update(Conversation).where(Conversation.id == number).values(gone))
    assert clinic.text("and please send it by mail").conversation_id == number
    assert stored(clinic.crm, number)["due_at"] is not None


def test_an_auto_responder_on_an_open_conversation_wakes_nobody_and_starts_no_clock(clinic: Clinic) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    clinic.do(clinic.agent, claim, number)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    before = stored(clinic.crm, number)
    received = clinic.text("I'm driving right now.")
    after = stored(clinic.crm, number)
    assert (received.conversation_id, "a machine answered: nobody need answer it" in received.why) == (number, True)
    for name in ("state", "due_at", "follow_up_at", "waiting_since", "owner_id"):
        assert after[name] == before[name], name
    assert clinic.text("Automatic reply: I have crushing chest pain and can't breathe").priority == "stat"


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("I'm out of the office and my new pills make me throw up, who can call me", {}),
        ("Out of office today, please call my cell about the swelling, it is worse", {}),
        ("Auto reply did not work so here again: my wound looks infected", {}),
        ("I'm driving, my bill is wrong and I will not pay", {}),
        ("Out of office until my rash is gone", {}),
        ("My knee is swollen and hurts since the surgery, what should I do", {"automatic": True}),
        ("I want to file a complaint about this bill", {"automatic": True}),
        ("My rash is back, please call", {"subject": "Out of office", "channel": Channel.PORTAL}),
    ],
)
def test_a_person_who_writes_as_a_machine_does_is_heard(
    clinic: Clinic, text: str, more: dict[str, Any], ended: bool
) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    if ended:
        clinic.do(clinic.agent, close, number, outcome="resolved")
    clinic.at(MONDAY + timedelta(minutes=5))
    assert clinic.text(text, **more).conversation_id == number
    row = stored(clinic.crm, number)
    assert (row["state"], row["due_at"] is not None) == (State.OPEN, True)


@pytest.mark.parametrize(
    "text",
    [
        "I'm driving with Do Not Disturb While Driving turned on. I'll see your message when I get where I'm going.",
        (
            "I’m not receiving notifications. If this is urgent, reply “urgent” to send a notification through with "
            "your original message."
        ),
        "Hello, thank you for your message. I am currently out of the office until Monday, November 30th.",
        "Respuesta automática: estoy fuera de la oficina hasta el 3 de mayo",
        "AUTO-REPLY",
    ],
)
def test_what_machines_say_and_nothing_else_wakes_nobody(clinic: Clinic, text: str) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    clinic.text(text)
    assert stored(clinic.crm, number)["state"] is State.WAITING_PATIENT


def test_an_auto_responder_stops_no_clock_that_runs(clinic: Clinic) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    due = stored(clinic.crm, number)["due_at"]
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.text("This is an automatic reply: I am out of the office.")
    assert stored(clinic.crm, number)["due_at"] == due
