"""Which messages their provider is asked about again, after it took them, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.tables import UNREPORTED, Outbox
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

ASKED_FOR = timedelta(days=3)
"""After that a message that is neither delivered nor failed stays sent: some carriers tell no more."""
SOONEST, LATEST = timedelta(seconds=5), timedelta(hours=1)
"""The pause before the next question: as long as the message is old, between these."""
_LEASE = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Unreported:
    """A message that its provider took, and of which nothing final is known."""

    id: int
    provider_id: str
    sent_at: datetime


@needs(Permission.OUTBOX_DELIVER)
def claim_unreported(unit: WriteUnit, gateway: str, channel: Channel, limit: int) -> list[Unreported]:
    """Take those that it is time to ask about, the newest first; nobody else asks about them meanwhile."""
    due = (
        select(Outbox.id, Outbox.provider_id, Outbox.settled_at)
        .where(*_due(unit, gateway), Outbox.channel == channel)
        .order_by(Outbox.settled_at.desc(), Outbox.id.desc())
        .limit(limit)
    )
    if unit.dialect == "postgresql":
        due = due.with_for_update(skip_locked=True)
    found = [
        Unreported(id=row.id, provider_id=row.provider_id, sent_at=row.settled_at) for row in unit.execute(due).all()
    ]
    _ask_at(unit, [(one, unit.now + _LEASE) for one in found])
    return found


@needs(Permission.POLLER_READ)
def longest_unasked(unit: ReadUnit, gateway: str) -> timedelta | None:
    """Since when the message that waits longest should have been asked about; None where none waits."""
    since = func.coalesce(Outbox.ask_at, Outbox.settled_at)
    oldest: datetime | None = unit.scalar(select(since).where(*_due(unit, gateway)).order_by(since).limit(1))
    return None if oldest is None else unit.now - oldest


@needs(Permission.OUTBOX_DELIVER)
def ask_again(unit: WriteUnit, undecided: Sequence[Unreported]) -> None:
    """Ask about these once more, after a pause that grows with their age."""
    _ask_at(unit, [(one, unit.now + min(max(unit.now - one.sent_at, SOONEST), LATEST)) for one in undecided])


@needs(Permission.OUTBOX_DELIVER)
def ask_no_more(unit: WriteUnit, forgotten: Sequence[Unreported]) -> None:
    """The provider has no such messages: it is not asked about them again."""
    _ask_at(unit, [(one, one.sent_at + ASKED_FOR) for one in forgotten])


def _due(unit: ReadUnit, gateway: str) -> tuple[Any, ...]:
    waits: ColumnElement[bool] = or_(Outbox.ask_at.is_(None), Outbox.ask_at <= unit.now)
    taken = (UNREPORTED, Outbox.gateway == gateway, Outbox.provider_id.is_not(None))
    return (*taken, Outbox.settled_at > unit.now - ASKED_FOR, waits)


def _ask_at(unit: WriteUnit, moments: Sequence[tuple[Unreported, datetime]]) -> None:
    table: Any = Outbox.__table__
    for one, moment in moments:
        unit.execute(update(table).where(table.c.id == one.id, UNREPORTED).values(ask_at=moment))
