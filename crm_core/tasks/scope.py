"""Which tasks a person may see.

A task in a lane is for those who see the lane: lanes belong to the inbox, a room above this one,
so app.py says under `VISIBLE_LANES` in `unit.shared` how they are found. A task is always seen by
its owner and by whoever added it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import ColumnElement, or_, true

from crm_core.tasks.tables import Task
from crm_core.work.units import ReadUnit

VISIBLE_LANES = "tasks.visible_lanes"

Lanes = Callable[[ReadUnit], Collection[str]]


def seen_by(unit: ReadUnit) -> ColumnElement[bool]:
    """The condition of the tasks that the unit's actor may see; the system sees every one."""
    me = unit.actor.staff_id
    if not me:
        return true()
    lanes: Lanes = unit.shared[VISIBLE_LANES]
    return or_(Task.lane.is_(None), Task.lane.in_(sorted(lanes(unit))), Task.owner_id == me, Task.created_by == me)
