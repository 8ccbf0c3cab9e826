"""What people do with tasks: add, give to someone, fill in, put off, finish, cancel, take up again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from crm_core.access.model import PERMISSIONS, Permission, Role
from crm_core.access.needs import needs
from crm_core.access.tables import Staff, StaffRole
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError, NotFound, Stale, UsageError
from crm_core.store.feed import Topic
from crm_core.tasks import adding
from crm_core.tasks.model import NewTask, TaskState
from crm_core.tasks.scope import in_sight, seen_by
from crm_core.tasks.tables import Task
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed
from crm_core.work.units import ReadUnit, WriteUnit

LONGEST_DELAY = timedelta(days=366)
"""Beyond it a date is a slip, and what it puts away would be lost."""

_table = Task.__table__


class InformationMissing(CrmError):
    """T-{task_id} is not done yet: fill in {missing} first."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True)
class Before:
    """A task as it was before one change: what `undo` puts back while nothing has happened since."""

    task_id: int
    version: int
    state: TaskState
    owner_id: int | None
    due_at: datetime
    filled_sealed: bytes | None = field(repr=False)
    outcome_sealed: bytes | None = field(repr=False)
    ended_at: datetime | None
    ended_by: int | None


@dataclass(frozen=True, kw_only=True)
class _Current:
    """The stored columns of a task that is to be changed."""

    id: int
    row: Mapping[str, Any]

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self.row["required"].split())

    @property
    def state(self) -> TaskState:
        return TaskState(self.row["state"])


@needs(Permission.TASK_WORK)
def create_task(unit: WriteUnit, task: NewTask) -> int:
    """Add a task at a person's request; its owner works here, its lane is one that they see."""
    if task.owner_id is not None:
        _works_here(unit, task.owner_id)
    lanes = in_sight(unit).lanes
    if task.lane is not None and task.lane not in lanes:
        raise NotFound(kind="lane", id=task.lane)
    return adding.add_task(unit, task)


@needs(Permission.TASK_WORK)
def assign_task(unit: WriteUnit, task_id: int, staff_id: int | None) -> Before:
    """Make it a person's who works here; None gives it back to the role or the lane that it was for."""
    task = _current(unit, task_id)
    _still_open(task, "give it to someone")
    if staff_id is not None:
        _works_here(unit, staff_id)
    elif task.row["role"] is None and task.row["lane"] is None:
        raise UsageError(problem=f"T-{task_id} is for no role and no lane", remedy="give it to someone else instead")
    return _change(unit, task, Tag.TASK_ASSIGNED, {"owner_id": staff_id})


@needs(Permission.TASK_WORK)
def put_off(unit: WriteUnit, task_id: int, until: datetime) -> Before:
    """Let it be due at another time to come."""
    task = _current(unit, task_id)
    _still_open(task, "put it off")
    if until <= unit.now:
        raise UsageError(problem="That time has passed", remedy="put it off until a time to come")
    if until - unit.now > LONGEST_DELAY:
        raise UsageError(problem="That is more than a year away", remedy="put it off until a nearer time")
    return _change(unit, task, Tag.TASK_PUT_OFF, {"due_at": until})


@needs(Permission.TASK_WORK)
def fill_in(unit: WriteUnit, task_id: int, known: Mapping[str, str]) -> Before:
    """Keep what is known of what it requires; an empty text takes one away again."""
    task = _current(unit, task_id)
    _still_open(task, "fill it in")
    return _change(unit, task, Tag.TASK_FILLED, _filled(unit, task, known)[0])


@needs(Permission.TASK_WORK)
def finish(
    unit: WriteUnit, task_id: int, *, words: str | None = None, known: Mapping[str, str] | None = None
) -> Before:
    """Say that it is done, with what came of it; InformationMissing while something is not filled in."""
    task = _current(unit, task_id)
    _still_open(task, "finish it")
    values, filled = _filled(unit, task, known or {})
    missing = [key for key in task.required if key not in filled]
    if missing:
        raise InformationMissing(task_id=task_id, missing=", ".join(missing))
    values |= {"outcome_sealed": unit.seal(Field.TASK_OUTCOME, task_id, (words or "").strip() or None)}
    return _end(unit, task, TaskState.DONE, Tag.TASK_DONE, values)


@needs(Permission.TASK_WORK)
def cancel(unit: WriteUnit, task_id: int, why: str) -> Before:
    """End it undone, saying why."""
    task = _current(unit, task_id)
    _still_open(task, "cancel it")
    if not why.strip():
        raise UsageError(problem="A task is cancelled for a reason", remedy="say why it need not be done")
    values = {"outcome_sealed": unit.seal(Field.TASK_OUTCOME, task_id, why.strip())}
    return _end(unit, task, TaskState.CANCELLED, Tag.TASK_CANCELLED, values)


@needs(Permission.TASK_WORK)
def take_up_again(unit: WriteUnit, task_id: int) -> Before:
    """Open what was ended by mistake; what was filled in stays."""
    task = _current(unit, task_id)
    if task.state is TaskState.OPEN:
        raise UsageError(problem=f"T-{task_id} is open already", remedy="finish or cancel it when its time has come")
    values = {"state": TaskState.OPEN, "ended_at": None, "ended_by": None, "outcome_sealed": None}
    return _change(unit, task, Tag.TASK_REOPENED, values)


@needs(Permission.TASK_WORK)
def undo(unit: WriteUnit, before: Before) -> None:
    """Put a task back as it was; Stale where it has changed since."""
    task = _current(unit, before.task_id)
    if task.row["version"] != before.version + 1:
        raise Stale(id=f"T-{task.id}")
    values = {name: value for name, value in vars(before).items() if name not in ("task_id", "version")}
    _change(unit, task, Tag.TASK_UNDONE, values)


def _current(unit: ReadUnit, task_id: int) -> _Current:
    """The task, locked for change on Postgres; NotFound for one that the actor may not see."""
    statement = select(_table).where(_table.c.id == task_id, seen_by(unit))
    if unit.dialect == "postgresql":
        statement = statement.with_for_update()
    found = unit.execute(statement).mappings().one_or_none()
    if found is None:
        raise NotFound(kind="task", id=f"T-{task_id}")
    return _Current(id=task_id, row=dict(found))


def _still_open(task: _Current, action: str) -> None:
    if task.state is not TaskState.OPEN:
        raise UsageError(
            problem=f"T-{task.id} is {task.state} already, so you cannot {action}", remedy="take it up again first"
        )


def _works_here(unit: ReadUnit, staff_id: int) -> None:
    """Refuse an owner who could not do it: nobody's account, a disabled one, one without the permission."""
    active = unit.scalar(select(Staff.active).where(Staff.id == staff_id))
    if active is None:
        raise NotFound(kind="staff account", id=staff_id)
    roles = unit.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff_id))
    if not active or not any(Permission.TASK_WORK in PERMISSIONS[Role(role)] for role in roles):
        raise UsageError(problem="That account does not work on tasks", remedy="choose someone who does")


def _filled(unit: WriteUnit, task: _Current, known: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The column with what is known now, and that itself."""
    unasked = [key for key in known if key not in task.required]
    if unasked:
        problem = f"T-{task.id} does not ask for {', '.join(unasked)}"
        remedy = f"it asks for {', '.join(task.required)}" if task.required else "it asks for nothing"
        raise UsageError(problem=problem, remedy=remedy)
    before = unit.open(Sealed(Field.TASK_FILLED, task.id, task.row["filled_sealed"]))
    filled: dict[str, str] = {**(json.loads(before) if before else {}), **{key: known[key].strip() for key in known}}
    filled = {key: text for key, text in filled.items() if text}
    kept = json.dumps(filled, ensure_ascii=False) if filled else None
    return {"filled_sealed": unit.seal(Field.TASK_FILLED, task.id, kept)}, filled


def _end(unit: WriteUnit, task: _Current, state: TaskState, tag: Tag, values: Mapping[str, Any]) -> Before:
    ended = {"state": state, "ended_at": unit.now, "ended_by": unit.actor.staff_id}
    return _change(unit, task, tag, {**values, **ended})


def _change(unit: WriteUnit, task: _Current, tag: Tag, values: Mapping[str, Any]) -> Before:
    version = task.row["version"]
    unchanged = update(_table).where(_table.c.id == task.id, _table.c.version == version)  # type: ignore[arg-type]
    if unit.execute(unchanged.values(**values, version=version + 1)).rowcount != 1:
        raise Stale(id=f"T-{task.id}")
    unit.audit(tag, task.id)
    unit.changed(Topic.TASKS)
    kept = {one.name: task.row[one.name] for one in fields(Before) if one.name != "task_id"}
    return Before(task_id=task.id, **kept)
