"""Sending later: an answer that is queued for a time to come, and may be changed or taken back until then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.gate import Gate
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import take_back
from crm_core.channels.tables import Message, Outbox
from crm_core.errors import CrmError, UsageError
from crm_core.inbox.answering.answers import EmptyText, queued
from crm_core.inbox.answering.drafts import keep_for
from crm_core.inbox.complaints import rests_on
from crm_core.inbox.handling import LONGEST_SNOOZE
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import Current, change, current, held_for_clinicians, next_action, still_open
from crm_core.library.tables import Template, TemplateVersion
from crm_core.store.feed import Topic
from crm_core.work.units import ReadUnit, WriteUnit

GOES_BY_ITSELF = "The answer goes by itself"


class AlreadyPlanned(CrmError):
    """An answer is set to go in C-{conversation_id} already; change its time or take it back first."""


class NothingPlanned(CrmError):
    """No answer is set to go later in C-{conversation_id}; it has left, or there never was one."""


class HoldsAGrievance(CrmError):
    """C-{conversation_id} was closed as a grievance with this reply, so it stays; reopen the grievance first."""


@needs(Permission.MESSAGE_SEND)
def send_later(
    unit: WriteUnit,
    gate: Gate,
    conversation_id: int,
    text: str,
    *,
    at: datetime,
    subject: str | None = None,
    template_version_id: int | None = None,
    seen_message_id: int | None = None,
    seen_patient_id: int | None = None,
) -> int:
    """Queue an answer to go at `at`, and wait until then; returns the message's id.

    Nobody has answered before it has left, so that no clock stops. Everything is asked again at
    its time (still_meant.py); what does not go then comes back to its author. Raises as `reply`.
    """
    if not text.strip():
        raise EmptyText
    conversation = current(unit, conversation_id)
    still_open(conversation, "answer")
    held_for_clinicians(unit, conversation, "answer later")
    _to_come(unit, at)
    if planned_in(unit, conversation_id):
        raise AlreadyPlanned(conversation_id=conversation_id)
    message_id = queued(
        unit,
        gate,
        conversation,
        text,
        subject=subject,
        template_version_id=template_version_id,
        planned_at=at,
        seen_message_id=seen_message_id,
        seen_patient_id=seen_patient_id,
    )
    values = _waiting_until(unit, conversation, at) | {"last_message_at": unit.now}
    change(unit, conversation, Verb.SCHEDULED, values, undoable=True, message_id=message_id)
    return message_id


@needs(Permission.MESSAGE_SEND)
def send_at_another_time(unit: WriteUnit, conversation_id: int, at: datetime) -> None:
    """Let what is set to go later go at `at` instead; whoever says so has seen what has come since it was written."""
    conversation = current(unit, conversation_id)
    still_open(conversation, "answer")
    held_for_clinicians(unit, conversation, "answer later")
    _to_come(unit, at)
    planned = planned_in(unit, conversation_id)
    moved = unit.execute(
        update(Outbox)
        .where(Outbox.message_id.in_(planned), Outbox.state == Delivery.QUEUED, Outbox.due_at > unit.now)
        .values(due_at=at, planned_at=at, decided_at=unit.now)
    )
    if moved.rowcount == 0:
        raise NothingPlanned(conversation_id=conversation_id)
    change(unit, conversation, Verb.SCHEDULED, _waiting_until(unit, conversation, at), reason="another_time")
    unit.changed(Topic.OUTBOX)


@needs(Permission.MESSAGE_SEND)
def send_no_more(unit: WriteUnit, conversation_id: int) -> None:
    """Take back what is set to go later: its text is its author's draft again, and the conversation open."""
    conversation = current(unit, conversation_id)
    planned = planned_in(unit, conversation_id)
    if any(rests_on(unit, each) for each in planned):
        raise HoldsAGrievance(conversation_id=conversation_id)
    taken = [each for each in planned if take_back(unit, each)]
    if not taken:
        raise NothingPlanned(conversation_id=conversation_id)
    for message_id in taken:
        keep_as_draft(unit, conversation_id, message_id)
    values: dict[str, Any] = {}
    if conversation.state is State.WAITING_OTHER:
        values |= next_action(unit, conversation_id, conversation.rules.first_action(conversation.row["category"]))
        values |= {"state": State.OPEN, "taken_at": None}
    change(unit, conversation, Verb.SCHEDULED, values, reason="taken_back")


@needs(Permission.CONVERSATION_READ)
def planned_in(unit: ReadUnit, conversation_id: int) -> list[int]:
    """The messages of a conversation that are set to go later and have not left, the first first."""
    return unit.scalars(
        select(Outbox.message_id)
        .join(Message, Message.id == Outbox.message_id)
        .where(
            Message.conversation_id == conversation_id,
            Outbox.state == Delivery.QUEUED,
            Outbox.planned_at.is_not(None),
        )
        .order_by(Outbox.due_at, Outbox.message_id)
    )


def settled_now(unit: ReadUnit, conversation_id: int, state: Delivery) -> Sequence[Any]:
    """What was set to go later and was settled so in this unit: message id, patient, author and when it was set."""
    return unit.execute(
        select(Outbox.message_id, Outbox.patient_id, Outbox.decided_at, Message.author_id)
        .join(Message, Message.id == Outbox.message_id)
        .where(
            Message.conversation_id == conversation_id,
            Outbox.planned_at.is_not(None),
            Outbox.state == state,
            Outbox.settled_at == unit.now,
        )
        .order_by(Outbox.message_id)
    ).all()


def keep_as_draft(unit: WriteUnit, conversation_id: int, message_id: int) -> None:
    """What did not go is its author's draft again, and still its template's, unless they have begun another."""
    row = unit.execute(
        select(Message.author_id, Message.body, Template.key.label("template"))
        .outerjoin(TemplateVersion, TemplateVersion.id == Message.template_version_id)
        .outerjoin(Template, Template.id == TemplateVersion.template_id)
        .where(Message.id == message_id)
    ).one()
    body = unit.open(row.body)
    if row.author_id is not None and body:
        keep_for(unit, conversation_id, row.author_id, body, template_key=row.template)


def _to_come(unit: ReadUnit, at: datetime) -> None:
    if at <= unit.now:
        raise UsageError(problem="That time has passed", remedy="choose a time to come, or send it now")
    if at - unit.now > LONGEST_SNOOZE:
        raise UsageError(problem="That is more than a year away", remedy="choose a nearer time")


def _waiting_until(unit: WriteUnit, conversation: Current, at: datetime) -> dict[str, Any]:
    return {
        **next_action(unit, conversation.id, GOES_BY_ITSELF),
        "state": State.WAITING_OTHER,
        "owner_id": conversation.owner_id or unit.actor.staff_id,
        "taken_at": None,
        "snoozed_until": None,
        "snooze_holds": False,
        "follow_up_at": at,
        "unscreened": False,
    }
