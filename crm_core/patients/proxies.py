"""Guardians and carers: who may speak for a patient, and who may receive what is for the patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, insert, or_, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import NotFound, UsageError
from crm_core.patients.briefs import briefs
from crm_core.patients.model import Relation
from crm_core.patients.roots import present, records_of
from crm_core.patients.tables import PATIENT, POINT, ROOT, ContactPoint, Proxy
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit, WriteUnit

_TABLE = cast("Table", Proxy.__table__)
LONGEST_NAME = 120


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class ProxyView:
    """One proxy of a patient. `in_force` says whether they may speak or receive today."""

    id: int
    patient_id: int
    name: Shown
    relation: Relation
    contact_point_id: int | None
    contact: Shown | None
    may_speak: bool
    may_receive: bool
    from_at: datetime
    until_at: datetime | None
    ended_at: datetime | None
    words: Shown | None
    in_force: bool


@needs(Permission.CONSENT_RECORD)
def add_proxy(
    unit: WriteUnit,
    patient_id: int,
    *,
    name: str,
    relation: Relation,
    contact_point_id: int | None,
    may_speak: bool,
    may_receive: bool,
    words: str | None = None,
    until_at: datetime | None = None,
) -> int:
    """Keep who may speak for a patient or receive for them, from now on; returns the proxy's id.

    UsageError where they may do neither, receive without a number or address, or end before now.
    """
    root = present(unit, patient_id)
    called = " ".join(name.split())[:LONGEST_NAME]
    if not called:
        raise UsageError(problem="A proxy has a name", remedy="give it as the patient says it")
    if not (may_speak or may_receive):
        raise UsageError(problem="A proxy may speak, receive, or both", remedy="say which")
    if may_receive and contact_point_id is None:
        raise UsageError(problem="Who receives needs a number or address", remedy="give it, or let them only speak")
    if until_at is not None and until_at <= unit.now:
        raise UsageError(problem="That end has passed", remedy="give a later end, or none")
    if contact_point_id is not None and unit.scalar(select(POINT.c.id).where(POINT.c.id == contact_point_id)) is None:
        raise NotFound(kind="contact point", id=contact_point_id)
    number = unit.new_id("proxy")
    unit.execute(
        insert(_TABLE).values(
            id=number,
            patient_id=root,
            contact_point_id=contact_point_id,
            relation=relation,
            may_speak=may_speak,
            may_receive=may_receive,
            from_at=unit.now,
            until_at=until_at,
            recorded_by=unit.actor.staff_id,
            recorded_at=unit.now,
            name_sealed=unit.seal(Field.PROXY_NAME, number, called),
            words_sealed=unit.seal(Field.PROXY_WORDS, number, (words or "").strip() or None),
        )
    )
    unit.audit(Tag.PROXY_ADDED, number, why=f"patient {root}")
    unit.changed(Topic.PATIENTS)
    return number


@needs(Permission.CONSENT_RECORD)
def end_proxy(unit: WriteUnit, patient_id: int, proxy_id: int) -> None:
    """From now on they may neither speak nor receive; NotFound where they are no proxy of that patient's now."""
    root = present(unit, patient_id)
    ended = unit.execute(
        update(_TABLE)
        .where(_TABLE.c.id == proxy_id, _TABLE.c.patient_id.in_(records_of(root)), _TABLE.c.ended_at.is_(None))
        .values(ended_at=unit.now, ended_by=unit.actor.staff_id)
    )
    if ended.rowcount != 1:
        raise NotFound(kind="proxy", id=proxy_id)
    unit.audit(Tag.PROXY_ENDED, proxy_id, why=f"patient {root}")
    unit.changed(Topic.PATIENTS)


@needs(Permission.PATIENT_READ)
def proxies(unit: ReadUnit, patient_id: int, *, ended: bool = False) -> tuple[ProxyView, ...]:
    """A patient's proxies, those in force first; with `ended` also those that are over. Opening them is audited."""
    root = present(unit, patient_id)
    rows = unit.execute(
        select(
            Proxy.id, Proxy.patient_id, Proxy.name, Proxy.relation, Proxy.contact_point_id, Proxy.may_speak,
            Proxy.may_receive, Proxy.from_at, Proxy.until_at, Proxy.ended_at, Proxy.words,
            ContactPoint.value.label("contact"),
        )
        .outerjoin(ContactPoint, ContactPoint.id == Proxy.contact_point_id)
        .where(Proxy.patient_id.in_(records_of(root)))
        .order_by(Proxy.id)
    ).all()  # fmt: skip
    seen = [row for row in rows if ended or _holds(row, unit.now)]
    views = [
        ProxyView(
            **{
                **row._mapping,  # noqa: SLF001 - Row's public API
                "patient_id": root,
                "name": unit.open(row.name) or Shown(""),
                "words": unit.open(row.words),
                "contact": unit.open(row.contact) if row.contact is not None else None,
                "in_force": _holds(row, unit.now),
            }
        )
        for row in seen
    ]
    return tuple(sorted(views, key=lambda view: not view.in_force))


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class SpokenFor:
    """A patient for whom somebody at a number may speak, and who that is."""

    patient_id: int
    patient: Shown
    proxy: Shown
    relation: Relation


@needs(Permission.PATIENT_READ)
def spoken_for(unit: ReadUnit, contact_point_id: int) -> tuple[SpokenFor, ...]:
    """For whom somebody at this number may speak now, by patient: whom a text from it may be about."""
    ids = spoken_for_by(unit, contact_point_id)
    with unit.listing("proxies", "number"):
        names = {brief.patient_id: brief.name for brief in briefs(unit, ids)}
        rows = unit.execute(
            select(Proxy.name, Proxy.relation, ROOT.label("root"))
            .join(PATIENT, PATIENT.c.id == Proxy.patient_id)
            .where(Proxy.contact_point_id == contact_point_id, Proxy.may_speak, in_force_now(unit))
            .order_by(Proxy.id)
        )
        found = [
            SpokenFor(
                patient_id=row.root,
                patient=names[row.root],
                proxy=unit.open(row.name) or Shown(""),
                relation=row.relation,
            )
            for row in rows
        ]
    return tuple(found)


@needs(Permission.PATIENT_READ)
def proxy_at(unit: ReadUnit, patient_id: int, contact_point_id: int) -> ProxyView | None:
    """Who at this number may speak for that patient or receive for them now; None where nobody may."""
    found = proxies(unit, patient_id)
    return next((one for one in found if one.contact_point_id == contact_point_id), None)


def speaker(unit: ReadUnit, patient_id: int, proxy_id: int) -> None:
    """Make sure that they may speak for that patient now; NotFound. No name is opened."""
    spoken = (_TABLE.c.id == proxy_id, _TABLE.c.patient_id.in_(records_of(patient_id)), _TABLE.c.may_speak)
    if unit.scalar(select(_TABLE.c.id).where(*spoken, in_force_now(unit))) is None:
        raise NotFound(kind="proxy who may speak, number", id=proxy_id)


def spoken_for_by(unit: ReadUnit, contact_point_id: int) -> tuple[int, ...]:
    """The patients for whom somebody at this number may speak now, by the ids they have now."""
    patients = (
        select(ROOT)
        .join(_TABLE, _TABLE.c.patient_id == PATIENT.c.id)
        .where(_TABLE.c.contact_point_id == contact_point_id, _TABLE.c.may_speak, in_force_now(unit))
    )
    return tuple(sorted(set(unit.scalars(patients))))


def receivers(unit: ReadUnit, patient_ids: Sequence[int]) -> Mapping[int, frozenset[int]]:
    """By patient, the numbers and addresses at which a proxy may receive for them now; one statement.

    Part of the gate, which asks no permission and opens nothing.
    """
    rows = unit.execute(
        select(ROOT.label("root"), _TABLE.c.contact_point_id)
        .join(PATIENT, PATIENT.c.id == _TABLE.c.patient_id)
        .where(
            or_(PATIENT.c.id.in_(patient_ids), PATIENT.c.merged_into_id.in_(patient_ids)),
            _TABLE.c.may_receive,
            _TABLE.c.contact_point_id.is_not(None),
            in_force_now(unit),
        )
    )
    found: dict[int, frozenset[int]] = {}
    for row in rows:
        found[row.root] = found.get(row.root, frozenset()) | {row.contact_point_id}
    return found


def in_force_now(unit: ReadUnit) -> ColumnElement[bool]:
    """The condition of a proxy who may act today."""
    until = _TABLE.c.until_at
    return _TABLE.c.ended_at.is_(None) & (_TABLE.c.from_at <= unit.now) & or_(until.is_(None), until > unit.now)


def _holds(row: Any, now: datetime) -> bool:
    return row.ended_at is None and row.from_at <= now and (row.until_at is None or row.until_at > now)
