"""Reading the call list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, cast

from sqlalchemy import Table, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.calling.model import CallLine, CallState
from crm_core.channels.calling.service import candidate_of
from crm_core.channels.calling.tables import CallItem, CallTry
from crm_core.channels.gate import Gate
from crm_core.channels.model import Reason
from crm_core.errors import NotFound
from crm_core.patients.tables import PATIENT, ROOT, ContactPoint
from crm_core.tasks import queries as tasks
from crm_core.tasks.model import TaskItem, TaskKind
from crm_core.work.units import ReadUnit

_ITEM, _TRY = cast("Table", CallItem.__table__), cast("Table", CallTry.__table__)


@needs(Permission.TASK_READ)
def call_list(unit: ReadUnit, gate: Gate, *, mine: bool = False, limit: int = 200) -> tuple[CallLine, ...]:
    """The calls to make that I may see, those due first on top, with the numbers to dial; one listing.

    The gate is asked of all of them at once: where it says no, the number is not shown.
    """
    page = tasks.tasks(unit, kind=TaskKind.CALL, mine=mine, limit=limit)
    with unit.listing("calls"):
        return _lines(unit, gate, page.items)


@needs(Permission.TASK_READ)
def call(unit: ReadUnit, gate: Gate, task_id: int) -> CallLine:
    """One call to make; NotFound for a task that is none, or no longer to be called."""
    found = _lines(unit, gate, [tasks.task(unit, task_id)])
    if not found:
        raise NotFound(kind="call", id=f"T-{task_id}")
    return found[0]


def _lines(unit: ReadUnit, gate: Gate, items: Sequence[TaskItem]) -> tuple[CallLine, ...]:
    """Those of these tasks that are calls still to be made, in their order."""
    last = (
        select(_TRY.c.outcome)
        .where(_TRY.c.task_id == _ITEM.c.task_id)
        .order_by(_TRY.c.at.desc(), _TRY.c.message_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = unit.execute(
        select(
            _ITEM.c.task_id, ROOT.label("patient_id"), _ITEM.c.contact_point_id, _ITEM.c.purpose, _ITEM.c.attempts,
            _ITEM.c.max_attempts, last.label("last_outcome"), ContactPoint.value,
        )
        .join(PATIENT, PATIENT.c.id == _ITEM.c.patient_id)
        .join(ContactPoint, ContactPoint.id == _ITEM.c.contact_point_id)
        .where(_ITEM.c.task_id.in_([item.task_id for item in items]), _ITEM.c.state == CallState.WAITING)
    ).all()  # fmt: skip
    verdicts = gate.judge_all(unit, [candidate_of(row) for row in found])
    rows = {row.task_id: (row, verdict.refusal) for row, verdict in zip(found, verdicts, strict=True)}
    return tuple(_line(unit, item, *rows[item.task_id]) for item in items if item.task_id in rows)


def _line(unit: ReadUnit, item: TaskItem, row: Any, refusal: Reason | None) -> CallLine:
    return CallLine(
        **{one.name: getattr(item, one.name) for one in fields(TaskItem)},
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        number=unit.open(row.value) if refusal is None else None,
        refused=f"{refusal.check}: {refusal.saw}" if refusal is not None else None,
        last_outcome=row.last_outcome,
    )
