"""What rings now, and whom that may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import distinct, func, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.ringing.model import SHOWN_FOR, RingView
from crm_core.channels.ringing.tables import RINGS, Ring
from crm_core.errors import NotFound
from crm_core.patients.briefs import briefs
from crm_core.patients.contact_points import users_of
from crm_core.patients.contacts import last_four
from crm_core.patients.model import ContactKind, PatientBrief
from crm_core.patients.tables import LINK, PATIENT, ROOT
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit

MOST = 20
"""Rings that are shown at once: more than a front desk has telephones."""


@dataclass(frozen=True, kw_only=True, repr=False)
class RingCard:
    """A call with its number, and everybody who uses that. `number` is None where it is withheld or forgotten."""

    ring: RingView
    number: Shown | None
    candidates: tuple[PatientBrief, ...]


_KNOWN = (
    select(func.count(distinct(ROOT)))
    .join_from(LINK, PATIENT, PATIENT.c.id == LINK.c.patient_id)
    .where(LINK.c.contact_point_id == Ring.contact_point_id)
    .scalar_subquery()
)
"""How many patients use the number that rings."""

_VIEWS = select(
    Ring.id.label("ring_id"), Ring.line, Ring.state, Ring.rang_at,
    Ring.number_sealed.is_(None).label("withheld"), _KNOWN.label("known"),
)  # fmt: skip


@needs(Permission.PATIENT_READ)
def rings(unit: ReadUnit) -> tuple[RingView, ...]:
    """What rings now, the longest first. Nothing is opened: a curtained console may show their number."""
    now = _VIEWS.where(RINGS, Ring.rang_at > unit.now - SHOWN_FOR).order_by(Ring.rang_at, Ring.id).limit(MOST)
    return tuple(RingView(**row) for row in unit.execute(now).mappings())


@needs(Permission.PATIENT_READ)
def callers(unit: ReadUnit, ring_ids: Sequence[int]) -> dict[int, str]:
    """The last four digits of who calls, where the number has that many; opened as one listing."""
    if not ring_ids:
        return {}
    with unit.listing("ringing"):
        rows = unit.execute(select(Ring.id, Ring.number).where(Ring.id.in_(ring_ids))).all()
        return {row.id: last_four(ContactKind.PHONE, unit.open(row.number)) or "" for row in rows}


@needs(Permission.PATIENT_READ)
def ring_card(unit: ReadUnit, ring_id: int) -> RingCard:
    """One call with whom it may be, opened and audited; NotFound where there is none."""
    view = unit.execute(_VIEWS.where(Ring.id == ring_id)).mappings().one_or_none()
    if view is None:
        raise NotFound(kind="call", id=ring_id)
    row = unit.execute(select(Ring.number, Ring.contact_point_id).where(Ring.id == ring_id)).one()
    known = users_of(unit, row.contact_point_id) if row.contact_point_id is not None else ()
    return RingCard(ring=RingView(**view), number=unit.open(row.number), candidates=briefs(unit, known))
