"""What the console and the command line read of the inbox: lane counts, a queue by pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, tuple_

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.errors import NotFound
from crm_core.inbox.model import END_OF_TIME, LaneCount, QueueItem, State
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.sharing.escalation import is_raised_by
from crm_core.inbox.tables import STILL_OPEN, Conversation
from crm_core.patients.briefs import full_name
from crm_core.patients.tables import Patient
from crm_core.work.units import ReadUnit

WORKING_ORDER = (Conversation.urgency, Conversation.due_order, Conversation.waiting_since, Conversation.id)


@dataclass(frozen=True, kw_only=True)
class QueuePage:
    """A page of a lane's open conversations in working order, and how many there are in all."""

    items: tuple[QueueItem, ...]
    total: int


@needs(Permission.LANE_READ)
def lanes(unit: ReadUnit) -> list[LaneCount]:
    """Every lane I may see with its figures, in the playbook's order; one statement, over an index alone."""
    rules = inbox_rules(unit)
    visible = rules.visible(unit.actor)
    rows = unit.execute(
        select(
            Conversation.lane,
            func.count().label("open"),
            func.count(case((Conversation.owner_id.is_(None), 1))).label("unowned"),
            func.count(case((Conversation.due_order < unit.now, 1))).label("overdue"),
            func.min(Conversation.due_order).label("next_due"),
        )
        .where(STILL_OPEN, Conversation.lane.in_(sorted(visible)))
        .group_by(Conversation.lane)
    )
    found = {row.lane: row for row in rows}
    return [
        LaneCount(
            lane=key,
            title=lane.title,
            open=found[key].open if key in found else 0,
            unowned=found[key].unowned if key in found else 0,
            overdue=found[key].overdue if key in found else 0,
            next_due=found[key].next_due if key in found and found[key].next_due < END_OF_TIME else None,
        )
        for key, lane in rules.lanes.lane.items()
        if key in visible
    ]


@needs(Permission.CONVERSATION_READ)
def queue(unit: ReadUnit, lane: str, *, limit: int = 200, after: QueueItem | None = None, offset: int = 0) -> QueuePage:
    """A page of one lane in working order; `after` (the last item shown) is the quick way on, `offset` a jump.

    What waits on someone or is snoozed comes with its urgency like the rest, so that a lane
    shows all that it holds. Names are opened as one listing.
    """
    rules = inbox_rules(unit)
    if lane not in rules.visible(unit.actor):
        raise NotFound(kind="lane", id=lane)
    inside = (STILL_OPEN, Conversation.lane == lane)
    total = unit.scalar(select(func.count()).select_from(Conversation).where(*inside))
    statement = lines().where(*inside).order_by(*WORKING_ORDER).limit(limit)
    if after is not None:
        statement = statement.where(behind(after))
    elif offset:
        statement = statement.offset(offset)
    with unit.listing("queue", "lane"):
        items = opened(unit, unit.execute(statement).all())
    return QueuePage(items=items, total=int(total))


@needs(Permission.CONVERSATION_READ)
def of_patient(unit: ReadUnit, patient_id: int, *, limit: int = 5) -> list[tuple[int, str, State, datetime, bool]]:
    """A patient's newest conversations: id, lane, state, when, and whether I may open it."""
    visible = inbox_rules(unit).visible(unit.actor)
    rows = unit.execute(
        select(Conversation.id, Conversation.lane, Conversation.state, Conversation.last_message_at)
        .where(Conversation.patient_id == patient_id)
        .order_by(Conversation.last_message_at.desc())
        .limit(limit)
    )
    return [(row.id, row.lane, row.state, row.last_message_at, row.lane in visible) for row in rows]


def behind(item: QueueItem) -> ColumnElement[bool]:
    """What comes after that item in the working order."""
    place = (item.urgency, item.due_at or END_OF_TIME, item.waiting_since, item.conversation_id)
    return tuple_(*WORKING_ORDER) > tuple_(*place)


def lines() -> Select[Any]:
    """The columns of queue lines, to be narrowed, ordered, and then `opened`."""
    columns: tuple[Any, ...] = (
        Conversation.id, Conversation.patient_id, Patient.family, Patient.given, Conversation.category,
        Conversation.channel, Conversation.priority, Conversation.urgency, Conversation.lane, Conversation.state,
        Conversation.owner_id, Staff.name.label("owner"), Conversation.danger, Conversation.unscreened,
        Conversation.due_at, Conversation.waiting_since, Conversation.escalated_by, Conversation.accepted_at,
    )  # fmt: skip
    return (
        select(*columns)
        .outerjoin(Patient, Patient.id == Conversation.patient_id)
        .outerjoin(Staff, Staff.id == Conversation.owner_id)
    )


@needs(Permission.CONVERSATION_READ)
def opened(unit: ReadUnit, rows: Sequence[Any]) -> tuple[QueueItem, ...]:
    """Queue lines with the patients' names opened."""
    return tuple(
        QueueItem(
            conversation_id=row.id,
            patient_id=row.patient_id,
            patient_name=full_name(unit.open(row.family), unit.open(row.given)) if row.patient_id is not None else None,
            category=row.category,
            channel=row.channel,
            priority=row.priority,
            urgency=row.urgency,
            lane=row.lane,
            state=row.state,
            owner_id=row.owner_id,
            owner=row.owner,
            danger=row.danger,
            unscreened=row.unscreened,
            due_at=row.due_at,
            waiting_since=row.waiting_since,
            escalated_by_me=is_raised_by(unit.actor.staff_id, row),
        )
        for row in rows
    )
