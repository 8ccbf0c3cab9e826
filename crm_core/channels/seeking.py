"""What a provider is told of an attempt that it is asked after, so that it can tell it from others like it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.attempts import Claimed
from crm_core.channels.gateways.base import Sought
from crm_core.channels.model import Delivery
from crm_core.channels.tables import Message, Outbox
from crm_core.work.units import ReadUnit

_BEFORE = timedelta(days=1)
"""How long before an attempt a message of ours may have been settled and still be taken for it: clocks differ."""


@needs(Permission.OUTBOX_DELIVER)
def sought(unit: ReadUnit, row: Claimed) -> Sought:
    """The attempt as its gateway is asked after it, with what it must not be taken for."""
    begun_at = unit.scalar(select(Outbox.begun_at).where(Outbox.id == row.id)) or unit.now
    others = (
        Outbox.contact_point_id == row.candidate.contact_point_id,
        Outbox.gateway == (row.gateway.name if row.gateway else None),
        Outbox.id != row.id,
    )
    taken = unit.scalars(
        select(Outbox.provider_id).where(
            *others, Outbox.provider_id.is_not(None), Outbox.settled_at >= begun_at - _BEFORE
        )
    )
    return Sought(
        outgoing=row.outgoing,
        begun_at=begun_at,
        asked_at=unit.now,
        taken=frozenset(taken),
        twins=_twins(unit, row, begun_at, *others),
    )


def _twins(unit: ReadUnit, row: Claimed, begun_at: datetime, *others: object) -> int:
    """How many others to that number, with these very words, may be at the provider without our knowing their id."""
    unsure = (
        select(Message.body)
        .join(Outbox, Outbox.message_id == Message.id)
        .where(
            *others,  # type: ignore[arg-type]
            # One that a person found to be sent is there, too, and bears no id.
            or_(
                Outbox.state.in_((Delivery.SENDING, Delivery.UNKNOWN)),
                (Outbox.state == Delivery.SENT) & (Outbox.settled_at >= begun_at - _BEFORE),
            ),
            Outbox.begun_at.is_not(None),
            Outbox.provider_id.is_(None),
        )
    )
    with unit.listing("outbox", "number"):
        return sum(unit.open(body) == row.outgoing.body for body in unit.scalars(unsure))
