"""First-contact resolution and response by channel, from what happened and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from crm_core.channels.model import Received
from crm_core.channels.outbox import take_back
from crm_core.errors import NotPermitted
from crm_core.inbox import handling
from crm_core.inbox.answering import answers, calls
from crm_core.inbox.measures import By, Figures, measured, week_of
from crm_core.words import Channel
from tests.conftest import MONDAY
from tests.inbox.conftest import ANA, BO, Clinic
from tests.inbox.looking import statements

REFILL = "Could you refill my metformin please"
BILL = "Why was I charged twice on my last bill?"


def figures(clinic: Clinic, by: By | None = None) -> dict[str, Figures]:
    with clinic.crm.read(clinic.supervisor) as unit:
        return {one.group: one for one in measured(unit, week_of(unit, None), by)}


def answered(clinic: Clinic, received: Received, text: str = "It is done.") -> int:
    message: int = clinic.do(clinic.agent, answers.reply, clinic.crm.gate, received.conversation_id, text)
    return message


def closed(clinic: Clinic, received: Received, outcome: str = "resolved") -> None:
    clinic.do(clinic.agent, handling.close, received.conversation_id, outcome=outcome)


def first_contacts(clinic: Clinic) -> tuple[int, int, int]:
    whole = figures(clinic)["all"]
    return whole.closed, whole.resolved, whole.first_contact


def test_one_answer_and_closed_is_resolved_at_the_first_contact(clinic: Clinic) -> None:
    got = clinic.text(REFILL)
    answered(clinic, got)
    assert first_contacts(clinic) == (0, 0, 0)
    closed(clinic, got)
    assert first_contacts(clinic) == (1, 1, 1)
    assert figures(clinic)["all"].first_contact_share == 1.0


def test_a_call_that_reached_is_a_contact_and_one_that_did_not_is_none(clinic: Clinic) -> None:
    got = clinic.text(REFILL)
    for outcome in ("no_answer", "voicemail", "reached"):
        clinic.do(clinic.agent, calls.log_call, got.conversation_id, outcome=outcome, words=None)
    closed(clinic, got)
    assert first_contacts(clinic) == (1, 1, 1)


def test_two_contacts_none_and_another_outcome_are_not(clinic: Clinic) -> None:
    two, none = clinic.text(REFILL), clinic.text(BILL, BO)
    answered(clinic, two, "Which pharmacy?")
    answered(clinic, two)
    closed(clinic, two)
    closed(clinic, none)
    assert first_contacts(clinic) == (2, 2, 0)
    other = clinic.text(BILL, "+12125550166")
    clinic.do(clinic.agent, calls.log_call, other.conversation_id, outcome="reached", words=None)
    closed(clinic, other, "not_for_us")
    assert first_contacts(clinic) == (3, 2, 0)


def test_an_answer_that_was_taken_back_is_no_contact(clinic: Clinic) -> None:
    got = clinic.text(REFILL)
    message = clinic.do(
        clinic.agent, answers.reply, clinic.crm.gate, got.conversation_id, "Oops", hold=timedelta(seconds=15)
    )
    assert clinic.do(clinic.agent, take_back, message)
    answered(clinic, got)
    closed(clinic, got)
    assert first_contacts(clinic) == (1, 1, 1)


def test_thanks_leave_it_and_a_reopening_takes_it_away_for_good(clinic: Clinic) -> None:
    got = clinic.text(REFILL)
    answered(clinic, got)
    closed(clinic, got)
    clinic.text("thanks")
    assert first_contacts(clinic) == (1, 1, 1)
    clinic.text("It is the wrong dose")
    assert first_contacts(clinic) == (0, 0, 0)
    closed(clinic, got)
    assert first_contacts(clinic) == (1, 1, 0)


def test_response_is_counted_in_working_minutes_by_channel(clinic: Clinic) -> None:
    """Monday 10:00 by text, answered after 30 and 90 minutes; Friday 16:30 by letter, answered Monday 09:30."""
    first, second = clinic.text(REFILL, ANA), clinic.text(BILL, BO)
    clinic.at(MONDAY + timedelta(minutes=30))
    answered(clinic, first)
    clinic.at(MONDAY + timedelta(minutes=90))
    answered(clinic, second)
    clinic.at(datetime(2026, 12, 4, 21, 30, tzinfo=UTC))
    letter = clinic.text("Where is my referral?", "mia@example.org", channel=Channel.EMAIL)
    clinic.at(datetime(2026, 12, 7, 14, 30, tzinfo=UTC))
    clinic.do(clinic.agent, calls.log_call, letter.conversation_id, outcome="reached", words=None)
    with clinic.crm.read(clinic.supervisor) as unit:
        before = {one.group: one for one in measured(unit, week_of(unit, date(2026, 11, 29)), By.CHANNEL)}
        after = {one.group: one for one in measured(unit, week_of(unit, date(2026, 11, 30)), By.CHANNEL)}
    assert set(before) == {"all", "sms"}
    sms = before["sms"]
    assert (sms.opened, sms.answered, sms.median_minutes, sms.p90_minutes) == (2, 2, 60.0, 90.0)
    assert (sms.in_time, sms.in_time_share) == (2, 1.0)
    lane = clinic.now_at(letter.conversation_id).lane
    with clinic.crm.read(clinic.supervisor) as unit:
        by_lane = {one.group: one for one in measured(unit, week_of(unit, date(2026, 12, 4)), By.LANE)}
    assert after["email"].answered == by_lane[lane].answered == 1
    assert after["email"].median_minutes == by_lane["all"].median_minutes == 60.0


def test_nothing_answered_has_no_times(clinic: Clinic) -> None:
    clinic.text(REFILL)
    whole = figures(clinic)["all"]
    assert (whole.opened, whole.answered, whole.median_minutes, whole.in_time_share) == (1, 0, None, None)
    assert whole.first_contact_share is None


def test_colleagues_are_told_apart_for_a_supervisor_alone(clinic: Clinic) -> None:
    got = clinic.text(REFILL)
    answered(clinic, got)
    assert figures(clinic, By.STAFF)[clinic.agent.name].answered == 1
    clinic.text(BILL, BO)
    assert figures(clinic, By.STAFF)["nobody"].opened == 1
    with clinic.crm.read(clinic.agent) as unit, pytest.raises(NotPermitted):
        measured(unit, week_of(unit, None), By.STAFF)


def test_a_week_goes_from_monday_to_sunday_in_the_clinics_time(clinic: Clinic) -> None:
    with clinic.crm.read(clinic.agent) as unit:
        for day in (date(2026, 11, 23), date(2026, 11, 29), None):
            span = week_of(unit, day)
            assert span.since.astimezone(UTC) == datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
            assert span.until.astimezone(UTC) == datetime(2026, 11, 30, 5, 0, tzinfo=UTC)


def test_figures_take_three_statements_however_many_groups_there_are(clinic: Clinic) -> None:
    for number in range(6):
        clinic.text(REFILL if number % 2 else BILL, f"+121255501{number:02}")
    with clinic.crm.read(clinic.supervisor) as unit:
        span = week_of(unit, None)
        with statements(clinic.crm.store.reading) as heard:
            measured(unit, span, By.LANE)
    assert len(heard) == 3
