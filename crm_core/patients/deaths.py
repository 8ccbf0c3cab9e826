"""That a patient has died, as staff learn of it; an import says so in saving.py."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import UsageError
from crm_core.patients.observers import patient_observers
from crm_core.patients.roots import present, records_of
from crm_core.patients.tables import PATIENT, Patient, has_died
from crm_core.store.feed import Topic
from crm_core.work.units import WriteUnit


@needs(Permission.CONSENT_RECORD)
def record_death(unit: WriteUnit, patient_id: int, died_at: datetime | None = None) -> int:
    """Keep that the patient has died, and when where that is known; returns their id of today.

    What was to reach them is cancelled at once, in this unit. No import takes it back. UsageError
    for a day to come, or where it is known already.
    """
    root = present(unit, patient_id)
    if died_at is not None and died_at > unit.now:
        raise UsageError(problem="That day has not come yet", remedy="give the day of the death, or none")
    if unit.scalar(select(has_died(Patient)).where(Patient.id == root).with_for_update()):
        raise UsageError(problem=f"P-{root} is known to have died", remedy="nothing more is sent to them")
    _set(unit, PATIENT.c.id == root, deceased=True, deceased_at=died_at, deceased_by=unit.actor.staff_id)
    unit.audit(Tag.PATIENT_DECEASED, root, why="recorded by staff")
    with unit.as_the_house():
        for observer in patient_observers(unit):
            observer.died(unit, root)
    return root


@needs(Permission.CONSENT_RECORD)
def take_death_back(unit: WriteUnit, patient_id: int) -> int:
    """It was a mistake: the patient lives. What was cancelled stays so. UsageError where no death is known."""
    root = present(unit, patient_id)
    if not unit.scalar(select(has_died(Patient)).where(Patient.id == root).with_for_update()):
        raise UsageError(problem=f"P-{root} is not known to have died", remedy="there is nothing to take back")
    said_so = PATIENT.c.id.in_(records_of(root)) & PATIENT.c.deceased
    _set(unit, said_so, deceased=False, deceased_at=None, deceased_by=None)
    unit.audit(Tag.PATIENT_CHANGED, root, why="death taken back")
    return root


def _set(unit: WriteUnit, which: ColumnElement[bool], **values: object) -> None:
    changed = {**values, "updated_at": unit.now, "version": PATIENT.c.version + 1}
    unit.execute(update(PATIENT).where(which).values(**changed))
    unit.changed(Topic.PATIENTS)
