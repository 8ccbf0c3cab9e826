"""How a patient wants to be reached: channels, and numbers or addresses, in the patient's own order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, delete, insert, or_, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import UsageError
from crm_core.patients.roots import present, records_of
from crm_core.patients.tables import LINK, PATIENT, ROOT, ChannelPreference, ContactPreference
from crm_core.store.feed import Topic
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

_CHANNELS = cast("Table", ChannelPreference.__table__)
_POINTS = cast("Table", ContactPreference.__table__)


def preferences(unit: ReadUnit, patient_ids: Sequence[int]) -> Mapping[int, tuple[Channel, ...]]:
    """The channels that each of these patients ranked, the first choice first; one statement for any number.

    A patient who ranked none is not in it. Part of the gate, which asks no permission.
    """
    return _ranked(unit, _CHANNELS, _CHANNELS.c.channel, patient_ids)


def preferred_points(unit: ReadUnit, patient_ids: Sequence[int]) -> Mapping[int, tuple[int, ...]]:
    """The contact points that each of these patients ranked, the first choice first; one statement."""
    return _ranked(unit, _POINTS, _POINTS.c.contact_point_id, patient_ids)


def _ranked(unit: ReadUnit, table: Table, way: ColumnElement[Any], patient_ids: Sequence[int]) -> dict[int, Any]:
    """The order on a patient's own record; where there is none, that on a record merged into it."""
    rows = unit.execute(
        select(ROOT.label("root"), PATIENT.c.id, way.label("way"))
        .join(table, table.c.patient_id == PATIENT.c.id)
        .where(or_(unit.among(PATIENT.c.id, patient_ids), unit.among(PATIENT.c.merged_into_id, patient_ids)))
        .order_by(PATIENT.c.merged_into_id.is_not(None), PATIENT.c.merged_at.desc(), PATIENT.c.id, table.c.rank)
    )
    whose: dict[int, int] = {}
    ranked: dict[int, Any] = {}
    for row in rows:
        if whose.setdefault(row.root, row.id) == row.id:
            ranked[row.root] = (*ranked.get(row.root, ()), row.way)
    return ranked


@needs(Permission.CONSENT_RECORD)
def prefer(
    unit: WriteUnit, patient_id: int, channels: Sequence[Channel], contact_point_ids: Sequence[int] = ()
) -> None:
    """Keep this order in place of the one before; an empty one means that the patient has none.

    NotFound for an unknown patient; UsageError where a channel is named twice, or a number or
    address is not the patient's.
    """
    root = present(unit, patient_id)
    if len(set(channels)) < len(channels) or len(set(contact_point_ids)) < len(contact_point_ids):
        raise UsageError(problem="The same way is named twice", remedy="name each once, the first choice first")
    used = set(unit.scalars(select(LINK.c.contact_point_id).where(LINK.c.patient_id.in_(records_of(root)))))
    if not used.issuperset(contact_point_ids):
        raise UsageError(problem="That number or address is not on the patient's record", remedy="link it first")
    for table in (_CHANNELS, _POINTS):
        unit.execute(delete(table).where(table.c.patient_id.in_(records_of(root))))
    if channels:
        ranked = [{"patient_id": root, "channel": one, "rank": rank} for rank, one in enumerate(channels, 1)]
        unit.execute(insert(_CHANNELS), ranked)
    if contact_point_ids:
        points = [
            {"patient_id": root, "contact_point_id": one, "rank": rank} for rank, one in enumerate(contact_point_ids, 1)
        ]
        unit.execute(insert(_POINTS), points)
    unit.audit(Tag.PREFERENCE_SET, root, why=" ".join(channels) or None)
    unit.changed(Topic.PATIENTS)
