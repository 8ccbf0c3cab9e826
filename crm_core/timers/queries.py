"""What was given up, and how late timers are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.timers.model import DeadTimer
from crm_core.timers.tables import DEAD, WAITING, TimerRow
from crm_core.work.units import ReadUnit


@needs(Permission.POLLER_READ)
def behind(unit: ReadUnit, kinds: Sequence[str]) -> timedelta | None:
    """How long the oldest due timer of these kinds has waited; None where nothing is due."""
    due = select(TimerRow.run_at).where(WAITING, TimerRow.run_at <= unit.now, (TimerRow.kind + "").in_(kinds))
    oldest: datetime | None = unit.scalar(due.order_by(TimerRow.run_at, TimerRow.id).limit(1))
    return None if oldest is None else unit.now - oldest


@needs(Permission.OUTBOX_READ)
def dead_timers(unit: ReadUnit, limit: int = 200) -> list[DeadTimer]:
    """What was given up after its last try, newest first."""
    columns = (TimerRow.id, TimerRow.kind, TimerRow.subject_id, TimerRow.due_at)
    died = (TimerRow.attempt.label("tries"), TimerRow.failure, TimerRow.settled_at.label("died_at"))
    newest = select(*columns, *died).where(DEAD).order_by(TimerRow.settled_at.desc(), TimerRow.id.desc()).limit(limit)
    return [DeadTimer(**row) for row in unit.execute(newest).mappings()]
