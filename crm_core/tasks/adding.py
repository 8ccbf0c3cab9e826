"""Adding a task, for every room that leaves something to be done."""

from __future__ import annotations

import re

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from crm_core.audit.tags import Tag
from crm_core.errors import NotFound, UsageError
from crm_core.patients.tables import PATIENT
from crm_core.store.feed import Topic
from crm_core.tasks.model import NewTask, TaskState
from crm_core.tasks.tables import Task
from crm_core.vault.fields import Field
from crm_core.work.units import ReadUnit, WriteUnit

LONGEST_TITLE = 200
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_table = Task.__table__


def add_task(unit: WriteUnit, task: NewTask) -> int:
    """Add a task and return its id; where one of the same `dedup_key` is kept already, that one's.

    No permission is asked: what another room does may leave a task whoever does it. A person's
    own request goes through `service.create_task`. A patient's old id is filed under who they
    are now. Raises UsageError for a task without a title, or that is nobody's.
    """
    title = " ".join(task.title.split())
    _check(task, title)
    if task.dedup_key is not None:
        kept = _kept(unit, task.dedup_key)
        if kept is not None:
            return kept
    number = unit.new_id("task")
    insert = sqlite_insert if unit.dialect == "sqlite" else postgres_insert
    added = unit.execute(
        insert(_table)  # type: ignore[arg-type]
        .values(
            id=number,
            kind=task.kind,
            state=TaskState.OPEN,
            patient_id=_present(unit, task.patient_id),
            conversation_id=task.conversation_id,
            owner_id=task.owner_id,
            role=task.role,
            lane=task.lane,
            due_at=task.due_at or unit.now,
            required=" ".join(task.required),
            dedup_key=task.dedup_key,
            created_by=unit.actor.staff_id,
            created_at=unit.now,
            title_sealed=unit.seal(Field.TASK_TITLE, number, title),
            details_sealed=unit.seal(Field.TASK_DETAILS, number, task.details or None),
        )
        .on_conflict_do_nothing(index_elements=["dedup_key"])
    )
    if not added.rowcount and task.dedup_key is not None:
        # Another process added it between our look and our insert; its commit was waited for.
        found = _kept(unit, task.dedup_key)
        assert found is not None
        return found
    unit.audit(Tag.TASK_CREATED, number, why=task.kind)
    unit.changed(Topic.TASKS)
    return number


def _check(task: NewTask, title: str) -> None:
    if not title:
        raise UsageError(problem="A task needs a title", remedy="say in a few words what is to be done")
    if len(title) > LONGEST_TITLE:
        raise UsageError(
            problem=f"This title is longer than {LONGEST_TITLE} characters", remedy="put the rest into the details"
        )
    if task.owner_id is None and task.role is None and task.lane is None:
        raise UsageError(problem="A task is somebody's", remedy="name an owner, a role or a lane")
    odd = next((key for key in task.required if not _KEY.fullmatch(key)), None)
    if odd is not None:
        raise UsageError(
            problem=f"{odd!r} cannot name what a task requires", remedy="use a word such as new_number, without spaces"
        )
    if len(set(task.required)) < len(task.required):
        raise UsageError(problem="A task requires the same thing twice", remedy="name each once")


def _kept(unit: ReadUnit, dedup_key: str) -> int | None:
    found: int | None = unit.scalar(select(_table.c.id).where(_table.c.dedup_key == dedup_key))
    return found


def _present(unit: ReadUnit, patient_id: int | None) -> int | None:
    """Who that patient is now."""
    if patient_id is None:
        return None
    now = select(func.coalesce(PATIENT.c.merged_into_id, PATIENT.c.id)).where(PATIENT.c.id == patient_id)
    found: int | None = unit.scalar(now)
    if found is None:
        raise NotFound(kind="patient", id=f"P-{patient_id}")
    return found
