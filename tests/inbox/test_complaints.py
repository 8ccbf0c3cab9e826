"""Complaints: what their end must say, and when the answer must be in writing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from crm_core.access.model import SYSTEM
from crm_core.errors import CrmError, NotPermitted, UsageError
from crm_core.inbox import handling, undo
from crm_core.inbox.answering import answers, calls
from crm_core.inbox.answering.scheduling import HoldsAGrievance, send_later, send_no_more
from crm_core.inbox.classifying import classify
from crm_core.inbox.complaints import ComplaintEnd, ComplaintUnsettled, complaint_of, complaint_sentences
from crm_core.inbox.model import State
from crm_core.inbox.tables import Complaint
from tests.inbox.conftest import Clinic

RUDE = "I want to file a complaint about the rude receptionist"
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


def came(clinic: Clinic, text: str = RUDE, **more: Any) -> int:
    number = clinic.text(text, **more).conversation_id
    assert number is not None
    return number


def close(clinic: Clinic, number: int, answered_on: date | None = None, category: str = "staff_behaviour") -> None:
    end = ComplaintEnd(category=category, answered_on=answered_on) if answered_on is not None else None
    clinic.do(clinic.agent, handling.close, number, outcome="resolved", words="She apologised", complaint=end)


def reply(clinic: Clinic, number: int, **more: Any) -> int:
    message_id: int = clinic.do(clinic.agent, answers.reply, clinic.crm.gate, number, "We are sorry.", **more)
    return message_id


def kept(clinic: Clinic) -> list[Any]:
    with clinic.crm.read(SYSTEM) as unit:
        return list(unit.execute(select(Complaint.__table__).order_by(Complaint.id)))


def test_a_complaint_settled_on_the_day_it_came_needs_category_outcome_and_date(clinic: Clinic) -> None:
    number = came(clinic)
    with pytest.raises(ComplaintUnsettled, match="stays open: say what it was about and on which date") as refused:
        close(clinic, number)
    assert refused.value.exit_code == 2
    assert clinic.now_at(number).state is not State.CLOSED
    clinic.crm.clock.move(timedelta(hours=6))  # type: ignore[attr-defined]
    close(clinic, number, MONDAY)
    shown = clinic.see(clinic.agent, complaint_of, number)
    assert (shown.category, shown.came_on, shown.answered_on) == ("staff_behaviour", MONDAY, MONDAY)
    assert (shown.grievance, shown.outcome, str(shown.words)) == (False, "resolved", "She apologised")
    said = clinic.see(clinic.agent, complaint_sentences, number)
    assert said == (
        "Complaint of 2026-11-23: How someone here behaved; answered 2026-11-23, settled on the day it came",
    )


def test_a_day_later_it_is_a_grievance_and_needs_a_written_reply(clinic: Clinic) -> None:
    number = came(clinic)
    clinic.crm.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    clinic.do(clinic.agent, calls.log_call, number, outcome="reached", words="told her sorry")
    with pytest.raises(ComplaintUnsettled) as refused:
        close(clinic, number)
    assert "on which date it was answered, and it came on 2026-11-23" in refused.value.message
    with pytest.raises(ComplaintUnsettled, match="so send a written reply first"):
        close(clinic, number, TUESDAY)
    message_id = reply(clinic, number)
    close(clinic, number, TUESDAY)
    assert clinic.see(clinic.agent, complaint_of, number).grievance
    assert kept(clinic)[0].reply_id == message_id
    assert "a grievance, with a written reply" in clinic.see(clinic.agent, complaint_sentences, number)[0]


def test_a_reply_that_was_taken_back_is_no_written_reply(clinic: Clinic) -> None:
    number = came(clinic)
    clinic.crm.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    reply(clinic, number, hold=timedelta(seconds=15))
    clinic.do(clinic.agent, undo.undo_last, number)
    with pytest.raises(ComplaintUnsettled, match="written reply"):
        close(clinic, number, TUESDAY)


def test_the_reply_of_a_closed_grievance_is_not_taken_back_under_it(clinic: Clinic) -> None:
    number = came(clinic)
    clinic.crm.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    reply(clinic, number, hold=timedelta(seconds=15))
    clinic.do(clinic.supervisor, handling.close, number, outcome="resolved", complaint=_end(TUESDAY))
    with pytest.raises(undo.TooLate, match="closed as a grievance with this reply"):
        clinic.do(clinic.agent, undo.undo_last, number)
    clinic.do(clinic.supervisor, undo.undo_last, number)
    clinic.do(clinic.agent, undo.undo_last, number)
    assert clinic.now_at(number).messages[-1].delivery == "taken_back"


def test_a_reply_that_does_not_arrive_opens_the_grievance_again(clinic: Clinic) -> None:
    number = came(clinic)
    clinic.crm.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    reply(clinic, number)
    close(clinic, number, TUESDAY)
    clinic.text("STOP")
    clinic.crm.courier.run_once()
    shown = clinic.now_at(number)
    ours = [one.delivery for one in shown.messages if one.delivery and not one.apart]
    assert (shown.state, ours) == (State.OPEN, ["suppressed"])
    assert clinic.see(clinic.agent, complaint_of, number) is None
    with pytest.raises(ComplaintUnsettled, match="written reply"):
        close(clinic, number, TUESDAY)


def test_undoing_the_closing_puts_it_back_and_keeps_the_history(clinic: Clinic) -> None:
    number = came(clinic)
    close(clinic, number, MONDAY)
    clinic.do(clinic.agent, undo.undo_last, number)
    assert clinic.now_at(number).state is not State.CLOSED
    assert clinic.see(clinic.agent, complaint_of, number) is None
    close(clinic, number, MONDAY, "waiting_time")
    assert [(row.category, row.void_at is None) for row in kept(clinic)] == [
        ("staff_behaviour", False),
        ("waiting_time", True),
    ]


def test_a_complaint_that_the_patient_opens_again_is_closed_anew_and_in_writing(clinic: Clinic) -> None:
    number = came(clinic)
    close(clinic, number, MONDAY)
    clinic.crm.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    assert came(clinic, "That is not good enough, nobody called me") == number
    assert clinic.see(clinic.agent, complaint_of, number) is None
    with pytest.raises(ComplaintUnsettled, match="written reply"):
        close(clinic, number, TUESDAY)
    reply(clinic, number)
    close(clinic, number, TUESDAY)
    assert [row.grievance for row in kept(clinic)] == [False, True]


@pytest.mark.parametrize(
    ("answered_on", "category", "said"),
    [
        (date(2026, 11, 24), "care", "2026-11-24 has not come yet"),
        (date(2026, 11, 22), "care", "On 2026-11-22 this complaint had not come yet"),
        (MONDAY, "rudeness", "no complaint category rudeness"),
    ],
)
def test_a_date_or_a_category_that_cannot_be_is_refused(
    clinic: Clinic, answered_on: date, category: str, said: str
) -> None:
    number = came(clinic)
    with pytest.raises(UsageError, match=said):
        close(clinic, number, answered_on, category)
    assert kept(clinic) == []


def test_what_lies_in_the_complaints_lane_is_one_from_the_text_that_made_it_one(clinic: Clinic) -> None:
    number = came(clinic, "Can I get a refill of my lisinopril?")
    clinic.crm.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    assert came(clinic, "Two pills left and you people are the worst") == number
    clinic.do(clinic.agent, handling.move, number, lane="complaints", reason="wrong_lane")
    close(clinic, number, TUESDAY)
    assert clinic.see(clinic.agent, complaint_of, number).came_on == TUESDAY


def test_a_complaint_that_turns_clinical_still_ends_as_a_complaint(clinic: Clinic) -> None:
    number = came(clinic)
    clinic.text("my knee is very swollen and red, what should I do?")
    row = clinic.now_at(number)
    assert (row.lane, row.category) == ("clinical_triage", "complaint")
    with pytest.raises(ComplaintUnsettled):
        clinic.do(clinic.nurse, handling.close, number, outcome="resolved")


def test_that_a_complaint_is_none_is_said_by_a_supervisor(clinic: Clinic) -> None:
    number = came(clinic)
    with pytest.raises(NotPermitted, match="say that a complaint is none"):
        clinic.do(clinic.agent, classify, number, category="billing")
    clinic.do(clinic.supervisor, classify, number, category="billing")
    clinic.do(clinic.supervisor, handling.move, number, lane="billing", reason="wrong_lane")
    clinic.do(clinic.agent, handling.close, number, outcome="resolved")
    assert clinic.now_at(number).state is State.CLOSED


def test_what_is_no_complaint_takes_no_complaint_s_end(clinic: Clinic) -> None:
    number = came(clinic, "Can I get a refill of my lisinopril?")
    with pytest.raises(UsageError, match="is no complaint"):
        close(clinic, number, MONDAY)
    close(clinic, number)
    assert clinic.see(clinic.agent, complaint_of, number) is None
    assert kept(clinic) == []


@pytest.mark.parametrize(
    ("came_at", "closed_at", "grievance"),
    [
        # New York, five hours behind: the evening is the next day in UTC, and the same day at the clinic.
        (datetime(2026, 11, 23, 22, 0, tzinfo=UTC), datetime(2026, 11, 24, 4, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 24, 4, 59, tzinfo=UTC), datetime(2026, 11, 24, 5, 0, tzinfo=UTC), True),
        # Clocks go back on 1 November 2026: that day has 25 hours, and ends at 05:00 UTC.
        (datetime(2026, 11, 1, 4, 0, tzinfo=UTC), datetime(2026, 11, 2, 4, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 1, 4, 0, tzinfo=UTC), datetime(2026, 11, 2, 5, 0, tzinfo=UTC), True),
        # Clocks go forward on 14 March 2027: that day has 23 hours, and ends at 04:00 UTC.
        (datetime(2027, 3, 14, 5, 0, tzinfo=UTC), datetime(2027, 3, 15, 3, 59, tzinfo=UTC), False),
        (datetime(2027, 3, 14, 5, 0, tzinfo=UTC), datetime(2027, 3, 15, 4, 0, tzinfo=UTC), True),
    ],
)
def test_a_day_is_the_clinic_s_own(clinic: Clinic, came_at: datetime, closed_at: datetime, grievance: bool) -> None:
    clinic.at(came_at)
    number = came(clinic)
    clinic.at(closed_at)
    day = came_at.astimezone(clinic.see(SYSTEM, _zone)).date()
    if grievance:
        with pytest.raises(ComplaintUnsettled, match="an earlier day than today"):
            close(clinic, number, day)
        reply(clinic, number)
    close(clinic, number, day)
    assert clinic.see(clinic.agent, complaint_of, number).grievance is grievance


@pytest.mark.parametrize(("grievance", "reply_id"), [(True, None), (False, 1)])
def test_the_store_itself_refuses_a_grievance_without_a_written_reply(
    clinic: Clinic, grievance: bool, reply_id: int | None
) -> None:
    number = came(clinic)
    close(clinic, number, MONDAY)
    broken = {"grievance": grievance, "reply_id": reply_id and clinic.now_at(number).newest_message_id}
    with pytest.raises(CrmError), clinic.crm.write(SYSTEM) as unit:
        unit.execute(Complaint.__table__.update().values(**broken))  # type: ignore[attr-defined]


def _end(answered_on: date) -> ComplaintEnd:
    return ComplaintEnd(category="care", answered_on=answered_on)


def _zone(unit: Any) -> Any:
    from crm_core.inbox.rules import inbox_rules

    return inbox_rules(unit).clinic.zone


def test_an_answer_that_is_set_for_later_is_no_written_reply_yet(clinic: Clinic) -> None:
    number = came(clinic)
    clinic.crm.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    at = clinic.crm.clock.now() + timedelta(days=300)
    clinic.do(clinic.agent, send_later, clinic.crm.gate, number, "We are sorry.", at=at)
    with pytest.raises(ComplaintUnsettled, match="so send a written reply first"):
        close(clinic, number, TUESDAY)


def test_a_planned_reply_on_which_a_grievance_rests_is_not_taken_back(clinic: Clinic) -> None:
    number = came(clinic)
    clinic.crm.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    at = clinic.crm.clock.now() + timedelta(days=300)
    planned = clinic.do(clinic.agent, send_later, clinic.crm.gate, number, "We are sorry.", at=at)
    reply(clinic, number)
    close(clinic, number, TUESDAY)
    # As stores written before this rule may hold it.
    clinic.do(SYSTEM, lambda unit: unit.execute(update(Complaint).values(reply_id=planned)))
    with pytest.raises(HoldsAGrievance):
        clinic.do(clinic.agent, send_no_more, number)
    assert clinic.see(clinic.agent, complaint_of, number).grievance
