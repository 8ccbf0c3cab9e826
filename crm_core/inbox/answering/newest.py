"""What is newest in a conversation: whoever answers gives it back, so that nothing unread counts as answered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, or_, select

from crm_core.channels.tables import Message
from crm_core.inbox.model import Verb
from crm_core.inbox.tables import Conversation, Step
from crm_core.work.units import ReadUnit

_REARRANGED = (Verb.MERGED, Verb.SPLIT, Verb.RELINKED)
"""The verbs that bring messages in, take them away, or say that they are somebody else's."""


def _last_message(column: Any) -> Any:
    found: Select[Any] = select(column).where(Message.conversation_id == Conversation.id)
    newest = found.order_by(Message.recorded_at.desc(), Message.id.desc()).limit(1)
    return newest.correlate(Conversation).scalar_subquery()


def _last_rearranged(column: Any) -> Any:
    undone = and_(Step.verb == Verb.UNDONE, Step.reason.in_(_REARRANGED))
    found: Select[Any] = select(column).where(
        Step.conversation_id == Conversation.id, or_(Step.verb.in_(_REARRANGED), undone)
    )
    return found.order_by(Step.at.desc(), Step.id.desc()).limit(1).correlate(Conversation).scalar_subquery()


NEWEST = (
    _last_message(Message.id).label("last_message"),
    _last_message(Message.recorded_at).label("recorded_at"),
    _last_rearranged(Step.id).label("last_rearranged"),
    _last_rearranged(Step.at).label("rearranged_at"),
)
"""Columns beside a conversation's own, of which `newest_of` tells what is newest."""


def newest_in(unit: ReadUnit, conversation_id: int) -> int | None:
    """What is newest in a conversation, as `newest_of` says it."""
    return newest_of(unit.execute(select(*NEWEST).where(Conversation.id == conversation_id)).one())


def newest_of(row: Any) -> int | None:
    """The message that was recorded last; where the thread was rearranged since, that step, as minus its id.

    What a merge brings in was recorded earlier than what lies there already, so that a message
    alone would not tell. Ids are handed out in blocks: a later message of another process may
    have the lower one. None where nothing was ever in it.
    """
    message: int | None = row.last_message
    if row.last_rearranged is None or (message is not None and row.rearranged_at < row.recorded_at):
        return message
    return -int(row.last_rearranged)
