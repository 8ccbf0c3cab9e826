"""What else is open of the same person, or says the same: what one of two people would answer twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.model import Direction
from crm_core.channels.tables import Message
from crm_core.inbox.model import State
from crm_core.inbox.record import current
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import STILL_OPEN, Conversation
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

SAME_TEXT_WITHIN = timedelta(hours=1)
"""Within it the same text by two channels is taken for one person's."""
MOST = 20
"""More open conversations of one person are no list to read."""


@dataclass(frozen=True, kw_only=True)
class AlsoOpen:
    """Another open conversation. `same_person` may be merged; what only says the `same_text` is linked first."""

    conversation_id: int
    lane: str
    lane_title: str
    category: str
    channel: Channel
    state: State
    same_person: bool
    same_text: bool


@needs(Permission.CONVERSATION_READ)
def duplicates(unit: ReadUnit, conversation_id: int) -> list[AlsoOpen]:
    """The open conversations of lanes I may see that are of the same patient or unlinked number, or say the same.

    Newest first; nothing is opened.
    """
    row = current(unit, conversation_id, lock=False).row
    theirs = {each.id: each for each in _open(unit, conversation_id, _whose(row))} if _is_known(row) else {}
    twins = set(_saying_the_same(unit, conversation_id))
    others = {each.id: each for each in _open(unit, conversation_id, Conversation.id.in_(twins - set(theirs)))}
    return [
        AlsoOpen(
            conversation_id=each.id,
            lane=each.lane,
            lane_title=inbox_rules(unit).lane(each.lane).title,
            category=each.category,
            channel=each.channel,
            state=each.state,
            same_person=each.id in theirs,
            same_text=each.id in twins,
        )
        for each in (*theirs.values(), *others.values())
    ]


def _is_known(row: Mapping[str, Any]) -> bool:
    return row["patient_id"] is not None or row["contact_point_id"] is not None


def _whose(row: Mapping[str, Any]) -> ColumnElement[bool]:
    """Of the same patient, under whatever record of theirs; of nobody yet, from the same number."""
    if row["patient_id"] is None:
        point: int = row["contact_point_id"]
        return Conversation.patient_id.is_(None) & (Conversation.contact_point_id == point)
    known = select(ROOT).where(PATIENT.c.id == row["patient_id"]).scalar_subquery()
    return Conversation.patient_id.in_(select(PATIENT.c.id).where(known == ROOT))


def _open(unit: ReadUnit, but: int, which: ColumnElement[bool]) -> list[Any]:
    lanes = sorted(inbox_rules(unit).visible(unit.actor) & set(inbox_rules(unit).lanes.lane))
    columns = (
        Conversation.id, Conversation.lane, Conversation.category, Conversation.channel, Conversation.state,
    )  # fmt: skip
    statement = select(*columns).where(STILL_OPEN, Conversation.id != but, Conversation.lane.in_(lanes), which)
    newest = statement.order_by(Conversation.last_message_at.desc(), Conversation.id.desc()).limit(MOST)
    return list(unit.execute(newest).all())


def _saying_the_same(unit: ReadUnit, conversation_id: int) -> list[int]:
    """Where the same words came in by another channel within an hour."""
    said = (Message.conversation_id, Message.text_token, Message.channel, Message.recorded_at)
    heard = (Message.direction == Direction.IN) & Message.text_token.is_not(None)
    mine = unit.execute(select(*said).where(heard, Message.conversation_id == conversation_id)).all()
    if not mine:
        return []
    tokens = {each.text_token for each in mine}
    others = unit.execute(
        select(*said).where(
            heard, Message.text_token.in_(tokens), Message.conversation_id.is_not(None),
            Message.conversation_id != conversation_id,
        )
    ).all()  # fmt: skip
    return [
        other.conversation_id
        for other in others
        if any(
            other.text_token == one.text_token
            and other.channel != one.channel
            and abs(other.recorded_at - one.recorded_at) <= SAME_TEXT_WITHIN
            for one in mine
        )
    ]
