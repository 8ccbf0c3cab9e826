"""Reads of one patient: the record, the identity line, whose a number is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.errors import NotFound
from crm_core.patients.birth_date import age_on
from crm_core.patients.briefs import full_name
from crm_core.patients.contact_points import known_points, users_of
from crm_core.patients.contacts import last_four
from crm_core.patients.model import ContactKind, ContactMatch, ContactView, IdentifierView, IdentityView, PatientView
from crm_core.patients.preparing import prepare_contact
from crm_core.patients.region import clinic_region
from crm_core.patients.tables import LINK, PATIENT, POINT, ROOT, ContactPoint, Patient, PatientIdentifier, has_died
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit


@needs(Permission.PATIENT_READ)
def patient(unit: ReadUnit, patient_id: int) -> PatientView:
    """The record of a patient, an old id included; NotFound where there is none."""
    record_ids = _record_ids(unit, patient_id)
    columns = (
        *(Patient.id, Patient.family, Patient.given, Patient.birth_date, Patient.address, Patient.language),
        *(Patient.time_zone, has_died(Patient).label("deceased"), Patient.deceased_at, Patient.active),
        *(Patient.updated_at, Patient.created_at),
    )
    row = unit.execute(select(*columns).where(Patient.id == record_ids[0])).one()
    family, given, birth_date = unit.open(row.family), unit.open(row.given), unit.open(row.birth_date)
    return PatientView(
        patient_id=row.id,
        name=full_name(family, given),
        family=family,
        given=given,
        birth_date=birth_date,
        age=age_on(birth_date, unit.now.date()) if birth_date else None,
        address=unit.open(row.address),
        language=row.language,
        time_zone=row.time_zone,
        deceased=row.deceased,
        deceased_at=row.deceased_at,
        active=row.active,
        identifiers=_identifiers(unit, record_ids),
        contacts=_contacts(unit, record_ids, row.created_at),
        merged_from=tuple(record_ids[1:]),
        updated_at=row.updated_at,
    )


@needs(Permission.PATIENT_READ)
def identity(unit: ReadUnit, patient_id: int) -> IdentityView:
    """Who the patient is, for the composer's first line; an old id answers as who it is now."""
    record_ids = _record_ids(unit, patient_id)
    columns = (Patient.id, Patient.family, Patient.given, Patient.birth_date, Patient.language)
    row = unit.execute(
        select(*columns, has_died(Patient).label("deceased"), Patient.active, Patient.created_at).where(
            Patient.id == record_ids[0]
        )
    ).one()
    birth_date = unit.open(row.birth_date)
    return IdentityView(
        patient_id=row.id,
        name=full_name(unit.open(row.family), unit.open(row.given)),
        birth_date=birth_date,
        age=age_on(birth_date, unit.now.date()) if birth_date else None,
        language=row.language,
        deceased=row.deceased,
        active=row.active,
        contacts=_contacts(unit, record_ids, row.created_at),
    )


@needs(Permission.PATIENT_READ)
def contact_value(unit: ReadUnit, contact_point_id: int | None) -> Shown | None:
    """One number or address, for a sender who is nobody's patient yet; None where there is none."""
    if contact_point_id is None:
        return None
    value = unit.execute(select(ContactPoint.value).where(ContactPoint.id == contact_point_id)).scalar_one_or_none()
    return unit.open(value) if value is not None else None


@needs(Permission.MESSAGE_RECEIVE)
def match_contact(unit: ReadUnit, kind: ContactKind, value: str) -> ContactMatch:
    """Whose a number or address is, in any spelling; nobody's where it is not known."""
    prepared = prepare_contact(unit.vault, kind, value, clinic_region(unit))
    point_id = known_points(unit, [prepared.key]).get(prepared.key) if prepared else None
    if point_id is None:
        return ContactMatch(contact_point_id=None)
    return ContactMatch(contact_point_id=point_id, patient_ids=users_of(unit, point_id))


def _record_ids(unit: ReadUnit, patient_id: int) -> list[int]:
    """The patient's current id, then the records merged into it."""
    root = select(ROOT).where(PATIENT.c.id == patient_id).scalar_subquery()
    ids = unit.scalars(
        select(PATIENT.c.id)
        .where((PATIENT.c.id == root) | (PATIENT.c.merged_into_id == root))
        .order_by(PATIENT.c.merged_into_id.is_not(None), PATIENT.c.id)
    )
    if not ids:
        raise NotFound(kind="patient", id=f"P-{patient_id}")
    return ids


def _identifiers(unit: ReadUnit, record_ids: Sequence[int]) -> tuple[IdentifierView, ...]:
    columns = (PatientIdentifier.system, PatientIdentifier.kind, PatientIdentifier.value)
    rows = unit.execute(
        select(*columns)
        .where(PatientIdentifier.patient_id.in_(record_ids))
        .order_by(PatientIdentifier.patient_id != record_ids[0], PatientIdentifier.old, PatientIdentifier.id)
    )
    return tuple(
        IdentifierView(system=row.system, kind=row.kind, value=unit.open(row.value) or Shown("")) for row in rows
    )


def _contacts(unit: ReadUnit, record_ids: Sequence[int], known_since: datetime) -> tuple[ContactView, ...]:
    """The contact points of a patient's records, the patient's own first, in order of rank."""
    shared = (
        select(func.count(ROOT.distinct()))
        .select_from(LINK.join(PATIENT, PATIENT.c.id == LINK.c.patient_id))
        .where(LINK.c.contact_point_id == ContactPoint.id)
        .correlate(POINT)
        .scalar_subquery()
    )
    own = LINK.alias("own")
    state = (ContactPoint.opted_out_at, ContactPoint.invalid_reason)
    rows = unit.execute(
        select(
            *(ContactPoint.id, ContactPoint.kind, ContactPoint.value, *state, shared.label("shared_by")),
            *(own.c.use, own.c.rank, own.c.since),
        )
        .join(own, own.c.contact_point_id == ContactPoint.id)
        .where(own.c.patient_id.in_(record_ids))
        .order_by(own.c.patient_id != record_ids[0], own.c.rank, ContactPoint.id)
    )
    views: dict[int, ContactView] = {}
    for row in rows:
        value = unit.open(row.value) or Shown("")
        views.setdefault(
            row.id,
            ContactView(
                contact_point_id=row.id,
                kind=row.kind,
                value=value,
                use=row.use,
                rank=row.rank,
                last_four=last_four(row.kind, value),
                shared_by=row.shared_by,
                changed_days=(unit.now - row.since).days if row.since > known_since else None,
                opted_out=row.opted_out_at is not None,
                invalid_reason=row.invalid_reason,
            ),
        )
    return tuple(views.values())
