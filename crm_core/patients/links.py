"""Which patients use which contact points, kept in step with what an import says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from crm_core.patients.contact_points import ensure_points
from crm_core.patients.model import ContactKind, Origin
from crm_core.patients.preparing import PreparedContact
from crm_core.patients.tables import LINK, POINT
from crm_core.work.units import WriteUnit

_THIS_LINK = (LINK.c.patient_id == bindparam("of_patient")) & (LINK.c.contact_point_id == bindparam("of_point"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A known patient has `new` in place of `old`; None where one only went or only came. Ids of contact points."""

    patient_id: int
    old: int | None
    new: int | None


@dataclass(kw_only=True, slots=True)
class Kept:
    """What became of the links of a batch: by patient the search tokens of what staff linked, and what changed."""

    tokens: dict[int, set[int]]
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Link:
    origin: Origin
    use: Any
    rank: int
    kind: ContactKind


def store_links(unit: WriteUnit, contacts: Mapping[int, Sequence[PreparedContact]], known: Sequence[int]) -> Kept:
    """Let each patient use exactly these contact points, and those that staff linked.

    `known` are the patients who existed before.
    """
    points = ensure_points(unit, [contact for each in contacts.values() for contact in each])
    existing, kept = _existing(unit, known)
    were_known = set(known)
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    changes: list[Change] = []
    for patient_id, wanted in contacts.items():
        before = existing.get(patient_id, {})
        now = {points[contact.key]: contact for contact in wanted}
        came: list[tuple[ContactKind, int]] = []
        for point_id, contact in now.items():
            values = {"use": contact.use, "rank": contact.rank}
            if point_id not in before:
                new.append(
                    {"patient_id": patient_id, "contact_point_id": point_id, "origin": Origin.IMPORT, "since": unit.now}
                    | values
                )
                came.append((contact.normal.kind, point_id))
            elif before[point_id].origin is Origin.IMPORT and values != {
                "use": before[point_id].use,
                "rank": before[point_id].rank,
            }:
                changed.append({"of_patient": patient_id, "of_point": point_id} | values)
        went = [
            (link.kind, point_id)
            for point_id, link in before.items()
            if point_id not in now and link.origin is Origin.IMPORT
        ]
        gone += [{"of_patient": patient_id, "of_point": point_id} for _, point_id in went]
        if patient_id in were_known:
            changes += _changes(patient_id, went, came)
    if gone:
        unit.execute(delete(LINK).where(_THIS_LINK), gone)
    if changed:
        unit.execute(
            update(LINK).where(_THIS_LINK).values(use=bindparam("use"), rank=bindparam("rank")),
            changed,
        )
    if new:
        unit.execute(insert(LINK), new)
    return Kept(tokens=kept, changes=changes)


def _changes(
    patient_id: int, went: Sequence[tuple[ContactKind, int]], came: Sequence[tuple[ContactKind, int]]
) -> Iterator[Change]:
    """Each that went with one of its kind that came, as far as they pair."""
    left = list(came)
    for kind, old in went:
        taken = next((one for one in left if one[0] is kind), None)
        if taken is not None:
            left.remove(taken)
        yield Change(patient_id=patient_id, old=old, new=taken[1] if taken else None)
    for _, new in left:
        yield Change(patient_id=patient_id, old=None, new=new)


def _existing(unit: WriteUnit, known: Sequence[int]) -> tuple[dict[int, dict[int, _Link]], dict[int, set[int]]]:
    links: dict[int, dict[int, _Link]] = {}
    kept: dict[int, set[int]] = {}
    if not known:
        return links, kept
    rows = unit.execute(
        select(LINK, POINT.c.kind, POINT.c.value_token, POINT.c.last_four_token)
        .join(POINT, POINT.c.id == LINK.c.contact_point_id)
        .where(LINK.c.patient_id.in_(known))
    )
    for row in rows:
        link = _Link(origin=row.origin, use=row.use, rank=row.rank, kind=row.kind)
        links.setdefault(row.patient_id, {})[row.contact_point_id] = link
        if row.origin is Origin.STAFF:
            kept.setdefault(row.patient_id, set()).update({row.value_token, row.last_four_token} - {None})
    return links, kept
