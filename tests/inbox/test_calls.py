"""Calls: how they ended, what they were about, when the next one is; made by us or by them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.channels.model import Direction, MessageKind
from crm_core.errors import NotFound, UsageError
from crm_core.inbox.answering.calls import CALL_AGAIN, log_call
from crm_core.inbox.model import State
from crm_core.words import Channel
from tests.conftest import MONDAY
from tests.inbox.conftest import Clinic

REFILL = "Could you refill my metformin please"


def test_a_call_that_did_not_reach_waits_until_the_date_of_the_next(clinic: Clinic) -> None:
    number = clinic.text(REFILL).conversation_id
    at = MONDAY + timedelta(hours=3)
    clinic.do(
        clinic.agent, log_call, number, outcome="no_answer", reason="medication", words="rang out", next_call_at=at
    )
    shown = clinic.now_at(number)
    assert (shown.state, shown.follow_up_at, str(shown.next_action)) == (State.WAITING_OTHER, at, CALL_AGAIN)
    call = shown.messages[-1]
    assert (call.kind, call.direction, call.channel) == (MessageKind.CALL, Direction.OUT, Channel.VOICE)
    assert (call.call_outcome, call.call_reason, call.next_call_at) == ("no_answer", "medication", at)
    assert shown.first_response_at is None


def test_a_call_that_reached_stops_the_clock_and_may_name_the_next(clinic: Clinic) -> None:
    number = clinic.text(REFILL).conversation_id
    at = MONDAY + timedelta(days=3)
    clinic.do(clinic.agent, log_call, number, outcome="reached", words=None, next_call_at=at)
    shown = clinic.now_at(number)
    assert (shown.state, shown.follow_up_at, str(shown.next_action)) == (State.WAITING_PATIENT, at, CALL_AGAIN)
    assert (shown.due_at, shown.first_response_at) == (None, MONDAY)


def test_a_call_that_came_in_is_theirs_and_answered(clinic: Clinic) -> None:
    number = clinic.text(REFILL).conversation_id
    clinic.do(clinic.agent, log_call, number, outcome="reached", words="asked again", inbound=True)
    shown = clinic.now_at(number)
    assert (shown.messages[-1].direction, shown.messages[-1].author) == (Direction.IN, clinic.agent.name)
    assert shown.first_response_at == MONDAY


def test_a_call_from_a_number_is_taken_in_and_then_told_how_it_ended(clinic: Clinic) -> None:
    received = clinic.text("wants her metformin refilled", channel=Channel.VOICE, is_call=True)
    assert received.category == "refill"
    assert received.patient_id == clinic.patients["Ana"]
    number, message = received.conversation_id, received.message_id
    assert clinic.now_at(number).messages[-1].kind is MessageKind.CALL
    told = {"outcome": "reached", "reason": "medication", "words": None, "inbound": True, "of_message": message}
    assert clinic.do(clinic.agent, log_call, number, **told) == message
    shown = clinic.now_at(number)
    assert len(shown.messages) == 1
    assert (shown.messages[0].call_outcome, shown.messages[0].author) == ("reached", clinic.agent.name)
    assert shown.first_response_at == MONDAY
    with pytest.raises(NotFound):
        clinic.do(clinic.agent, log_call, number, **told)


def test_what_a_caller_says_is_screened_like_every_text(clinic: Clinic) -> None:
    received = clinic.text("has crushing chest pain", "+12125550177", channel=Channel.VOICE, is_call=True)
    number = received.conversation_id
    assert clinic.now_at(number).danger
    assert received.lane == "clinical_triage"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"outcome": "shouted"}, "no call outcome shouted"),
        ({"outcome": "reached", "reason": "weather"}, "no reason for a call weather"),
        ({"outcome": "busy", "inbound": True}, "take it in with `crm receive --channel voice`"),
        ({"outcome": "busy", "next_call_at": MONDAY - timedelta(minutes=1)}, "That time has passed"),
        ({"outcome": "busy", "next_call_at": MONDAY + timedelta(days=400)}, "more than a year away"),
    ],
)
def test_what_makes_no_sense_of_a_call_is_refused_and_changes_nothing(
    clinic: Clinic, told: dict[str, object], said: str
) -> None:
    number = clinic.text(REFILL).conversation_id
    with pytest.raises(UsageError, match=said):
        clinic.do(clinic.agent, log_call, number, words=None, **told)
    shown = clinic.now_at(number)
    assert (shown.state, len(shown.messages)) == (State.NEW, 1)
