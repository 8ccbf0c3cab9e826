"""A conversation with whatever was merged into it."""

from __future__ import annotations

from sqlalchemy import select

from crm_core.inbox.tables import Conversation
from crm_core.work.units import ReadUnit


def merged_family(unit: ReadUnit, conversation_id: int) -> list[int]:
    """The conversation, and whatever was merged into it, by however many steps."""
    family, newest = [conversation_id], [conversation_id]
    while newest:
        newest = unit.scalars(select(Conversation.id).where(Conversation.merged_into_id.in_(newest)))
        family += newest
    return family
