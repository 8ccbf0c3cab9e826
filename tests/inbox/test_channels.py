"""Every channel comes into one inbox: known senders, unknown ones, and handles that are no number."""

from __future__ import annotations

import pytest

from crm_core.channels.model import Delivery, MessageKind
from crm_core.channels.outbox import NotSendable
from crm_core.inbox import handling
from crm_core.inbox.answering import answers
from crm_core.inbox.model import State
from crm_core.tasks.model import TaskKind
from crm_core.tasks.queries import tasks
from crm_core.words import Channel
from tests.channels.conftest import Line, line, provider
from tests.inbox.conftest import ANA, Clinic

__all__ = ["line", "provider"]

REFILL = "Could you refill my metformin please"
HANDLES = [
    "@maria_w",
    "visitor-48291377",
    "Zoë 🦋",
    "12",
    "",
    "[b]x[/b]",
    "'; DROP TABLE message;--",
    "\x1b]52;c;x\x07",
]


@pytest.mark.parametrize("channel", list(Channel))
def test_a_known_sender_is_known_on_every_channel_and_its_texts_are_one_thread(
    clinic: Clinic, channel: Channel
) -> None:
    address = "ana@example.org" if channel is Channel.EMAIL else ANA
    if channel is Channel.EMAIL:
        first = clinic.text(REFILL, address, channel=channel)
        clinic.do(clinic.agent, handling.link, first.conversation_id, clinic.patients["Ana"])
    else:
        first = clinic.text(REFILL, address, channel=channel)
        assert first.patient_id == clinic.patients["Ana"]
    second = clinic.text("Is it ready?", ANA)
    assert second.conversation_id == first.conversation_id
    shown = clinic.now_at(first.conversation_id)
    assert [message.channel for message in shown.messages] == [channel, Channel.SMS]
    assert shown.patient_id == clinic.patients["Ana"]


@pytest.mark.parametrize("channel", [each for each in Channel if each is not Channel.SMS])
def test_an_answer_goes_the_way_it_came_or_to_the_patients_own_number(clinic: Clinic, channel: Channel) -> None:
    sender = ANA if channel is not Channel.EMAIL else "ana@example.org"
    got = clinic.text(REFILL, sender, channel=channel)
    if channel is Channel.EMAIL:
        clinic.do(clinic.agent, handling.link, got.conversation_id, clinic.patients["Ana"])
    clinic.do(clinic.agent, answers.reply, clinic.crm.gate, got.conversation_id, "It is ready.")
    answer = clinic.now_at(got.conversation_id).messages[-1]
    assert answer.channel is (Channel.EMAIL if channel is Channel.EMAIL else Channel.SMS)
    assert answer.delivery is Delivery.QUEUED


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("sender", HANDLES)
def test_a_name_that_is_no_number_crashes_nothing_and_matches_nobody(
    clinic: Clinic, channel: Channel, sender: str
) -> None:
    got = clinic.text(REFILL, sender, channel=channel)
    assert got.patient_id is None
    shown = clinic.now_at(got.conversation_id)
    assert (shown.state, shown.messages[0].kind) == (State.NEW, MessageKind.TEXT)
    with pytest.raises(NotSendable):
        clinic.do(clinic.agent, answers.reply, clinic.crm.gate, got.conversation_id, "Hello")


def test_two_handles_are_two_threads_and_neither_is_ana(clinic: Clinic) -> None:
    numbers = {clinic.text(REFILL, name, channel=Channel.CHAT).conversation_id for name in ("ana", "Ana", "visitor 7")}
    assert len(numbers) == 3
    assert clinic.text(REFILL).conversation_id not in numbers


def test_an_answer_that_did_not_arrive_says_why_and_is_one_task_of_its_owner(line: Line) -> None:
    clinic = line.clinic
    number = clinic.text(REFILL).conversation_id
    line.provider.mood = "stern"
    clinic.do(clinic.agent, answers.reply, line.gate, number, "It is ready.")
    line.courier.run_once()
    message = clinic.now_at(number).messages[-1]
    assert message.delivery is Delivery.FAILED
    assert message.failure
    with clinic.crm.read(clinic.agent) as unit:
        page = tasks(unit)
    assert [(task.kind, task.conversation_id, task.owner_id) for task in page.items] == [
        (TaskKind.DELIVERY_FAILED, number, clinic.agent.staff_id)
    ]
