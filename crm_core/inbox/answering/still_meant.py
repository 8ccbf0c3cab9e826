"""A reason not to send that only the inbox knows: what an answer was written for has changed since.

It is asked at the time of sending of whatever a person wrote. A held answer goes though the
patient has written meanwhile; one that was set to go later does not
(docs/decisions/held-is-said-planned-is-not.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.gate import Asked
from crm_core.channels.model import Delivery, Direction, MessageKind, Reason
from crm_core.channels.tables import Message, Outbox
from crm_core.inbox.model import State, Verb
from crm_core.inbox.tables import Conversation, Step
from crm_core.patients.tables import ROOT, Patient
from crm_core.work.units import ReadUnit

_LEFT = (Delivery.SENT, Delivery.SENDING, Delivery.QUEUED, Delivery.UNKNOWN)


def still_meant(unit: ReadUnit, asked: Sequence[Asked]) -> list[Reason | None]:
    """Judge what is about to leave by what has happened since it was written; None for what no person wrote.

    One statement for all, and some more for each that a person planned or whose records were merged.
    """
    leaving = [each.candidate.message_id for each in asked if not each.candidate.automatic]
    rows = _written(unit, [message_id for message_id in leaving if message_id is not None])
    return [_judged(unit, rows.get(each.candidate.message_id)) for each in asked]


def _written(unit: ReadUnit, message_ids: Sequence[int]) -> dict[int | None, Any]:
    """What persons wrote of these messages, by message."""
    if not message_ids:
        return {}
    rows = unit.execute(
        select(
            Message.id, Message.author_id, Message.conversation_id, Message.recorded_at,
            Outbox.planned_at, Outbox.decided_at, Outbox.patient_id, Outbox.contact_point_id,
            Conversation.patient_id.label("now_with"), Conversation.state,
        )
        .join(Outbox, Outbox.message_id == Message.id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id.in_(message_ids), Message.author_id.is_not(None))
    )  # fmt: skip
    return {row.id: row for row in rows}


def _judged(unit: ReadUnit, row: Any) -> Reason | None:
    if row is None:
        return None
    why = _changed(unit, row)
    return Reason(check="still meant", passed=why is None, saw=why or "nothing has changed since it was written")


@needs(Permission.PATIENT_READ)
def one_patient(unit: ReadUnit, written_to: int | None, now_with: int | None) -> bool:
    """Whether two records are one patient's, as records are merged now; nobody is nobody's."""
    if written_to == now_with or written_to is None:
        return written_to == now_with
    return len(set(unit.scalars(select(ROOT).where(Patient.id.in_((written_to, now_with)))))) == 1


def _changed(unit: ReadUnit, row: Any) -> str | None:
    if not one_patient(unit, row.patient_id, row.now_with):
        return "the conversation is with another patient now"
    return None if row.planned_at is None else _changed_since_it_was_planned(unit, row)


def _changed_since_it_was_planned(unit: ReadUnit, row: Any) -> str | None:
    if _wrote_since(unit, row):
        return "the patient has written since"
    if _answered_by_another(unit, row):
        return "a colleague has answered since"
    if _escalated_since(unit, row):
        return "somebody else has been asked since"
    if row.state is State.CLOSED and _ended_by(unit, row.conversation_id) != row.author_id:
        return "someone else has closed the conversation since"
    return None


def _wrote_since(unit: ReadUnit, row: Any) -> bool:
    """In whatever conversation: a text joins the newest one of theirs, which need not be this."""
    theirs = or_(Message.conversation_id == row.conversation_id, Conversation.patient_id == row.patient_id)
    return _any(unit, row.decided_at, Message.direction == Direction.IN, theirs)


def _answered_by_another(unit: ReadUnit, row: Any) -> bool:
    """By a text that has not been taken back, or a call that reached."""
    by_another = Message.author_id.is_not(None) & (Message.author_id != row.author_id)
    reached = (Message.kind == MessageKind.CALL) & Message.reached
    said = or_(reached, Message.id.in_(select(Outbox.message_id).where(Outbox.state.in_(_LEFT))))
    return _any(unit, row.decided_at, Message.conversation_id == row.conversation_id, by_another, said)


def _escalated_since(unit: ReadUnit, row: Any) -> bool:
    """Whether a question was put to somebody since, who may say otherwise; one that was taken back was not put."""
    undone = select(Step.undoes_id).where(Step.conversation_id == row.conversation_id, Step.undoes_id.is_not(None))
    asked = select(Step.id).where(
        Step.conversation_id == row.conversation_id,
        Step.verb == Verb.ESCALATED,
        Step.at >= row.decided_at,
        Step.id.not_in(undone),
    )
    return unit.scalar(asked.limit(1)) is not None


def _any(unit: ReadUnit, since: datetime, *which: Any) -> bool:
    found = select(Message.id).outerjoin(Conversation, Conversation.id == Message.conversation_id)
    return unit.scalar(found.where(Message.recorded_at > since, *which).limit(1)) is not None


def _ended_by(unit: ReadUnit, conversation_id: int) -> int | None:
    actor: int | None = unit.scalar(
        select(Step.actor_id)
        .where(Step.conversation_id == conversation_id, Step.to_state == State.CLOSED, Step.from_state != State.CLOSED)
        .order_by(Step.at.desc(), Step.id.desc())
        .limit(1)
    )
    return actor
