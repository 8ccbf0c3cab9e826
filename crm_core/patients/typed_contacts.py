"""A number or an address as a person types it: which contact point that is."""

from __future__ import annotations

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.errors import UsageError
from crm_core.patients.contact_points import ensure_points, known_points
from crm_core.patients.model import ContactKind
from crm_core.patients.preparing import PreparedContact, prepare_contact
from crm_core.patients.region import clinic_region
from crm_core.patients.roots import present, records_of
from crm_core.patients.tables import LINK
from crm_core.work.units import ReadUnit, WriteUnit


@needs(Permission.PATIENT_READ)
def own_point(unit: ReadUnit, patient_id: int, typed: str) -> int:
    """The patient's own contact point of that number or address, in any spelling; UsageError where they have none."""
    key = _prepared(unit, typed).key
    point = known_points(unit, [key]).get(key)
    theirs = (LINK.c.contact_point_id == point, LINK.c.patient_id.in_(records_of(present(unit, patient_id))))
    if point is None or unit.scalar(select(LINK.c.contact_point_id).where(*theirs).limit(1)) is None:
        raise UsageError(problem="That number or address is not on the patient's record", remedy="link it first")
    return point


@needs(Permission.CONSENT_RECORD)
def any_point(unit: WriteUnit, typed: str) -> int:
    """The contact point of that number or address, made where it is new; UsageError where it cannot work."""
    prepared = _prepared(unit, typed)
    if prepared.normal.problem is not None:
        raise UsageError(problem="That is no number or address that works", remedy="give it with its area code")
    return ensure_points(unit, [prepared])[prepared.key]


def _prepared(unit: ReadUnit, typed: str) -> PreparedContact:
    kind = ContactKind.EMAIL if "@" in typed else ContactKind.PHONE
    prepared = prepare_contact(unit.vault, kind, typed, clinic_region(unit))
    if prepared is None:
        raise UsageError(problem="The number or address is empty", remedy="give one")
    return prepared
