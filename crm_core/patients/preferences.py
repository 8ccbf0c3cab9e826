"""How a patient wants to be reached: channels, and numbers or addresses, in the patient's own order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from sqlalchemy import Table, delete, insert, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import UsageError
from crm_core.patients.roots import present, records_of
from crm_core.patients.tables import LINK, ChannelPreference, ContactPreference
from crm_core.store.feed import Topic
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

_CHANNELS = cast("Table", ChannelPreference.__table__)
_POINTS = cast("Table", ContactPreference.__table__)


def preferences(unit: ReadUnit, patient_ids: Sequence[int]) -> Mapping[int, tuple[Channel, ...]]:
    """The channels that each of these patients ranked, the first choice first; one statement for any number.

    A patient who ranked none is not in it. Part of the gate, which asks no permission.
    """
    rows = unit.execute(
        select(_CHANNELS.c.patient_id, _CHANNELS.c.channel)
        .where(_CHANNELS.c.patient_id.in_(patient_ids))
        .order_by(_CHANNELS.c.patient_id, _CHANNELS.c.rank)
    )
    ranked: dict[int, tuple[Channel, ...]] = {}
    for row in rows:
        ranked[row.patient_id] = (*ranked.get(row.patient_id, ()), row.channel)
    return ranked


def preferred_points(unit: ReadUnit, patient_ids: Sequence[int]) -> Mapping[int, tuple[int, ...]]:
    """The contact points that each of these patients ranked, the first choice first; one statement."""
    rows = unit.execute(
        select(_POINTS.c.patient_id, _POINTS.c.contact_point_id)
        .where(_POINTS.c.patient_id.in_(patient_ids))
        .order_by(_POINTS.c.patient_id, _POINTS.c.rank)
    )
    ranked: dict[int, tuple[int, ...]] = {}
    for row in rows:
        ranked[row.patient_id] = (*ranked.get(row.patient_id, ()), row.contact_point_id)
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
    unit.execute(delete(_CHANNELS).where(_CHANNELS.c.patient_id == root))
    unit.execute(delete(_POINTS).where(_POINTS.c.patient_id == root))
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
