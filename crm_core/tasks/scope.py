"""Which tasks a person may see.

A task in a lane, or from a conversation, is for those who see that lane, or the lane in which the
conversation lies now: both belong to the inbox, a room above this one, so app.py says under
`IN_SIGHT` in `unit.shared` how they are found. A task is always seen by its owner and by whoever
added it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, true

from crm_core.tasks.tables import Task
from crm_core.work.units import ReadUnit

IN_SIGHT = "tasks.in_sight"


@dataclass(frozen=True, kw_only=True)
class Sight:
    """The lanes a person may see; `conversation` makes the condition that a column's conversation lies in one."""

    lanes: Collection[str]
    conversation: Callable[[Any], ColumnElement[bool]]


InSight = Callable[[ReadUnit], Sight]


def in_sight(unit: ReadUnit) -> Sight:
    """What the unit's actor may see of the inbox."""
    found: InSight = unit.shared[IN_SIGHT]
    return found(unit)


def seen_by(unit: ReadUnit) -> ColumnElement[bool]:
    """The condition of the tasks that the unit's actor may see; the system sees every one."""
    me = unit.actor.staff_id
    if not me:
        return true()
    sight = in_sight(unit)
    there = and_(
        or_(Task.lane.is_(None), Task.lane.in_(sorted(sight.lanes))),
        or_(Task.conversation_id.is_(None), sight.conversation(Task.conversation_id)),
    )
    return or_(there, Task.owner_id == me, Task.created_by == me)
