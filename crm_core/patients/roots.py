"""Whose a record is now, and what all is one patient's: records that were merged answer as the one they became."""

from __future__ import annotations

from sqlalchemy import Select, or_, select

from crm_core.errors import NotFound
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.work.units import ReadUnit


def present(unit: ReadUnit, patient_id: int) -> int:
    """Who that patient is now; NotFound."""
    root: int | None = unit.scalar(select(ROOT).where(PATIENT.c.id == patient_id))
    if root is None:
        raise NotFound(kind="patient", id=f"P-{patient_id}")
    return root


def records_of(root: int) -> Select[tuple[int]]:
    """The ids of every record that is this patient now."""
    return select(PATIENT.c.id).where(or_(PATIENT.c.id == root, PATIENT.c.merged_into_id == root))
