"""What was said with a conversation's patient apart from it: reminders, replies and our answers, calls of the list.

They lie in no conversation, so that none is opened for them. Who answers "which day?" has to see
what the house asked before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, or_, select

from crm_core.channels.calling.tables import CallTry
from crm_core.channels.model import Delivery, Direction, MessageKind
from crm_core.channels.prompts.tables import Prompt
from crm_core.channels.tables import Message, Outbox
from crm_core.patients.roots import records_of

SINCE = timedelta(days=14)
"""How long before a conversation's first message what went is shown with it."""

_OUTBOX, _PROMPT, _TRY = (cast("Table", each.__table__) for each in (Outbox, Prompt, CallTry))
_DID_NOT_GO = (Delivery.SUPPRESSED, Delivery.EXPIRED, Delivery.TAKEN_BACK)


def said_apart(row: Mapping[str, Any], first_at: datetime, until: datetime) -> ColumnElement[bool]:
    """The condition, on `Message` joined to its `Outbox`, of what belongs beside the conversation of this row.

    By its number alone, from SINCE before `first_at` until it was closed or `until`, and never what
    was said with another patient who shares the number. What answered a word of the number's own
    (STOP, HELP) is about nobody in particular and belongs to all who use it.
    """
    records = records_of(row["patient_id"] or 0)
    answered = select(_PROMPT.c.answered_by).where(
        _PROMPT.c.patient_id.in_(records), _PROMPT.c.answered_by.is_not(None)
    )
    called = select(_TRY.c.message_id).where(_TRY.c.patient_id.in_(records))
    ours = and_(
        Message.direction == Direction.OUT,
        Message.kind == MessageKind.AUTOMATIC,
        or_(_OUTBOX.c.patient_id.in_(records), _OUTBOX.c.patient_id.is_(None)),
        _OUTBOX.c.state.not_in(_DID_NOT_GO),
    )
    return and_(
        Message.conversation_id.is_(None),
        Message.contact_point_id == row["contact_point_id"],
        Message.at.between(first_at - SINCE, row["closed_at"] or until),
        or_(ours, and_(Message.direction == Direction.IN, Message.id.in_(answered)), Message.id.in_(called)),
    )
