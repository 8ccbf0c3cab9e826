"""Taking back the last thing I did, while nothing has happened since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.outbox import take_back
from crm_core.channels.tables import Message
from crm_core.errors import CrmError
from crm_core.inbox.drafts import my_draft, save_draft
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import change, current, restored
from crm_core.inbox.tables import Undo
from crm_core.patients.service import unlink_contact
from crm_core.work.units import WriteUnit

_UNANSWERED = (
    "state", "owner_id", "taken_at", "due_at", "due_order", "late_at", "urgency", "waiting_since", "first_response_at",
    "follow_up_at", "snoozed_until", "next_action_sealed",
)  # fmt: skip
"""What an answer set and its taking back puts back, where other things have happened since."""
_OWED_AGAIN = ("waiting_since", "first_response_at")
"""Of that, what it puts back where the patient has written meanwhile."""


class NothingToUndo(CrmError):
    """There is nothing of yours to undo here."""


class TooLate(CrmError):
    """C-{conversation_id} cannot be put back: {why}."""


@needs(Permission.CONVERSATION_WORK)
def undo_last(unit: WriteUnit, conversation_id: int | None = None) -> tuple[int, Verb]:
    """Put back my last undoable verb (in one conversation, or anywhere); returns what was undone.

    A text that is still held comes back as my draft, whatever has happened since. Raises
    TooLate where the conversation has changed since, or the message has left.
    """
    mine = select(Undo).where(Undo.staff_id == unit.actor.staff_id, Undo.undone_at.is_(None))
    if conversation_id is not None:
        mine = mine.where(Undo.conversation_id == conversation_id)
    row = (
        unit.execute(mine.with_only_columns(*Undo.__table__.c).order_by(Undo.at.desc(), Undo.id.desc()).limit(1))
        .mappings()
        .first()
    )
    if row is None:
        raise NothingToUndo
    return put_back(unit, dict(row))


@needs(Permission.CONVERSATION_WORK)
def put_back(unit: WriteUnit, row: Mapping[str, Any]) -> tuple[int, Verb]:
    """Put back what one stored row of `undo` says; returns what was undone. Raises TooLate before any change."""
    conversation = current(unit, row["conversation_id"])
    unchanged = conversation.row["version"] == row["version_after"]
    if row["message_id"] is not None:
        if not take_back(unit, row["message_id"]):
            raise TooLate(conversation_id=conversation.id, why="the message has left")
        _leave_draft(unit, conversation.id, row["message_id"])
    elif not unchanged:
        raise TooLate(conversation_id=conversation.id, why="something else happened since")
    values, linked_contact = restored(row["before"])
    if linked_contact is not None and conversation.row["patient_id"] is not None:
        unlink_contact(unit, conversation.row["patient_id"], linked_contact)
    if not unchanged:
        answered = _UNANSWERED if conversation.state is State.WAITING_PATIENT else _OWED_AGAIN
        values = {name: values[name] for name in answered}
    change(unit, conversation, Verb.UNDONE, values, undoes=row["step_id"], reason=row["verb"])
    unit.execute(update(Undo).where(Undo.id == row["id"]).values(undone_at=unit.now))
    if unchanged:
        _open_the_way_further_back(unit, conversation.id, row["version_after"])
    return conversation.id, Verb(row["verb"])


def _leave_draft(unit: WriteUnit, conversation_id: int, message_id: int) -> None:
    """What was taken back is my draft again, unless I have begun another."""
    if my_draft(unit, conversation_id) is not None:
        return
    body = unit.open(unit.scalar(select(Message.body).where(Message.id == message_id)))
    save_draft(unit, conversation_id, body or "")


def _open_the_way_further_back(unit: WriteUnit, conversation_id: int, version: int) -> None:
    """The conversation is again as it was before this version: what was done just before may be undone next.

    Undoing made two steps of one, so every earlier way back moves by as much and keeps its
    distance; where someone else's change lies between, it still does.
    """
    earlier = update(Undo).where(Undo.conversation_id == conversation_id, Undo.version_after < version)
    unit.execute(earlier.values(version_after=Undo.version_after + 2))
