"""Filing a task under another patient: what it comes from turned out to be with somebody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.store.feed import Topic
from crm_core.tasks.tables import STILL_OPEN, Task
from crm_core.work.units import WriteUnit

_table = Task.__table__


@needs(Permission.TASK_WORK)
def refile(unit: WriteUnit, conversation_ids: Sequence[int], before: int, after: int) -> dict[int, int]:
    """File the open tasks that come from these conversations under `after` where they are filed under `before`.

    Returns which they are, with the record that each was filed under, for `file_back`. They may
    be anybody's: a task is told of its patient wherever it lies.
    """
    same = select(PATIENT.c.id).where(select(ROOT).where(PATIENT.c.id == before).scalar_subquery() == ROOT)
    theirs = (STILL_OPEN, _table.c.conversation_id.in_(conversation_ids), _table.c.patient_id.in_(same))
    found = {row.id: row.patient_id for row in unit.execute(select(_table.c.id, _table.c.patient_id).where(*theirs))}
    _file(unit, dict.fromkeys(found, after))
    return found


@needs(Permission.TASK_WORK)
def file_back(unit: WriteUnit, filed: Mapping[int, int]) -> None:
    """File these tasks under the records that `refile` returned, whatever became of them since."""
    _file(unit, filed)


def _file(unit: WriteUnit, filed: Mapping[int, int]) -> None:
    for task_id, patient_id in sorted(filed.items()):
        # Its version stays: who or what it is about is no change of the work on it.
        unit.execute(update(Task).where(Task.id == task_id).values(patient_id=patient_id))
    if filed:
        unit.audit(Tag.TASK_REFILED, *sorted(filed))
        unit.changed(Topic.TASKS)
