"""What did not go: told apart, listed, and tried again where that is still wanted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import SYSTEM
from crm_core.channels.model import Delivery, Report
from crm_core.channels.reports import Reported, report
from crm_core.channels.undelivered import did_not_go, given_up, retry, waits_for_a_person
from crm_core.errors import NotFound, NotPermitted, Refused, UsageError
from crm_core.inbox import take
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.answering.calls import log_call
from crm_core.inbox.answering.scheduling import send_later
from crm_core.inbox.model import State
from crm_core.timers.retrying import MOST_TRIES
from tests.channels.conftest import Line
from tests.inbox.conftest import ANA, BO
from tests.inbox.looking import outbox_rows, tags

BILL = "How much is my bill?"
ANSWER = "It is 20 dollars."


def answered(line: Line, sender: str = ANA, text: str = ANSWER) -> int:
    """A conversation with an answer queued; its id."""
    number = line.clinic.text(BILL, sender).conversation_id
    assert number is not None
    line.clinic.do(line.clinic.agent, reply, line.gate, number, text)
    return number


def tried_out(line: Line) -> int:
    """An answer that was given up; its row."""
    answered(line)
    line.provider.mood = "busy"
    for _ in range(MOST_TRIES):
        line.courier.run_once()
        line.clinic.at(line.clinic.crm.clock.now() + timedelta(hours=2))
    line.provider.mood = "kind"
    (row,) = line.clinic.see(line.clinic.agent, given_up, limit=10)
    return int(row.id)


def test_unknown_given_up_and_refused_are_told_apart_and_what_went_is_not_listed(line: Line) -> None:
    dead = tried_out(line)
    answered(line, BO)
    line.courier.run_once()
    line.provider.mood, line.provider.asked = "rude", "mute"
    answered(line, BO)
    line.courier.run_once()
    line.provider.mood = "stern"
    answered(line, BO)
    line.courier.run_once()
    listed = line.clinic.see(line.clinic.agent, did_not_go)
    assert [row.id for row in listed.given_up] == [dead]
    assert [row.state for row in (*listed.unknown, *listed.refused)] == [Delivery.UNKNOWN, Delivery.FAILED]
    assert listed.given_up[0].tries == MOST_TRIES
    assert listed.given_up[0].why[-1] == f"then: given up after {MOST_TRIES} tries: busy"
    assert line.clinic.see(line.clinic.agent, waits_for_a_person) == 2
    assert ANSWER not in str(listed)


def test_what_was_refused_is_listed_for_a_week_and_what_was_given_up_until_someone_acts(line: Line) -> None:
    dead = tried_out(line)
    line.provider.mood = "stern"
    answered(line, BO)
    line.courier.run_once()
    at = line.clinic.crm.clock.now()
    line.clinic.at(at + timedelta(days=7, seconds=-1))
    assert len(line.clinic.see(line.clinic.agent, did_not_go).refused) == 1
    line.clinic.at(at + timedelta(days=7))
    listed = line.clinic.see(line.clinic.agent, did_not_go)
    assert ([row.id for row in listed.given_up], listed.refused) == ([dead], ())


def test_what_was_given_up_goes_once_when_it_is_tried_again_and_its_conversation_waits(line: Line) -> None:
    dead = tried_out(line)
    number = outbox_rows(line.clinic.crm)[0]["message_id"]
    conversation = line.clinic.see(line.clinic.agent, given_up, limit=1)[0].conversation_id
    assert line.clinic.now_at(conversation).state is State.OPEN
    line.clinic.do(line.clinic.supervisor, retry, dead, observers=line.clinic.crm.observers)
    assert line.clinic.now_at(conversation).state is State.WAITING_PATIENT
    (row,) = outbox_rows(line.clinic.crm)
    assert (row["state"], row["tries"], row["failure"], row["settled_at"]) == (Delivery.QUEUED, 0, None, None)
    assert line.courier.run_once().sent == 1
    assert list(line.provider.times().values()) == [1]
    assert line.clinic.see(line.clinic.agent, waits_for_a_person) == 0
    assert "outbox:row:retried" in tags(line.clinic.crm)
    assert number == outbox_rows(line.clinic.crm)[0]["message_id"]


def test_the_gate_is_asked_again_before_it_goes(line: Line) -> None:
    dead = tried_out(line)
    line.clinic.text("STOP")
    line.clinic.do(line.clinic.supervisor, retry, dead)
    line.courier.run_once()
    row = next(row for row in outbox_rows(line.clinic.crm) if row["id"] == dead)
    assert (row["state"], row["failure"]) == (Delivery.SUPPRESSED, "opted out")
    assert dead not in [row.id for row in line.clinic.see(line.clinic.agent, given_up, limit=10)]


def test_only_a_supervisor_tries_again_and_only_what_failed(line: Line) -> None:
    dead = tried_out(line)
    with pytest.raises(NotPermitted):
        line.clinic.do(line.clinic.agent, retry, dead)
    with pytest.raises(NotFound):
        line.clinic.do(line.clinic.supervisor, retry, 999)
    line.clinic.do(line.clinic.supervisor, retry, dead)
    with pytest.raises(UsageError, match="Only a failed row"):
        line.clinic.do(line.clinic.supervisor, retry, dead)


def test_what_a_later_answer_has_settled_is_not_sent_after_it(line: Line) -> None:
    dead = tried_out(line)
    conversation = line.clinic.see(line.clinic.agent, given_up, limit=1)[0].conversation_id
    line.clinic.do(line.clinic.agent, reply, line.gate, conversation, "Please call us about it.")
    assert line.courier.run_once().sent == 1
    with pytest.raises(Refused, match="The patient has been reached since"):
        line.clinic.do(line.clinic.supervisor, retry, dead)
    assert line.clinic.see(line.clinic.agent, did_not_go).given_up == ()
    assert line.clinic.see(line.clinic.agent, waits_for_a_person) == 0
    assert [row["state"] for row in outbox_rows(line.clinic.crm)].count(Delivery.FAILED) == 1


@pytest.mark.parametrize(("outcome", "waits"), [("reached", 0), ("no_answer", 1)])
def test_a_call_that_reached_the_patient_settles_what_was_given_up_and_one_that_did_not_leaves_it(
    line: Line, outcome: str, waits: int
) -> None:
    tried_out(line)
    conversation = line.clinic.see(line.clinic.agent, given_up, limit=1)[0].conversation_id
    line.clinic.do(line.clinic.agent, log_call, conversation, outcome=outcome, words="told by phone")
    assert line.clinic.see(line.clinic.agent, waits_for_a_person) == waits


def test_what_became_a_draft_again_is_not_sent_beside_it(line: Line) -> None:
    number = line.clinic.text(BILL).conversation_id
    at = line.clinic.crm.clock.now() + timedelta(hours=1)
    line.clinic.do(line.clinic.agent, take.claim, number)
    line.clinic.do(line.clinic.agent, send_later, line.gate, number, ANSWER, at=at)
    line.clinic.at(at)
    line.provider.mood = "stern"
    assert line.courier.run_once().failed == 1
    (row,) = line.clinic.see(line.clinic.agent, did_not_go).refused
    with pytest.raises(Refused, match="back to its author as a draft"):
        line.clinic.do(line.clinic.supervisor, retry, row.id)


def test_what_the_provider_said_of_the_first_attempt_is_not_said_of_the_next(line: Line) -> None:
    answered(line)
    line.courier.run_once()

    def reported(fate: Report, provider_id: str) -> bool:
        at = line.clinic.crm.clock.now()
        said = Reported(source=line.gateway.name, fate=fate, at=at, provider_id=provider_id)
        known: bool = line.clinic.do(SYSTEM, report, said)
        return known

    (first,) = outbox_rows(line.clinic.crm)
    assert reported(Report.FAILED, first["provider_id"])
    (row,) = line.clinic.see(line.clinic.agent, did_not_go).refused
    line.clinic.do(line.clinic.supervisor, retry, row.id)
    assert not reported(Report.FAILED, first["provider_id"])
    assert line.courier.run_once().sent == 1
    assert reported(Report.DELIVERED, first["provider_id"])
    (again,) = outbox_rows(line.clinic.crm)
    assert (again["state"], again["reported"]) == (Delivery.SENT, Report.DELIVERED)
