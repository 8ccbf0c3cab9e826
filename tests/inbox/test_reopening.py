"""What a new text does to what was closed (domain.md, Reopening), to the second and over merges and splits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm_core.inbox.answering.answers import reply
from crm_core.inbox.handling import close
from crm_core.inbox.model import ClockKind, State
from crm_core.inbox.take import take_next
from crm_core.inbox.threads.splitting import split
from crm_core.inbox.undo import undo_last
from tests.conftest import MONDAY
from tests.inbox.conftest import Clinic
from tests.inbox.looking import conversations, stored, verbs

BILL = "How much is my bill?"
MORE = "one more thing about the bill"
LAST = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
"""Five business days after Monday 10:00 of Thanksgiving week: Tue, Wed, Fri, Mon, Tue 10:00 in New York."""


def closed(clinic: Clinic, *, answered: bool = False) -> int:
    """A conversation that the agent closed on Monday at 10:00."""
    clinic.text(BILL)
    number: int = clinic.do(clinic.agent, take_next)
    if answered:
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    clinic.do(clinic.agent, close, number, outcome="resolved")
    return number


@pytest.mark.parametrize(("late", "same"), [(timedelta(0), True), (timedelta(seconds=1), False)])
def test_the_fifth_business_day_ends_to_the_second(clinic: Clinic, late: timedelta, same: bool) -> None:
    number = closed(clinic)
    clinic.at(LAST + late)
    received = clinic.text(MORE)
    assert (received.conversation_id == number) is same
    assert clinic.now_at(received.conversation_id).follows_id == (None if same else number)
    assert stored(clinic.crm, number)["state"] is (State.OPEN if same else State.CLOSED)


def test_the_days_count_from_the_closing_and_not_from_the_thanks_that_followed(clinic: Clinic) -> None:
    number = closed(clinic)
    clinic.at(LAST - timedelta(hours=1))
    assert clinic.text("Thanks!").conversation_id == number
    clinic.at(LAST + timedelta(seconds=1))
    assert clinic.text(MORE).conversation_id != number


def test_a_text_written_in_time_and_delivered_late_still_reopens(clinic: Clinic) -> None:
    number = closed(clinic)
    clinic.at(LAST + timedelta(hours=3))
    assert clinic.text(MORE, at=LAST - timedelta(minutes=1)).conversation_id == number


def test_the_new_response_clock_is_a_next_response_from_that_text_once_it_had_been_answered(clinic: Clinic) -> None:
    number = closed(clinic, answered=True)
    since = MONDAY + timedelta(days=1)
    clinic.at(since)
    clinic.text(MORE)
    row = stored(clinic.crm, number)
    assert (row["due_clock"], row["waiting_since"]) == (ClockKind.NEXT_RESPONSE, since)
    targets = clinic.crm.units.shared["inbox.rules"].targets(row["lane"], row["priority"])
    assert row["due_at"] > since
    assert targets.next_response <= row["due_at"] - since


def test_what_was_reopened_has_its_step_by_which_first_contact_resolution_is_lost_for_good(clinic: Clinic) -> None:
    number = closed(clinic, answered=True)
    assert "reopened" not in verbs(clinic.crm, number)
    clinic.text("thanks")
    assert "reopened" not in verbs(clinic.crm, number)
    clinic.text(MORE)
    clinic.do(clinic.agent, take_next)
    clinic.do(clinic.agent, close, number, outcome="resolved")
    assert verbs(clinic.crm, number).count("reopened") == 1


def test_thanks_join_the_newest_that_was_closed_and_begin_nothing(clinic: Clinic) -> None:
    first = closed(clinic)
    clinic.at(LAST + timedelta(days=1))
    second = clinic.text(MORE).conversation_id
    clinic.do(clinic.agent, take_next)
    clinic.do(clinic.agent, close, second, outcome="resolved")
    assert clinic.text("ok thank you").conversation_id == second
    assert [row["id"] for row in conversations(clinic.crm)] == [first, second]


def test_of_a_split_that_was_undone_only_the_one_that_was_left_is_reopened(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    second = clinic.text("I need to move my visit on Thursday").message_id
    clinic.do(clinic.agent, split, number, from_message=second)
    clinic.do(clinic.agent, undo_last, number)
    clinic.do(clinic.agent, close, number, outcome="resolved")
    clinic.at(MONDAY + timedelta(hours=1))
    assert clinic.text(MORE).conversation_id == number
