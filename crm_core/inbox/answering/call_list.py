"""Working on the call list: logging a call that was made for an item, in the patient's open conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.calling.model import Tried
from crm_core.channels.calling.service import Waiting, still_allowed, tried, waiting_call
from crm_core.channels.gate import Gate
from crm_core.channels.model import Direction, MessageKind, Screened
from crm_core.channels.tables import Message
from crm_core.inbox.answering.calls import check_call, log_call
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import STILL_OPEN, Conversation
from crm_core.patients.tables import PATIENT
from crm_core.vault.fields import Field
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit


@needs(Permission.CONVERSATION_WORK)
def log_listed_call(
    unit: WriteUnit,
    gate: Gate,
    task_id: int,
    *,
    outcome: str,
    words: str | None = None,
    reason: str | None = None,
    next_call_at: datetime | None = None,
) -> Tried:
    """Log a call of the call list with its coded outcome, and say what became of the item.

    The gate is asked first: where the patient may no longer be called, the item is cancelled with
    the reason and nothing is logged. A call that reached ends the item and answers the patient's
    open conversation, if I see one.
    """
    reached = check_call(unit, outcome=outcome, reason=reason, next_call_at=next_call_at)
    call = waiting_call(unit, task_id)
    refused = still_allowed(unit, gate, call)
    if refused is not None:
        return refused
    conversation_id = _open_conversation(unit, call.patient_id)
    if conversation_id is None:
        message_id = _alone(unit, call, words, outcome=outcome, reason=reason, reached=reached, next_at=next_call_at)
    else:
        message_id = log_call(
            unit, conversation_id, outcome=outcome, words=words, reason=reason, next_call_at=next_call_at
        )
    return tried(unit, call, message_id=message_id, outcome=outcome, reached=reached, words=words, next_at=next_call_at)


def _open_conversation(unit: ReadUnit, patient_id: int) -> int | None:
    """The patient's newest open conversation in a lane that I see."""
    lanes = sorted(inbox_rules(unit).visible(unit.actor))
    records = select(PATIENT.c.id).where((PATIENT.c.id == patient_id) | (PATIENT.c.merged_into_id == patient_id))
    newest: int | None = unit.scalar(
        select(Conversation.id)
        .where(Conversation.patient_id.in_(records), STILL_OPEN, Conversation.lane.in_(lanes))
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
        .limit(1)
    )
    return newest


def _alone(
    unit: WriteUnit,
    call: Waiting,
    words: str | None,
    *,
    outcome: str,
    reason: str | None,
    reached: bool,
    next_at: datetime | None,
) -> int:
    """The call as a message that lies in no conversation."""
    message_id = unit.new_id("message")
    row: dict[str, Any] = {
        "id": message_id,
        "direction": Direction.OUT,
        "kind": MessageKind.CALL,
        "channel": Channel.VOICE,
        "at": unit.now,
        "recorded_at": unit.now,
        "contact_point_id": call.contact_point_id,
        "author_id": unit.actor.staff_id,
        "screened": Screened.NOT_NEEDED,
        "call_outcome": outcome,
        "call_reason": reason,
        "next_call_at": next_at,
        "reached": reached,
        "body_sealed": unit.seal(Field.MESSAGE_BODY, message_id, words or ""),
    }
    unit.execute(insert(Message), [row])
    return message_id
