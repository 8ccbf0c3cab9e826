"""Patients as lines of a list. No permission is asked here: the list that shows them asks."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BindParameter, bindparam, select

from crm_core.patients.birth_date import age_on
from crm_core.patients.contacts import last_four
from crm_core.patients.identifiers import MRN
from crm_core.patients.model import ContactKind, PatientBrief
from crm_core.patients.tables import LINK, ContactPoint, Patient, PatientIdentifier, has_died
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit

NAMELESS = Shown("(no name)")

# Built once: for the few lines of a list, building a statement costs as much as running it.
_of_them: BindParameter[int] = bindparam("ids", expanding=True)
_LINES = select(
    Patient.id, Patient.family, Patient.given, Patient.birth_date, has_died(Patient).label("deceased"), Patient.active
).where(Patient.id.in_(_of_them))
_MRNS = (
    select(PatientIdentifier.patient_id, PatientIdentifier.value)
    .where(PatientIdentifier.patient_id.in_(_of_them), PatientIdentifier.kind == MRN, PatientIdentifier.old.is_(False))
    .order_by(PatientIdentifier.id.desc())
)
_PHONES = (
    select(LINK.c.patient_id, ContactPoint.value)
    .join(ContactPoint, ContactPoint.id == LINK.c.contact_point_id)
    .where(LINK.c.patient_id.in_(_of_them), ContactPoint.kind == ContactKind.PHONE)
    .order_by(LINK.c.rank.desc(), ContactPoint.id.desc())
)


def briefs(unit: ReadUnit, patient_ids: Sequence[int]) -> tuple[PatientBrief, ...]:
    """One line for each of these patients, in this order; three statements for any number."""
    if not patient_ids:
        return ()
    rows = {row.id: row for row in unit.execute(_LINES, {"ids": patient_ids})}
    mrns = _mrns(unit, patient_ids)
    fours = _last_fours(unit, patient_ids)
    lines = []
    for patient_id in patient_ids:
        row = rows[patient_id]
        birth_date = unit.open(row.birth_date)
        lines.append(
            PatientBrief(
                patient_id=patient_id,
                name=full_name(unit.open(row.family), unit.open(row.given)),
                birth_date=birth_date,
                age=age_on(birth_date, unit.now.date()) if birth_date else None,
                mrn=mrns.get(patient_id),
                last_four=fours.get(patient_id),
                deceased=row.deceased,
                active=row.active,
            )
        )
    return tuple(lines)


def full_name(family: str | None, given: str | None) -> Shown:
    """Given and family name as they are said."""
    return Shown(" ".join(part for part in (given, family) if part)) or NAMELESS


def _mrns(unit: ReadUnit, patient_ids: Sequence[int]) -> dict[int, Shown | None]:
    rows = unit.execute(_MRNS, {"ids": patient_ids})
    return {row.patient_id: unit.open(row.value) for row in rows}


def _last_fours(unit: ReadUnit, patient_ids: Sequence[int]) -> dict[int, str | None]:
    """The last four digits of each patient's first phone number."""
    rows = unit.execute(_PHONES, {"ids": patient_ids})
    return {row.patient_id: last_four(ContactKind.PHONE, unit.open(row.value)) for row in rows}
