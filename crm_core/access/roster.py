"""Who works and how much: capacity, absences with a substitute. None of it ends a session."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import STAFF, STAFF_ABSENCE
from crm_core.access.units import Writing
from crm_core.audit.tags import Tag
from crm_core.errors import NotFound, UsageError

_table = STAFF_ABSENCE


@needs(Permission.STAFF_ROSTER)
def set_capacity(unit: Writing, staff_id: int, capacity: int | None) -> None:
    """How many open conversations may be given to this person; None is any number, 0 none.

    What a person takes by themselves is not held to it.
    """
    if capacity is not None and capacity < 0:
        raise UsageError(problem="A capacity is no less than 0", remedy="give a number of conversations, or none")
    changed = unit.execute(update(STAFF).where(STAFF.c.id == staff_id).values(capacity=capacity))
    if not changed.rowcount:
        raise NotFound(kind="account", id=staff_id)
    unit.audit(Tag.STAFF_CAPACITY_SET, staff_id, why="none" if capacity is None else str(capacity))


@needs(Permission.STAFF_ROSTER)
def plan_absence(
    unit: Writing, staff_id: int, *, starts_at: datetime, ends_at: datetime, substitute_id: int | None = None
) -> int:
    """Note that a person does not work from one time until another; returns the absence's id.

    `substitute_id` gets what would have come to them. Refused where it ends before it begins or
    has ended already, where it overlaps another of theirs, and for a substitute who is the
    person or has no active account.
    """
    if ends_at <= starts_at:
        raise UsageError(problem="That absence ends before it begins", remedy="give --until a time after --from")
    if ends_at <= unit.now:
        raise UsageError(problem="That absence is over already", remedy="give --until a time to come")
    if substitute_id == staff_id:
        raise UsageError(problem="Nobody is their own substitute", remedy="name someone else, or nobody")
    _lock(unit, staff_id)
    if substitute_id is not None and not unit.scalar(select(STAFF.c.active).where(STAFF.c.id == substitute_id)):
        raise UsageError(problem="The substitute has no active account", remedy="name someone who works here")
    overlapping = (_table.c.staff_id == staff_id, _table.c.starts_at < ends_at, _table.c.ends_at > starts_at)
    if unit.scalar(select(_table.c.id).where(*overlapping)) is not None:
        raise UsageError(problem="They are absent then already", remedy="end that absence first with `crm staff back`")
    absence_id = unit.new_id("staff_absence")
    row = {"id": absence_id, "staff_id": staff_id, "substitute_id": substitute_id}
    unit.execute(insert(_table).values(**row, starts_at=starts_at, ends_at=ends_at))
    unit.audit(Tag.STAFF_ABSENT, staff_id, why=f"{starts_at:%Y-%m-%dT%H:%MZ} to {ends_at:%Y-%m-%dT%H:%MZ}")
    return absence_id


@needs(Permission.STAFF_ROSTER)
def end_absence(unit: Writing, staff_id: int) -> None:
    """Say that a person is back: their absence ends now; where they are here, what is planned is called off."""
    _lock(unit, staff_id)
    theirs = _table.c.staff_id == staff_id
    present = (theirs, _table.c.starts_at < unit.now, _table.c.ends_at > unit.now)
    ended = unit.execute(update(_table).where(*present).values(ends_at=unit.now)).rowcount
    if not ended:
        ended = unit.execute(delete(_table).where(theirs, _table.c.ends_at > unit.now)).rowcount
    if not ended:
        raise UsageError(problem="They are not absent, nor is it planned", remedy="`crm staff list` shows who is")
    unit.audit(Tag.STAFF_BACK, staff_id)


def _lock(unit: Writing, staff_id: int) -> None:
    """Two absences of one person planned at once must not overlap; NotFound."""
    found = unit.scalar(select(STAFF.c.id).where(STAFF.c.id == staff_id).with_for_update(key_share=True))
    if found is None:
        raise NotFound(kind="account", id=staff_id)
