"""Answering: replies, calls, notes, and what each does to the clock (domain.md, What stops a clock)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from crm_core.access.model import SYSTEM
from crm_core.app import open_crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Delivery, Inbound
from crm_core.channels.outbox import NotSendable
from crm_core.errors import UsageError
from crm_core.inbox.answering.answers import EmptyText, NotThisTemplate, SomethingNewer, note, reply
from crm_core.inbox.answering.calls import log_call
from crm_core.inbox.answering.drafts import my_draft, save_draft
from crm_core.inbox.answering.sending import composer_line
from crm_core.inbox.handling import close, link, snooze
from crm_core.inbox.model import State
from crm_core.inbox.take import settle_time, take_next
from crm_core.patients.tables import POINT, Patient
from crm_core.settings import Settings
from crm_core.words import Channel
from tests.conftest import MASTER, MONDAY
from tests.inbox.conftest import ANA, Clinic
from tests.inbox.looking import messages, outbox_rows, stored, verbs

BILL = "How much is my bill?"


def taken(clinic: Clinic, text: str = BILL) -> int:
    """A conversation in the agent's hands."""
    clinic.text(text)
    number: int = clinic.do(clinic.agent, take_next)
    return number


def test_a_reply_queues_a_message_and_waits_for_the_patient_with_a_date_to_come_back(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    row = stored(clinic.crm, number)
    assert (row["state"], row["due_at"], row["first_response_at"]) == (State.WAITING_PATIENT, None, MONDAY)
    assert row["follow_up_at"] == MONDAY + timedelta(days=2)
    assert [each["state"] for each in outbox_rows(clinic.crm)] == [Delivery.QUEUED]
    seen = clinic.now_at(number)
    assert (seen.next_owner, seen.clock, seen.clock_at) == ("the patient", "follow up", row["follow_up_at"])


def test_what_nobody_answered_comes_back_and_still_says_since_when(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    clinic.at(MONDAY + timedelta(days=2, minutes=1))
    assert clinic.do(clinic.agent, take_next) == number
    seen = clinic.now_at(number)
    resolution_less_what_passed_before_the_answer = MONDAY + timedelta(days=10, minutes=1)
    assert (seen.state, seen.due_at) == (State.OPEN, resolution_less_what_passed_before_the_answer)
    assert (seen.clock, seen.clock_at) == ("follow up", MONDAY + timedelta(days=2))
    assert "woken" in verbs(clinic.crm, number)


def test_a_note_stops_no_clock_and_is_never_sent(clinic: Clinic) -> None:
    number = taken(clinic)
    before = stored(clinic.crm, number)
    clinic.do(clinic.agent, note, number, "Asked accounting.")
    after = stored(clinic.crm, number)
    assert (after["due_at"], after["first_response_at"], after["state"]) == (before["due_at"], None, State.OPEN)
    assert outbox_rows(clinic.crm) == []
    last = clinic.now_at(number).messages[-1]
    assert (last.internal, last.body, last.author) == (True, "Asked accounting.", clinic.agent.name)


@pytest.mark.parametrize(("outcome", "stops"), [("reached", True), ("voicemail", False), ("no_answer", False)])
def test_only_a_call_that_reached_stops_the_clock(clinic: Clinic, outcome: str, stops: bool) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, log_call, number, outcome=outcome, words="about the bill")
    row = stored(clinic.crm, number)
    assert (row["due_at"] is None) == stops
    assert row["state"] is (State.WAITING_PATIENT if stops else State.WAITING_OTHER)
    assert row["follow_up_at"] is not None


def test_a_call_outcome_is_one_of_the_playbooks_and_its_follow_up_lies_ahead(clinic: Clinic) -> None:
    number = taken(clinic)
    with pytest.raises(UsageError, match="voicemail"):
        clinic.do(clinic.agent, log_call, number, outcome="shouted", words=None)
    with pytest.raises(UsageError):
        clinic.do(
            clinic.agent,
            log_call,
            number,
            outcome="busy",
            words=None,
            next_call_at=clinic.crm.clock.now() + timedelta(minutes=-1),
        )


@pytest.mark.parametrize("text", ["", "  \n "])
def test_nothing_is_neither_sent_nor_noted(clinic: Clinic, text: str) -> None:
    number = taken(clinic)
    with pytest.raises(EmptyText):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, text)
    with pytest.raises(EmptyText):
        clinic.do(clinic.agent, note, number, text)


def test_the_second_of_two_at_one_desk_is_refused_and_keeps_the_draft(clinic: Clinic) -> None:
    number = taken(clinic)
    seen = clinic.now_at(number, clinic.supervisor).newest_message_id
    clinic.do(clinic.supervisor, save_draft, number, "My own answer")
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", seen_message_id=seen)
    with pytest.raises(SomethingNewer):
        clinic.do(clinic.supervisor, reply, clinic.crm.gate, number, "My own answer", seen_message_id=seen)
    kept = clinic.see(clinic.supervisor, my_draft, number)
    assert kept is not None
    assert kept.body == "My own answer"
    again = clinic.now_at(number, clinic.supervisor).newest_message_id
    clinic.do(clinic.supervisor, reply, clinic.crm.gate, number, "My own answer", seen_message_id=again)


def test_a_newer_message_with_a_lower_id_of_another_process_refuses_the_answer(
    clinic: Clinic, settings: Settings
) -> None:
    """Ids come in blocks: one process may well hand out lower ones later than another."""
    number = taken(clinic)
    with open_crm(settings, master=MASTER, clock=clinic.crm.clock) as other, other.write(SYSTEM) as unit:
        second = Inbound(channel=Channel.SMS, sender=ANA, text="second", at=MONDAY)
        higher = receive(unit, other.receiver, second).message_id
    seen = clinic.now_at(number).newest_message_id
    assert seen == higher
    clinic.at(MONDAY + timedelta(minutes=1))
    assert clinic.text("third").message_id < higher
    with pytest.raises(SomethingNewer):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "An answer to the second", seen_message_id=seen)


def test_sending_drops_my_draft_of_it_and_a_note_leaves_it(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, save_draft, number, "It is")
    clinic.do(clinic.agent, note, number, "asking accounting")
    assert clinic.see(clinic.agent, my_draft, number) is not None
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    assert clinic.see(clinic.agent, my_draft, number) is None


def _change(unit, statement) -> None:  # type: ignore[no-untyped-def]
    unit.execute(statement)


def test_an_answer_to_someone_who_wrote_from_the_portal_goes_by_the_patients_own_ranked_contact(
    clinic: Clinic,
) -> None:
    number = clinic.text(BILL, channel=Channel.PORTAL).conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    (row,) = outbox_rows(clinic.crm)
    assert row["channel"] is Channel.SMS
    assert row["contact_point_id"] == messages(clinic.crm)[0]["contact_point_id"]


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("deceased", "deceased"),
        ("opted_out", "opted out"),
        ("invalid", "marked invalid"),
        ("unlinked", "not linked to a patient"),
    ],
)
def test_an_answer_that_may_not_be_sent_is_refused_with_its_reason_and_changes_nothing(
    clinic: Clinic, case: str, why: str
) -> None:
    sender = "+1 646 555 0188" if case == "unlinked" else ANA
    received = clinic.text(BILL, sender)
    number = received.conversation_id
    point = messages(clinic.crm)[0]["contact_point_id"]
    changes = {
        "deceased": update(Patient).where(Patient.id == clinic.patients["Ana"]).values(deceased=True),
        "opted_out": update(POINT).where(POINT.c.id == point).values(opted_out_at=MONDAY),
        "invalid": update(POINT).where(POINT.c.id == point).values(invalid_at=MONDAY, invalid_reason="hard_bounce"),
    }
    if case in changes:
        clinic.do(clinic.agent, _change, changes[case])
    before = stored(clinic.crm, number)
    line = clinic.see(clinic.agent, composer_line, clinic.crm.gate, number)
    assert line.refusal is not None
    assert why in line.refusal
    with pytest.raises(NotSendable, match=why) as refused:
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    assert [reason.passed for reason in refused.value.verdict.reasons][-1:] == [False]
    assert stored(clinic.crm, number) == before
    assert outbox_rows(clinic.crm) == []


def test_a_shared_number_is_named_as_such_and_needs_the_patients_name_and_no_health_detail(clinic: Clinic) -> None:
    cy = clinic.patient("Al", "Lopez", ANA, "1003")
    number = clinic.text("Can I have an appointment?").conversation_id
    clinic.do(clinic.agent, link, number, cy)
    line = clinic.see(clinic.agent, composer_line, clinic.crm.gate, number)
    assert (line.shared_by, line.needs_confirmation, line.refusal, line.last_four) == (2, True, None, "0101")
    for text in ("Tuesday at 3?", "We also have Tuesday at 3."):
        with pytest.raises(NotSendable, match="does not name the patient"):
            clinic.do(clinic.agent, reply, clinic.crm.gate, number, text)
    with pytest.raises(NotSendable, match="speaks of health"):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Al, your swollen knee hurts because of the infection")
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Al: Tuesday at 3?")


def test_a_lately_linked_number_needs_a_confirmation(clinic: Clinic) -> None:
    number = clinic.text(BILL, "+1 646 555 0188").conversation_id
    clinic.at(MONDAY + timedelta(days=1))
    clinic.do(clinic.agent, link, number, clinic.patients["Ana"])
    clinic.at(MONDAY + timedelta(days=3))
    line = clinic.see(clinic.agent, composer_line, clinic.crm.gate, number)
    assert (line.changed_days, line.needs_confirmation) == (2, True)


def test_a_closed_conversation_is_not_answered(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, close, number, outcome="resolved")
    for verb, more in ((reply, (clinic.crm.gate, number, "x")), (log_call, (number,))):
        extra = {"outcome": "reached", "words": None} if verb is log_call else {}
        with pytest.raises(UsageError, match="closed"):
            clinic.do(clinic.agent, verb, *more, **extra)


def test_a_template_that_is_not_approved_is_not_sent_though_its_text_is_at_hand(clinic: Clinic) -> None:
    """What ships is draft until the clinic's approver says otherwise."""
    from sqlalchemy import select

    from crm_core.library.tables import TemplateVersion

    number = taken(clinic)
    with clinic.crm.read(clinic.agent) as unit:
        draft_id = unit.scalar(select(TemplateVersion.id).limit(1))
    with pytest.raises(NotThisTemplate):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "A draft's text", template_version_id=draft_id)


def test_a_snoozed_conversation_comes_back_at_its_time_with_its_clock(clinic: Clinic) -> None:
    number = taken(clinic)
    due = stored(clinic.crm, number)["due_at"]
    clinic.do(clinic.agent, snooze, number, until=MONDAY + timedelta(hours=1), action="Call accounting")
    assert clinic.now_at(number).next_action == "Call accounting"
    clinic.at(MONDAY + timedelta(hours=1))
    assert clinic.do(clinic.agent, settle_time) == 1
    row = stored(clinic.crm, number)
    assert (row["state"], row["due_at"], row["snoozed_until"]) == (State.OPEN, due, None)
    assert clinic.do(clinic.agent, take_next) == number


def test_nothing_is_put_off_for_more_than_a_year(clinic: Clinic) -> None:
    number = taken(clinic)
    with pytest.raises(UsageError, match="more than a year"):
        clinic.do(clinic.agent, snooze, number, until=MONDAY + timedelta(days=367))
