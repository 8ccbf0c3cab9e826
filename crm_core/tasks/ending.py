"""Ending tasks that something else has made pointless."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from sqlalchemy import ColumnElement, Table, select, update

from crm_core.audit.tags import Tag
from crm_core.patients.roots import records_of
from crm_core.store.feed import Topic
from crm_core.tasks.model import TaskKind, TaskState
from crm_core.tasks.tables import Task
from crm_core.vault.fields import Field
from crm_core.work.units import WriteUnit

_TABLE = cast("Table", Task.__table__)

CONTACT = frozenset(
    {TaskKind.DELIVERY_FAILED, TaskKind.CALL_BACK, TaskKind.CALL, TaskKind.MAY_WANT_TO_CANCEL, TaskKind.FIND_NUMBER}
)
"""The kinds by which somebody is to reach the patient."""


def cancel_about(unit: WriteUnit, patient_id: int, kinds: Collection[TaskKind], why: str) -> list[int]:
    """Cancel the open tasks of these kinds about a patient, with the reason; returns their ids.

    No permission is asked: what happened to the patient ends them, whoever learns of it.
    """
    return _cancel(unit, _TABLE.c.patient_id.in_(records_of(patient_id)) & _TABLE.c.kind.in_(kinds), why)


def cancel_keyed(unit: WriteUnit, dedup_keys: Collection[str], why: str) -> list[int]:
    """Cancel what is open of the tasks with these keys, with the reason; returns their ids. No permission is asked."""
    return _cancel(unit, _TABLE.c.dedup_key.in_(dedup_keys), why)


def cancel_tasks(unit: WriteUnit, task_ids: Collection[int], why: str) -> list[int]:
    """Cancel what is open of these tasks, with the reason; returns their ids. No permission is asked."""
    return _cancel(unit, _TABLE.c.id.in_(task_ids), why)


def _cancel(unit: WriteUnit, which: ColumnElement[bool], why: str) -> list[int]:
    ids = sorted(unit.scalars(select(_TABLE.c.id).where(which, _TABLE.c.state == TaskState.OPEN).with_for_update()))
    for number in ids:
        unit.execute(
            update(_TABLE)
            .where(_TABLE.c.id == number)
            .values(
                state=TaskState.CANCELLED,
                ended_at=unit.now,
                ended_by=unit.actor.staff_id,
                outcome_sealed=unit.seal(Field.TASK_OUTCOME, number, why),
                version=_TABLE.c.version + 1,
            )
        )
    if ids:
        unit.audit(Tag.TASK_CANCELLED, *ids, why=why)
        unit.changed(Topic.TASKS)
    return ids
