"""What is newest in a conversation: whoever answers gives it back, so that nothing unread counts as answered."""

from __future__ import annotations

from sqlalchemy import and_, or_, select

from crm_core.channels.tables import Message
from crm_core.inbox.model import Verb
from crm_core.inbox.tables import Step
from crm_core.work.units import ReadUnit

_REARRANGED = (Verb.MERGED, Verb.SPLIT, Verb.RELINKED)
"""The verbs that bring messages in, take them away, or say that they are somebody else's."""


def newest_in(unit: ReadUnit, conversation_id: int) -> int | None:
    """The message that was recorded last; where the thread was rearranged since, that step, as minus its id.

    What a merge brings in was recorded earlier than what lies there already, so that a message
    alone would not tell. Ids are handed out in blocks: a later message of another process may
    have the lower one. None where nothing was ever in it.
    """
    message = unit.execute(
        select(Message.id, Message.recorded_at)
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.recorded_at.desc(), Message.id.desc())
        .limit(1)
    ).one_or_none()
    undone = and_(Step.verb == Verb.UNDONE, Step.reason.in_(_REARRANGED))
    step = unit.execute(
        select(Step.id, Step.at)
        .where(Step.conversation_id == conversation_id, or_(Step.verb.in_(_REARRANGED), undone))
        .order_by(Step.at.desc(), Step.id.desc())
        .limit(1)
    ).one_or_none()
    if step is None or (message is not None and step.at < message.recorded_at):
        return None if message is None else int(message.id)
    return -int(step.id)
