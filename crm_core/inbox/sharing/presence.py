"""Who else has this conversation before them: seen a moment ago, or gone by themselves. Not audited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.inbox.record import current
from crm_core.inbox.tables import Presence
from crm_core.store.dialect import upsert
from crm_core.store.feed import Topic
from crm_core.work.units import ReadUnit, WriteUnit

FADES_AFTER = timedelta(seconds=30)
"""After the last sign (domain.md, Two at one desk)."""
_KEY = ("conversation_id", "staff_id")


@dataclass(frozen=True, kw_only=True)
class Present:
    """A colleague who is here, until when if there is no further sign."""

    staff_id: int
    name: str
    writing: bool
    fades_at: datetime


@needs(Permission.CONVERSATION_READ)
def here(unit: WriteUnit, conversation_id: int, *, writing: bool) -> None:
    """Say that I have it before me, and whether I write.

    Colleagues are told where they would see something else than before; a mere further sign they
    find when they look again, before the last one they know fades.
    """
    current(unit, conversation_id, lock=False)
    mine = (Presence.conversation_id == conversation_id, Presence.staff_id == unit.actor.staff_id)
    before = unit.execute(select(Presence.seen_at, Presence.writing).where(*mine)).one_or_none()
    row = {
        "conversation_id": conversation_id,
        "staff_id": unit.actor.staff_id,
        "seen_at": unit.now,
        "writing": writing,
    }
    unit.execute(upsert(unit.dialect, Presence.__table__, _KEY, ("seen_at", "writing")), [row])
    if before is None or before.writing != writing or before.seen_at + FADES_AFTER <= unit.now:
        # Others' rows that a crash left behind go when somebody is here again.
        gone = Presence.seen_at <= unit.now - FADES_AFTER
        unit.execute(delete(Presence).where(Presence.conversation_id == conversation_id, gone))
        unit.changed(Topic.PRESENCE)


@needs(Permission.CONVERSATION_READ)
def leave(unit: WriteUnit, conversation_id: int) -> None:
    """Say that I have it before me no longer."""
    mine = (Presence.conversation_id == conversation_id, Presence.staff_id == unit.actor.staff_id)
    if unit.execute(delete(Presence).where(*mine)).rowcount:
        unit.changed(Topic.PRESENCE)


@needs(Permission.CONVERSATION_READ)
def who_is_here(unit: ReadUnit, conversation_id: int) -> tuple[Present, ...]:
    """The colleagues who are here, by name; two statements, and nothing is opened."""
    current(unit, conversation_id, lock=False)
    seen = unit.execute(
        select(Presence.staff_id, Presence.seen_at, Presence.writing, Staff.name)
        .join(Staff, Staff.id == Presence.staff_id)
        .where(
            Presence.conversation_id == conversation_id,
            Presence.staff_id != unit.actor.staff_id,
            Presence.seen_at > unit.now - FADES_AFTER,
        )
        .order_by(Staff.name, Staff.id)
    )
    return tuple(
        Present(staff_id=row.staff_id, name=row.name, writing=row.writing, fades_at=row.seen_at + FADES_AFTER)
        for row in seen
    )
