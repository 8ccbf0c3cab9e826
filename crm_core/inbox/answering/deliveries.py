"""What a conversation does when its answer has left, or has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from crm_core.access.model import SYSTEM
from crm_core.channels.model import FOUND_SENT, Delivery
from crm_core.channels.person_changes import DIED
from crm_core.channels.tables import Message
from crm_core.dedup import delivery_task_key
from crm_core.inbox.answering.answers import spoke_last
from crm_core.inbox.answering.never_left import ask_again
from crm_core.inbox.answering.scheduling import keep_as_draft, settled_now
from crm_core.inbox.model import State, Turn, Verb
from crm_core.inbox.record import Current, change, current, next_action
from crm_core.inbox.rules import PHYSICIAN_LANE
from crm_core.inbox.tables import Step
from crm_core.inbox.timing.clocks import STANDS_STILL
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.work.units import ReadUnit, WriteUnit

_NEXT = {
    Delivery.FAILED: "The answer was not delivered: reach the patient another way",
    Delivery.SUPPRESSED: "The answer may not be sent: press w to see why, reach the patient another way",
    Delivery.UNKNOWN: "Nobody knows whether the answer arrived: ask the provider, or the patient",
}

_DIED = "The patient has died: nothing more is sent, and nobody else is written to; close it"


class InboxSendObserver:
    """An answer that did not leave comes back to its author, with a clock running again."""

    def settled(
        self,
        unit: WriteUnit,
        conversation_id: int | None,
        state: Delivery,
        failure: str | None,
        message_ids: Sequence[int] = (),
    ) -> None:
        """Open the conversation of a message that did not arrive, even a closed one; nothing for one that did.

        A clock that runs already, of a text or a danger that came meanwhile, is not put off, and one
        that an answer stopped which never left runs on from the patient's question. One that was
        opened because nobody knew waits for the patient again once a person has looked. A
        person's message that did not arrive, or may not have, leaves a task as well.
        """
        if conversation_id is None:
            return
        if state is Delivery.QUEUED or failure == FOUND_SENT:
            _wait_again(unit, current(unit, conversation_id))
            return
        conversation = current(unit, conversation_id)
        planned = settled_now(unit, conversation_id, state)
        if state is Delivery.SENT and planned:
            _answered_at_its_time(unit, conversation, planned[-1])
        if state not in _NEXT:
            return
        if planned and state is not Delivery.UNKNOWN:
            _text_is_a_draft(unit, conversation, planned[-1])
        if planned and state is Delivery.SUPPRESSED and _is_with_others(unit, conversation, planned[-1]):
            return
        values: dict[str, Any] = {}
        if not conversation.danger:
            action = _DIED if failure == DIED else _NEXT[state]
            values = next_action(unit, conversation_id, action) | open_again(conversation, unit.now)
            values |= _back_to_its_author(unit, conversation, planned[-1], state, failure) if planned else {}
        verb = Verb.REOPENED if conversation.state is State.CLOSED else Verb.WOKEN
        never_left = () if planned or state is not Delivery.SUPPRESSED else message_ids
        ask_again(unit, conversation, verb, values, never_left, reason=failure)
        told = NewTask(
            kind=TaskKind.DELIVERY_FAILED,
            title=_NEXT[state],
            details=failure,
            patient_id=conversation.row["patient_id"],
            conversation_id=conversation_id,
        )
        owner_id = values.get("owner_id", conversation.owner_id)
        _leave_tasks(unit, conversation, message_ids, owner_id=owner_id, told=told)


def _is_with_others(unit: ReadUnit, conversation: Current, planned: Any) -> bool:
    """Whether what was set for later is needed no more: a physician is asked, or the patient has had an answer.

    What a colleague merely closed is not answered, and opens again.
    """
    if conversation.lane == PHYSICIAN_LANE:
        return True
    if conversation.state not in STANDS_STILL:
        return False
    ended = and_(Step.to_state == State.CLOSED, Step.from_state != State.CLOSED, Step.actor_id == planned.author_id)
    answered = and_(Step.turn == Turn.ANSWERED, Step.actor_id != SYSTEM.staff_id)
    since = select(Step.id).where(Step.conversation_id == conversation.id, Step.at >= planned.decided_at)
    return unit.scalar(since.where(or_(ended, answered)).limit(1)) is not None


def _text_is_a_draft(unit: WriteUnit, conversation: Current, planned: Any) -> None:
    """What did not go is its author's draft, unless it was for another patient."""
    if planned.patient_id == conversation.row["patient_id"]:
        keep_as_draft(unit, conversation.id, planned.message_id)


def _leave_tasks(
    unit: WriteUnit, conversation: Current, message_ids: Sequence[int], *, owner_id: int | None, told: NewTask
) -> None:
    """What a person wrote and did not arrive is a task: the owner's, its author's where it has none; once a message."""
    authors = unit.execute(
        select(Message.id, Message.author_id).where(Message.id.in_(message_ids), Message.author_id.is_not(None))
    ).all()
    for message in authors:
        owner = owner_id or message.author_id
        add_task(unit, replace(told, owner_id=owner, lane=conversation.lane, dedup_key=delivery_task_key(message.id)))


def _wait_again(unit: WriteUnit, conversation: Current) -> None:
    """Back to waiting, where the doubt was the last thing that happened to it."""
    last = unit.scalar(
        select(Step.verb).where(Step.conversation_id == conversation.id).order_by(Step.id.desc()).limit(1)
    )
    if conversation.state is State.OPEN and not conversation.danger and last in (Verb.WOKEN, Verb.REOPENED):
        change(unit, conversation, Verb.REPLIED, spoke_last(unit, conversation), turn=Turn.ANSWERED, reason="found out")


def _answered_at_its_time(unit: WriteUnit, conversation: Current, answer: Any) -> None:
    """What was set to go later has left: now the patient is answered. Where its author closed it, it stays closed."""
    if conversation.state is State.CLOSED:
        return
    values = {**spoke_last(unit, conversation), "owner_id": conversation.owner_id or answer.author_id}
    if conversation.danger:
        del values["owner_id"]
    number: int = answer.message_id
    change(unit, conversation, Verb.REPLIED, values, turn=Turn.ANSWERED, reason="at_its_time", message_id=number)


def _back_to_its_author(
    unit: WriteUnit, conversation: Current, message: Any, state: Delivery, failure: str | None
) -> dict[str, Any]:
    """What was set to go later did not: its author has it again, unless somebody has it in hand meanwhile."""
    values: dict[str, Any] = {}
    if state is Delivery.SUPPRESSED:
        values = next_action(unit, conversation.id, f"The answer set for later did not go: {failure}")
    in_hands = conversation.state is State.OPEN and conversation.row["taken_at"] is not None
    return values if in_hands else values | {"owner_id": message.author_id}


def open_again(conversation: Current, now: datetime) -> dict[str, Any]:
    """The columns of a conversation that waits for us again, from now where no clock runs."""
    in_hands = conversation.state is State.OPEN
    values: dict[str, Any] = {
        "state": State.OPEN,
        "taken_at": conversation.row["taken_at"] if in_hands else None,
        "snoozed_until": None,
        "snooze_holds": False,
        "follow_up_at": None,
        "outcome": None,
        "closed_at": None,
    }
    return values if conversation.row["due_at"] is not None else values | {"waiting_since": now}
