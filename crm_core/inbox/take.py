"""The work loop: the most urgent item that I may see and take, under one claim."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import NotFound
from crm_core.inbox.model import DANGER_URGENCY, State, Verb
from crm_core.inbox.record import change, current, still_open
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import GROWING_LATE, SNOOZED, TAKEABLE, WAITING, Conversation
from crm_core.store.feed import Topic
from crm_core.work.units import ReadUnit, WriteUnit


@needs(Permission.LANE_READ)
def time_has_come(unit: ReadUnit) -> bool:
    """Whether `settle_time` would change something: two look-ups in small partial indexes."""
    conditions = (*_back(unit), _grown_late(unit))
    return any(unit.scalar(select(Conversation.id).where(due).limit(1)) is not None for due in conditions)


@needs(Permission.LANE_READ)
def settle_time(unit: WriteUnit) -> int:
    """Do what passing time alone does; returns how many conversations it touched.

    What was snoozed, or waited on someone, until now comes back; what is overdue by a full
    target rises one step (domain.md, Take-next order).
    """
    table = Conversation.__table__
    woken: list[int] = []
    for due in _back(unit):
        back = update(table).where(due)  # type: ignore[arg-type]
        values = {"state": State.OPEN, "taken_at": None, "snoozed_until": None, "follow_up_at": None}
        woken += unit.execute(back.values(**values, version=table.c.version + 1).returning(table.c.id)).scalars()
    late = unit.execute(
        update(table).where(_grown_late(unit)).values(urgency=table.c.urgency - 1, late_at=None)  # type: ignore[arg-type]
    ).rowcount
    if woken:
        unit.audit(Tag.CONVERSATION_WOKEN, *sorted(woken))
    if woken or late:
        unit.changed(Topic.INBOX)
    return len(woken) + late


def _back(unit: ReadUnit) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What comes back now: snoozes that ended, and follow-ups that are due."""
    table = Conversation.__table__
    return and_(SNOOZED, table.c.snoozed_until <= unit.now), and_(WAITING, table.c.follow_up_at <= unit.now)


def _grown_late(unit: ReadUnit) -> ColumnElement[bool]:
    return and_(GROWING_LATE, Conversation.__table__.c.late_at <= unit.now)


@needs(Permission.CONVERSATION_WORK)
def take_next(unit: WriteUnit, lane: str | None = None) -> int | None:
    """Claim the most urgent conversation that is unowned or mine and not in anyone's hands; None if there is none.

    One statement picks and claims, so two takers never get the same item. Who may not act on
    a danger is not handed one: the alarm line says whom to fetch.
    """
    rules = inbox_rules(unit)
    lanes = rules.visible(unit.actor)
    if lane is not None:
        if lane not in lanes:
            raise NotFound(kind="lane", id=lane)
        lanes = frozenset({lane})
    settle_time(unit)
    table = Conversation.__table__
    lowest = DANGER_URGENCY if unit.actor.may(Permission.DANGER_ACT) else DANGER_URGENCY + 1
    picked = (
        select(table.c.id)
        .where(
            TAKEABLE,
            table.c.lane.in_(sorted(lanes)),
            table.c.urgency >= lowest,
            table.c.owner_id.is_(None) | (table.c.owner_id == unit.actor.staff_id),
        )
        .order_by(table.c.urgency, table.c.due_order, table.c.waiting_since, table.c.id)
        .limit(1)
    )
    found = unit.scalar(picked.with_for_update(skip_locked=True) if unit.dialect == "postgresql" else picked)
    if found is None:
        return None
    claim(unit, int(found))
    return int(found)


@needs(Permission.CONVERSATION_WORK)
def claim(unit: WriteUnit, conversation_id: int) -> None:
    """Make a conversation mine and in my hands; one that another holds is refused as `Stale` by its version."""
    conversation = current(unit, conversation_id)
    still_open(conversation, "claim")
    change(
        unit,
        conversation,
        Verb.TAKEN,
        {
            "owner_id": unit.actor.staff_id,
            "taken_at": unit.now,
            "state": State.OPEN,
            "snoozed_until": None,
            "follow_up_at": None,
        },
        undoable=True,
    )


@needs(Permission.CONVERSATION_WORK)
def release(unit: WriteUnit, conversation_id: int) -> None:
    """Put a conversation of mine back into its lane, unowned."""
    conversation = current(unit, conversation_id)
    still_open(conversation, "release")
    change(unit, conversation, Verb.RELEASED, {"owner_id": None, "taken_at": None}, undoable=True)
