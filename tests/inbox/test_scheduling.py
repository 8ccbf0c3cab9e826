"""Sending later, and what is asked again at the time of sending (issue 3, Threads)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import NotSendable
from crm_core.errors import UsageError
from crm_core.inbox.answering.answers import EmptyText, SomethingNewer, note, reply
from crm_core.inbox.answering.calls import log_call
from crm_core.inbox.answering.drafts import my_draft, save_draft
from crm_core.inbox.answering.filling import filled
from crm_core.inbox.answering.scheduling import (
    AlreadyPlanned,
    NothingPlanned,
    send_at_another_time,
    send_later,
    send_no_more,
)
from crm_core.inbox.handling import assign, close, escalate
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import HeldForClinicians
from crm_core.inbox.tables import Conversation
from crm_core.inbox.take import take_next
from crm_core.inbox.undo import undo_last
from crm_core.library.service import approve, retire
from crm_core.library.tables import TemplateVersion
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import Clinic
from tests.inbox.looking import outbox_rows, stored, verbs

BILL = "How much is my bill?"
READY = "It is 20 dollars."
TUESDAY = MONDAY + timedelta(days=1)
HOLD = timedelta(seconds=15)
_MAY_DIFFER = {"version"}


def taken(clinic: Clinic) -> int:
    clinic.text(BILL)
    number: int = clinic.do(clinic.agent, take_next)
    return number


def planned(clinic: Clinic, text: str = READY, **more: object) -> int:
    """A conversation of the agent's, in which an answer is set to go on Tuesday."""
    number = taken(clinic)
    clinic.do(clinic.agent, send_later, clinic.crm.gate, number, text, at=TUESDAY, **more)
    return number


def draft_of(clinic: Clinic, actor: Actor, number: int) -> str | None:
    found = clinic.see(actor, my_draft, number)
    return None if found is None else str(found.body)


def test_it_waits_until_its_time_and_nobody_has_answered_before(clinic: Clinic) -> None:
    number = taken(clinic)
    due = stored(clinic.crm, number)["due_at"]
    clinic.do(clinic.agent, send_later, clinic.crm.gate, number, READY, at=TUESDAY)
    row = stored(clinic.crm, number)
    assert (row["state"], row["follow_up_at"], row["due_at"]) == (State.WAITING_OTHER, TUESDAY, due)
    assert (row["first_response_at"], row["owner_id"]) == (None, clinic.agent.staff_id)
    seen = clinic.now_at(number)
    assert (seen.sends_at, seen.clock, seen.clock_at) == (TUESDAY, "sends", TUESDAY)
    assert verbs(clinic.crm, number)[-1] == "scheduled"
    clinic.at(TUESDAY - timedelta(seconds=1))
    assert clinic.crm.courier.run_once().sent == 0
    clinic.at(TUESDAY)
    assert clinic.crm.courier.run_once().sent == 1
    row = stored(clinic.crm, number)
    assert (row["state"], row["first_response_at"], row["due_at"]) == (State.WAITING_PATIENT, TUESDAY, None)
    assert row["owner_id"] == clinic.agent.staff_id
    assert verbs(clinic.crm, number)[-1] == "replied"
    assert clinic.now_at(number).sends_at is None


def test_its_time_may_be_changed_and_it_may_be_taken_back(clinic: Clinic) -> None:
    number = planned(clinic)
    clinic.do(clinic.supervisor, send_at_another_time, number, TUESDAY + timedelta(hours=2))
    assert clinic.now_at(number).sends_at == TUESDAY + timedelta(hours=2)
    clinic.at(TUESDAY + timedelta(hours=1))
    assert clinic.crm.courier.run_once().sent == 0
    clinic.do(clinic.supervisor, send_no_more, number)
    assert [row["state"] for row in outbox_rows(clinic.crm)] == [Delivery.TAKEN_BACK]
    assert (draft_of(clinic, clinic.agent, number), draft_of(clinic, clinic.supervisor, number)) == (READY, None)
    assert stored(clinic.crm, number)["state"] is State.OPEN
    for verb, more in ((send_no_more, ()), (send_at_another_time, (TUESDAY + timedelta(hours=3),))):
        with pytest.raises(NothingPlanned):
            clinic.do(clinic.agent, verb, number, *more)


@pytest.mark.parametrize("noted", [False, True])
def test_z_takes_it_back_as_a_draft_whatever_happened_since(clinic: Clinic, noted: bool) -> None:
    number = taken(clinic)
    before = {name: value for name, value in stored(clinic.crm, number).items() if name not in _MAY_DIFFER}
    clinic.do(clinic.agent, send_later, clinic.crm.gate, number, READY, at=TUESDAY)
    if noted:
        clinic.do(clinic.agent, note, number, "on second thoughts")
    assert clinic.do(clinic.agent, undo_last) == (number, Verb.SCHEDULED)
    after = {name: value for name, value in stored(clinic.crm, number).items() if name not in _MAY_DIFFER}
    assert after["state"] is State.OPEN
    assert noted or after == before
    assert draft_of(clinic, clinic.agent, number) == READY


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_its_time_lies_ahead_and_within_a_year(clinic: Clinic, days: int) -> None:
    number = taken(clinic)
    with pytest.raises(UsageError):
        clinic.do(clinic.agent, send_later, clinic.crm.gate, number, READY, at=MONDAY + timedelta(days=days))
    assert outbox_rows(clinic.crm) == []


def test_what_a_reply_is_refused_for_refuses_it_too(clinic: Clinic) -> None:
    number = planned(clinic)
    later = {"at": TUESDAY}
    with pytest.raises(AlreadyPlanned):
        clinic.do(clinic.agent, send_later, clinic.crm.gate, number, "And more", **later)
    other = clinic.text(BILL, "+1 212 555 0102")
    with pytest.raises(EmptyText):
        clinic.do(clinic.agent, send_later, clinic.crm.gate, other.conversation_id, " ", **later)
    with pytest.raises(NotSendable, match="card number"):
        clinic.do(clinic.agent, send_later, clinic.crm.gate, other.conversation_id, "4111 1111 1111 1111", **later)
    with pytest.raises(SomethingNewer):
        seen = other.message_id - 1
        clinic.do(
            clinic.agent, send_later, clinic.crm.gate, other.conversation_id, READY, seen_message_id=seen, **later
        )
    danger = clinic.text("I have chest pain", "+1 212 555 0102").conversation_id
    with pytest.raises(HeldForClinicians):
        clinic.do(clinic.agent, send_later, clinic.crm.gate, danger, READY, **later)


def test_where_the_patient_has_written_since_it_comes_back_to_its_author_as_a_draft(clinic: Clinic) -> None:
    number = planned(clinic)
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.text("Never mind, I found it")
    clinic.at(TUESDAY)
    assert clinic.crm.courier.run_once().sent == 0
    (row,) = outbox_rows(clinic.crm)
    assert (row["state"], row["failure"]) == (Delivery.SUPPRESSED, "the patient has written since")
    after = stored(clinic.crm, number)
    assert (after["state"], after["owner_id"]) == (State.OPEN, clinic.agent.staff_id)
    assert draft_of(clinic, clinic.agent, number) == READY
    assert "the patient has written since" in str(clinic.now_at(number).next_action)
    assert any(
        "still meant: NO" in line
        for line in clinic.now_at(number).messages[-2].why + clinic.now_at(number).messages[-1].why
    )


def test_whoever_sets_another_time_has_seen_what_came(clinic: Clinic) -> None:
    number = planned(clinic)
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.text("Please by Tuesday noon")
    clinic.at(MONDAY + timedelta(hours=2))
    clinic.do(clinic.agent, send_at_another_time, number, TUESDAY + timedelta(hours=1))
    clinic.at(TUESDAY + timedelta(hours=1))
    assert clinic.crm.courier.run_once().sent == 1


@pytest.mark.parametrize(("who", "goes"), [("a colleague", False), ("its author", True)])
@pytest.mark.parametrize("what", ["closed", "answered", "called"])
def test_what_a_colleague_did_since_stops_it_and_what_its_author_did_does_not(
    clinic: Clinic, who: str, goes: bool, what: str
) -> None:
    number = planned(clinic)
    clinic.at(MONDAY + timedelta(hours=1))
    actor = clinic.supervisor if who == "a colleague" else clinic.agent
    if what == "closed":
        clinic.do(actor, close, number, outcome="resolved")
    elif what == "answered":
        clinic.do(actor, reply, clinic.crm.gate, number, "We are looking.")
        assert clinic.crm.courier.run_once().sent == 1
    else:
        clinic.do(actor, log_call, number, outcome="reached", words=None)
    clinic.at(TUESDAY)
    assert clinic.crm.courier.run_once().sent == int(goes)
    state = stored(clinic.crm, number)["state"]
    if what == "closed":
        assert state is (State.CLOSED if goes else State.OPEN)
    else:
        assert state is State.WAITING_PATIENT
    assert (draft_of(clinic, clinic.agent, number) is None) is goes


def test_an_author_who_has_begun_another_draft_keeps_that_one(clinic: Clinic) -> None:
    number = planned(clinic)
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.text("and by mail please")
    clinic.do(clinic.agent, save_draft, number, "By mail it is")
    clinic.at(TUESDAY)
    clinic.crm.courier.run_once()
    assert draft_of(clinic, clinic.agent, number) == "By mail it is"


def test_what_somebody_has_in_hand_meanwhile_stays_theirs(clinic: Clinic) -> None:
    number = planned(clinic)
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.text("and by mail please")
    clinic.do(clinic.supervisor, assign, number, clinic.supervisor.staff_id)
    clinic.do(clinic.supervisor, take_next)
    clinic.at(TUESDAY)
    clinic.crm.courier.run_once()
    assert stored(clinic.crm, number)["owner_id"] == clinic.supervisor.staff_id
    assert draft_of(clinic, clinic.agent, number) == READY


def from_template(clinic: Clinic, staff: StaffFactory) -> tuple[Actor, int, str, int]:
    """An approved template's text for a conversation: approver, conversation, text and version."""
    approver = staff(Role.APPROVER)
    number = taken(clinic)
    key = "other_received"
    clinic.do(approver, approve, key)
    made = clinic.see(clinic.agent, filled, clinic.crm.gate, number, key)
    return approver, number, made.text, made.version_id


@pytest.mark.parametrize("later", [True, False])
@pytest.mark.parametrize("case", ["retired", "past its review"])
def test_a_template_that_is_not_approved_any_more_stops_what_is_planned_and_what_is_held(
    clinic: Clinic, staff: StaffFactory, later: bool, case: str
) -> None:
    approver, number, text, version_id = from_template(clinic, staff)
    if later:
        clinic.do(clinic.agent, send_later, clinic.crm.gate, number, text, at=TUESDAY, template_version_id=version_id)
    else:
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, text, template_version_id=version_id, hold=HOLD)
    if case == "retired":
        clinic.do(approver, retire, "other_received")
    else:
        passed = update(TemplateVersion).where(TemplateVersion.id == version_id).values(review_due=date(2026, 11, 1))
        clinic.do(SYSTEM, lambda unit: unit.execute(passed))
    clinic.at(TUESDAY)
    assert clinic.crm.courier.run_once().sent == 0
    (row,) = outbox_rows(clinic.crm)
    why = {"retired": "is not approved any more", "past its review": "is past its review date"}[case]
    assert (row["state"], row["failure"]) == (Delivery.SUPPRESSED, f"its template {why}")
    assert stored(clinic.crm, number)["state"] is State.OPEN
    kept = clinic.see(clinic.agent, my_draft, number)
    assert (kept.template_key if kept is not None else None) == ("other_received" if later else None)


@pytest.mark.parametrize("later", [True, False])
def test_another_patient_stops_what_was_written_to_the_one_before_and_leaves_no_draft(
    clinic: Clinic, later: bool
) -> None:
    number = planned(clinic) if later else taken(clinic)
    if not later:
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, READY, hold=HOLD)
    other = update(Conversation).where(Conversation.id == number).values(patient_id=clinic.patients["Bo"])
    clinic.do(SYSTEM, lambda unit: unit.execute(other))
    clinic.at(TUESDAY)
    assert clinic.crm.courier.run_once().sent == 0
    (row,) = outbox_rows(clinic.crm)
    assert row["failure"] == "the conversation is with another patient now"
    assert draft_of(clinic, clinic.agent, number) is None


def test_a_held_answer_goes_though_the_patient_wrote_within_the_hold(clinic: Clinic) -> None:
    """docs/decisions/held-is-said-planned-is-not.md."""
    number = taken(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, READY, hold=HOLD)
    clinic.at(MONDAY + timedelta(seconds=5))
    clinic.text("is it 20?")
    clinic.at(MONDAY + HOLD)
    assert clinic.crm.courier.run_once().sent == 1


def test_a_stop_word_in_between_stops_it_and_its_text_comes_back(clinic: Clinic) -> None:
    number = planned(clinic)
    clinic.text("STOP")
    (row, _) = outbox_rows(clinic.crm)
    assert row["state"] is Delivery.SUPPRESSED
    assert draft_of(clinic, clinic.agent, number) == READY


def test_what_is_planned_says_when_and_when_it_was_decided_and_what_is_held_says_neither(clinic: Clinic) -> None:
    planned(clinic)
    other = clinic.text(BILL, "+1 212 555 0102").conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, other, READY, hold=HOLD)
    rows = [(row["planned_at"], row["decided_at"], row["due_at"]) for row in outbox_rows(clinic.crm)]
    assert rows == [(TUESDAY, MONDAY, TUESDAY), (None, None, MONDAY + HOLD)]
    with clinic.crm.read(SYSTEM) as unit:
        assert unit.scalar(select(Conversation.state).where(Conversation.id == other)) is State.WAITING_PATIENT


def test_what_is_planned_does_not_go_while_a_physician_is_asked_and_takes_no_question_away(clinic: Clinic) -> None:
    number = clinic.text("Can I take ibuprofen with my blood pressure pills?").conversation_id
    assert number is not None
    clinic.do(clinic.nurse, send_later, clinic.crm.gate, number, "Yes, you can", at=TUESDAY)
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.do(clinic.nurse, escalate, number, to=Role.PHYSICIAN, reason="policy", question="With lisinopril?")
    asked = stored(clinic.crm, number)
    clinic.at(TUESDAY)
    assert clinic.crm.courier.run_once().sent == 0
    (row,) = outbox_rows(clinic.crm)
    assert (row["state"], row["failure"]) == (Delivery.SUPPRESSED, "somebody else has been asked since")
    assert stored(clinic.crm, number) == asked
    assert clinic.now_at(number).next_action == "With lisinopril?"
    assert draft_of(clinic, clinic.nurse, number) == "Yes, you can"


def test_an_escalation_that_was_taken_back_stops_nothing(clinic: Clinic) -> None:
    number = clinic.text("Can I take ibuprofen with my blood pressure pills?").conversation_id
    clinic.do(clinic.nurse, send_later, clinic.crm.gate, number, "Yes, you can", at=TUESDAY)
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.do(clinic.nurse, escalate, number, to=Role.NURSE, reason="policy", question="Sure?")
    clinic.do(clinic.nurse, undo_last, number)
    clinic.at(TUESDAY)
    assert clinic.crm.courier.run_once().sent == 1


def test_what_does_not_go_takes_nothing_from_a_danger(clinic: Clinic) -> None:
    number = planned(clinic)
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.text("I have crushing chest pain and can't breathe")
    before = clinic.now_at(number).next_action
    assert "Danger" in str(before)
    clinic.at(TUESDAY)
    assert clinic.crm.courier.run_once().sent == 0
    assert clinic.now_at(number).next_action == before
    assert stored(clinic.crm, number)["owner_id"] is None
    assert draft_of(clinic, clinic.agent, number) == READY


def test_what_its_author_answered_and_closed_meanwhile_is_not_opened_again(clinic: Clinic) -> None:
    number = planned(clinic)
    clinic.at(MONDAY + timedelta(hours=2))
    clinic.text("never mind, I found the bill")
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Good.")
    clinic.do(clinic.agent, close, number, outcome="resolved")
    assert clinic.crm.courier.run_once().sent == 1
    before = stored(clinic.crm, number)
    clinic.at(TUESDAY)
    assert clinic.crm.courier.run_once().sent == 0
    assert outbox_rows(clinic.crm)[0]["state"] is Delivery.SUPPRESSED
    assert stored(clinic.crm, number) == before


def test_a_held_answer_that_never_left_has_answered_nobody(clinic: Clinic, staff: StaffFactory) -> None:
    approver, number, text, version_id = from_template(clinic, staff)
    asked = stored(clinic.crm, number)
    clinic.at(MONDAY + timedelta(hours=1))
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, text, template_version_id=version_id, hold=HOLD)
    clinic.do(approver, retire, "other_received")
    clinic.at(MONDAY + timedelta(hours=1) + HOLD)
    assert clinic.crm.courier.run_once().sent == 0
    after = stored(clinic.crm, number)
    for name in ("due_at", "due_clock", "waiting_since", "first_response_at", "state"):
        assert after[name] == asked[name], name
