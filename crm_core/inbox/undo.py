"""Taking back the last thing I did, while nothing has happened since."""

from __future__ import annotations

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.outbox import take_back
from crm_core.errors import CrmError
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import change, current, restored
from crm_core.inbox.rules import urgency_at
from crm_core.inbox.tables import Undo
from crm_core.work.units import WriteUnit


class NothingToUndo(CrmError):
    """There is nothing of yours to undo here."""


class TooLate(CrmError):
    """C-{conversation_id} cannot be put back: {why}."""


@needs(Permission.CONVERSATION_WORK)
def undo_last(unit: WriteUnit, conversation_id: int | None = None) -> tuple[int, Verb]:
    """Put back my last undoable verb (in one conversation, or anywhere); returns what was undone.

    Raises TooLate where the conversation has changed since, or the message has left.
    """
    mine = select(Undo).where(Undo.staff_id == unit.actor.staff_id, Undo.undone_at.is_(None))
    if conversation_id is not None:
        mine = mine.where(Undo.conversation_id == conversation_id)
    row = unit.execute(mine.with_only_columns(*Undo.__table__.c).order_by(Undo.id.desc()).limit(1)).mappings().first()
    if row is None:
        raise NothingToUndo
    conversation = current(unit, row["conversation_id"])
    if conversation.row["version"] != row["version_after"]:
        raise TooLate(conversation_id=conversation.id, why="something else happened since")
    if row["message_id"] is not None and not take_back(unit, row["message_id"]):
        raise TooLate(conversation_id=conversation.id, why="the message has left")
    values = restored(row["before"])
    late_at = values["late_at"]
    if values["state"] is not State.CLOSED and late_at is not None:
        values["urgency"] = urgency_at(values["priority"], late_at, unit.now, danger=conversation.danger)
    change(unit, conversation, Verb.UNDONE, values, reason=row["verb"])
    unit.execute(update(Undo).where(Undo.id == row["id"]).values(undone_at=unit.now))
    return conversation.id, Verb(row["verb"])
