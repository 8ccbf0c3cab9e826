"""Which patients use which contact points, kept in step with what an import says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from crm_core.patients.contact_points import ensure_points
from crm_core.patients.model import Origin
from crm_core.patients.preparing import PreparedContact
from crm_core.patients.tables import LINK, POINT
from crm_core.work.units import WriteUnit

_THIS_LINK = (LINK.c.patient_id == bindparam("of_patient")) & (LINK.c.contact_point_id == bindparam("of_point"))


def store_links(
    unit: WriteUnit, contacts: Mapping[int, Sequence[PreparedContact]], known: Sequence[int]
) -> dict[int, set[int]]:
    """Let each patient use exactly these contact points, and those that staff linked.

    `known` are the patients who existed before. Returns, by patient, the search tokens of
    the contact points that stay because staff linked them.
    """
    points = ensure_points(unit, [contact for each in contacts.values() for contact in each])
    existing, kept = _existing(unit, known)
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for patient_id, wanted in contacts.items():
        before = existing.get(patient_id, {})
        now = {points[contact.key]: contact for contact in wanted}
        for point_id, contact in now.items():
            values = {"use": contact.use, "rank": contact.rank}
            if point_id not in before:
                new.append(
                    {"patient_id": patient_id, "contact_point_id": point_id, "origin": Origin.IMPORT, "since": unit.now}
                    | values
                )
            elif before[point_id][0] is Origin.IMPORT and before[point_id][1:] != (contact.use, contact.rank):
                changed.append({"of_patient": patient_id, "of_point": point_id} | values)
        gone += [
            {"of_patient": patient_id, "of_point": point_id}
            for point_id, (origin, _, _) in before.items()
            if point_id not in now and origin is Origin.IMPORT
        ]
    if gone:
        unit.execute(delete(LINK).where(_THIS_LINK), gone)
    if changed:
        unit.execute(
            update(LINK).where(_THIS_LINK).values(use=bindparam("use"), rank=bindparam("rank")),
            changed,
        )
    if new:
        unit.execute(insert(LINK), new)
    return kept


def _existing(
    unit: WriteUnit, known: Sequence[int]
) -> tuple[dict[int, dict[int, tuple[Origin, Any, int]]], dict[int, set[int]]]:
    links: dict[int, dict[int, tuple[Origin, Any, int]]] = {}
    kept: dict[int, set[int]] = {}
    if not known:
        return links, kept
    rows = unit.execute(
        select(LINK, POINT.c.value_token, POINT.c.last_four_token)
        .join(POINT, POINT.c.id == LINK.c.contact_point_id)
        .where(LINK.c.patient_id.in_(known))
    )
    for row in rows:
        links.setdefault(row.patient_id, {})[row.contact_point_id] = (row.origin, row.use, row.rank)
        if row.origin is Origin.STAFF:
            kept.setdefault(row.patient_id, set()).update({row.value_token, row.last_four_token} - {None})
    return links, kept
