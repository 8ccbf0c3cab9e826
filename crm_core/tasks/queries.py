"""What the console and the command line read of tasks: a list by pages, one task, a patient's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.errors import NotFound
from crm_core.patients.briefs import full_name
from crm_core.patients.tables import PATIENT, Patient, has_died
from crm_core.tasks.model import TaskItem, TaskKind, TaskPage, TaskView
from crm_core.tasks.scope import seen_by
from crm_core.tasks.tables import STILL_OPEN, Task
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit

_filed = PATIENT.alias("filed")
_PRESENT = func.coalesce(_filed.c.merged_into_id, _filed.c.id)
"""Who the patient is now under whose id a task was filed."""
_CREATOR, _ENDER = aliased(Staff), aliased(Staff)
_ORDER = (Task.due_at, Task.id)


@needs(Permission.TASK_READ)
def tasks(
    unit: ReadUnit,
    *,
    mine: bool = False,
    overdue: bool = False,
    kind: TaskKind | None = None,
    limit: int = 200,
    after: TaskItem | None = None,
    offset: int = 0,
) -> TaskPage:
    """Open tasks that I may see, due first; `after` (the last item shown) is the quick way on, `offset` a jump.

    `mine` are those I own, and those of my roles that nobody owns yet. `overdue` are past their
    due time; `kind` leaves the others out. Titles and names are opened as one listing.
    """
    wanted = _wanted(unit, mine=mine, overdue=overdue)
    if kind is not None:
        wanted.append(Task.kind == kind)
    total = unit.scalar(select(func.count()).select_from(Task).where(STILL_OPEN, *wanted))
    statement = _items().where(STILL_OPEN, *wanted).order_by(*_ORDER).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*_ORDER) > tuple_(after.due_at, after.task_id))
    elif offset:
        statement = statement.offset(offset)
    filters = [name for name, asked in (("owner", mine), ("due", overdue), ("kind", kind is not None)) if asked]
    with unit.listing("tasks", *filters):
        items = _opened(unit, unit.execute(statement).all())
    return TaskPage(items=items, total=int(total))


@needs(Permission.TASK_READ)
def count_overdue(unit: ReadUnit, *, mine: bool = False) -> int:
    """How many of the tasks that `tasks` would show are past their due time; nothing is opened."""
    wanted = _wanted(unit, mine=mine, overdue=True)
    return int(unit.scalar(select(func.count()).select_from(Task).where(STILL_OPEN, *wanted)))


@needs(Permission.TASK_READ)
def of_conversation(unit: ReadUnit, conversation_id: int) -> tuple[TaskItem, ...]:
    """The open tasks of one conversation, due first."""
    return _listed(unit, "conversation", Task.conversation_id == conversation_id)


@needs(Permission.TASK_READ)
def of_patient(unit: ReadUnit, patient_id: int) -> tuple[TaskItem, ...]:
    """A patient's open tasks, due first: those filed under an id that was merged into theirs, too."""
    root = select(func.coalesce(PATIENT.c.merged_into_id, PATIENT.c.id)).where(PATIENT.c.id == patient_id)
    return _listed(unit, "patient", root.scalar_subquery() == _PRESENT)


@needs(Permission.TASK_READ)
def task(unit: ReadUnit, task_id: int) -> TaskView:
    """One task, opened; NotFound for one that I may not see."""
    more = (Task.details, Task.filled, Task.outcome, Task.created_at, Task.ended_at)
    names = (_CREATOR.name.label("creator"), _ENDER.name.label("ender"))
    row = unit.execute(
        _items(*more, *names)
        .outerjoin(_CREATOR, _CREATOR.id == Task.created_by)
        .outerjoin(_ENDER, _ENDER.id == Task.ended_by)
        .where(Task.id == task_id, seen_by(unit))
    ).one_or_none()
    if row is None:
        raise NotFound(kind="task", id=f"T-{task_id}")
    filled = unit.open(row.filled)
    return TaskView(
        **vars(_opened(unit, [row])[0]),
        details=unit.open(row.details),
        filled={key: Shown(text) for key, text in json.loads(filled).items()} if filled else {},
        outcome=unit.open(row.outcome),
        created_at=row.created_at,
        created_by=row.creator,
        ended_at=row.ended_at,
        ended_by=row.ender,
    )


def _wanted(unit: ReadUnit, *, mine: bool, overdue: bool) -> list[ColumnElement[bool]]:
    wanted = [seen_by(unit)]
    if mine:
        wanted.append(_mine(unit))
    if overdue:
        wanted.append(Task.due_at < unit.now)
    return wanted


def _mine(unit: ReadUnit) -> ColumnElement[bool]:
    offered = and_(Task.owner_id.is_(None), Task.role.in_(sorted(unit.actor.roles)))
    return or_(Task.owner_id == unit.actor.staff_id, offered)


def _listed(unit: ReadUnit, by: str, of: ColumnElement[bool]) -> tuple[TaskItem, ...]:
    rows = unit.execute(_items().where(STILL_OPEN, of, seen_by(unit)).order_by(*_ORDER)).all()
    with unit.listing("tasks", by):
        return _opened(unit, rows)


def _items(*more: Any) -> Select[Any]:
    columns: tuple[Any, ...] = (
        Task.id, Task.kind, Task.title, Task.state, Task.conversation_id, Task.owner_id, Staff.name.label("owner"),
        Task.role, Task.lane, Task.due_at, Task.required, _PRESENT.label("patient_id"), Patient.family, Patient.given,
        has_died(Patient).label("deceased"),
    )  # fmt: skip
    return (
        select(*columns, *more)
        .select_from(Task)
        .outerjoin(_filed, _filed.c.id == Task.patient_id)
        .outerjoin(Patient, Patient.id == _PRESENT)
        .outerjoin(Staff, Staff.id == Task.owner_id)
    )


def _opened(unit: ReadUnit, rows: Sequence[Any]) -> tuple[TaskItem, ...]:
    return tuple(
        TaskItem(
            task_id=row.id,
            kind=row.kind,
            title=unit.open(row.title) or Shown(""),
            patient_id=row.patient_id,
            patient_name=full_name(unit.open(row.family), unit.open(row.given)) if row.patient_id is not None else None,
            deceased=bool(row.deceased),
            conversation_id=row.conversation_id,
            owner_id=row.owner_id,
            owner=row.owner,
            role=row.role,
            lane=row.lane,
            due_at=row.due_at,
            state=row.state,
            required=tuple(row.required.split()),
        )
        for row in rows
    )
