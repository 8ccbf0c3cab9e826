"""The undo journal: what I did, what of it can still be taken back, and taking back any of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.model import Delivery
from crm_core.channels.tables import Outbox
from crm_core.errors import CrmError, NotFound, Stale
from crm_core.inbox.model import Verb
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import Conversation, Undo
from crm_core.inbox.undo import NothingToUndo, TooLate, done_in, put_back
from crm_core.work.units import ReadUnit, WriteUnit

MOST_ACTS = 50
LOOKS_BACK = timedelta(days=30)
"""What is older has been worked on since, or is past taking back for other reasons."""


class NotThatOne(CrmError):
    """That cannot be taken back any more; `crm undo --list` and the journal show what can."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing that I did: one verb, to one conversation or to several at once.

    `number` names it; `possible` says how many of its `count` can still be taken back, `why_not`
    why none can. `held_until` is when a text that is held will leave.
    """

    number: int
    at: datetime
    verb: Verb
    conversation_id: int
    count: int
    possible: int
    why_not: str | None
    held_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """What was put back, and what was left as it is, each with its reason."""

    verb: Verb
    done: tuple[int, ...]
    left: tuple[tuple[int, str], ...] = ()


_act = func.coalesce(Undo.batch_id, Undo.id)
"""What was done to several at once is one act."""


@needs(Permission.CONVERSATION_WORK)
def journal(unit: ReadUnit) -> list[Act]:
    """My last 50 acts of the last 30 days that had a way back, newest first; one statement."""
    lanes = sorted(inbox_rules(unit).visible(unit.actor))
    held = and_(Outbox.state == Delivery.QUEUED, Outbox.due_at > unit.now)
    unchanged = or_(
        and_(Undo.message_id.is_(None), Conversation.version == Undo.version_after), and_(Undo.message_id > 0, held)
    )
    seen = Conversation.lane.in_(lanes)
    rows = unit.execute(
        select(
            func.max(_act).label("number"),
            func.max(Undo.at).label("at"),
            func.max(Undo.verb).label("verb"),
            func.min(Undo.conversation_id).label("conversation_id"),
            func.count().label("many"),
            func.count(Undo.undone_at).label("undone"),
            func.count(case((seen, 1))).label("seen"),
            func.count(case((and_(Undo.undone_at.is_(None), unchanged), 1))).label("possible"),
            func.max(Undo.message_id).label("message_id"),
            func.max(case((held, Outbox.due_at))).label("held_until"),
        )
        .join(Conversation, Conversation.id == Undo.conversation_id)
        .outerjoin(Outbox, Outbox.message_id == Undo.message_id)
        .where(Undo.staff_id == unit.actor.staff_id, Undo.at > unit.now - LOOKS_BACK)
        .group_by(_act)
        .order_by(func.max(Undo.at).desc(), func.max(Undo.id).desc())
        .limit(MOST_ACTS)
    )
    return [
        Act(
            number=row.number,
            at=row.at,
            verb=Verb(row.verb),
            conversation_id=row.conversation_id,
            count=row.many,
            possible=row.possible,
            why_not=None if row.possible else _why_not(row),
            held_until=row.held_until if row.possible else None,
        )
        for row in rows
    ]


@needs(Permission.CONVERSATION_WORK)
def rows_of_last(unit: ReadUnit, conversation_id: int | None = None) -> list[int]:
    """The stored rows of my last act that is not undone; NothingToUndo.

    In one conversation it is what was done there alone, though it was done to others at once.
    """
    mine = [Undo.staff_id == unit.actor.staff_id, Undo.undone_at.is_(None)]
    if conversation_id is not None:
        mine.append(done_in(unit, conversation_id))
    newest = select(Undo.id, _act.label("act")).where(*mine).order_by(Undo.at.desc(), Undo.id.desc()).limit(1)
    row = unit.execute(newest).first()
    if row is None:
        raise NothingToUndo
    return rows_of(unit, row.act) if conversation_id is None else [row.id]


@needs(Permission.CONVERSATION_WORK)
def rows_of(unit: ReadUnit, number: int) -> list[int]:
    """The stored rows of one act of mine that are not undone, by conversation; NotThatOne where there are none."""
    found = unit.scalars(
        select(Undo.id)
        .where(
            or_(Undo.batch_id == number, and_(Undo.id == number, Undo.batch_id.is_(None))),
            Undo.staff_id == unit.actor.staff_id,
            Undo.undone_at.is_(None),
        )
        .order_by(Undo.conversation_id, Undo.id)
    )
    if not found:
        raise NotThatOne
    return found


@needs(Permission.CONVERSATION_WORK)
def take_back(unit: WriteUnit, rows: Sequence[int], *, alone: bool = False) -> TakenBack:
    """Put back what these rows of mine say; those that have changed since are left and named.

    One that stands `alone` raises its reason instead: TooLate.
    """
    stored: list[dict[str, Any]] = [
        dict(row)
        for row in unit.execute(
            select(*Undo.__table__.c)
            .where(Undo.id.in_(rows), Undo.staff_id == unit.actor.staff_id, Undo.undone_at.is_(None))
            .order_by(Undo.conversation_id, Undo.id)
        ).mappings()
    ]
    if not stored:
        raise NotThatOne
    verb = Verb(stored[0]["verb"])
    done, left = [], []
    for row in stored:
        try:
            put_back_in, verb = put_back(unit, row)
        except (TooLate, NotFound, Stale) as error:
            if alone:
                raise
            left.append((row["conversation_id"], error.facts.get("why", "it is not yours to see now")))
        else:
            done.append(put_back_in)
    return TakenBack(verb=verb, done=tuple(done), left=tuple(left))


def _why_not(row: Any) -> str:
    if row.undone == row.many:
        return "taken back already"
    if row.message_id is not None:
        return "the message has left"
    if not row.seen:
        return "it is in a lane that you do not see"
    return "something else happened since"
