"""What was given up, which pollers live, and how late they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.timers.heartbeats import FRESH
from crm_core.timers.model import Alive, Chore, DeadTimer, KindView, PollerView, Polling
from crm_core.timers.tables import DEAD, WAITING, PollerRow, TimerRow
from crm_core.work.units import ReadUnit

_REMEMBERED = timedelta(days=1)
_MOST_POLLERS = 100


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


@needs(Permission.POLLER_READ)
def polling(unit: ReadUnit, chores: Sequence[Chore]) -> Polling:
    """Which pollers live, and for each kind of these chores who does it and how late it is."""
    pollers = sorted(_pollers(unit), key=lambda one: not one.lives)
    living = [one.alive.kinds for one in pollers if one.lives]
    kinds: dict[str, timedelta | None] = {}
    for chore in chores:
        late = chore.behind(unit)
        known = kinds.get(chore.kind)
        kinds[chore.kind] = late if known is None or (late is not None and late > known) else known
    return Polling(
        pollers=tuple(pollers),
        kinds=tuple(
            KindView(kind=kind, polled_by=sum(kind in some for some in living), behind=late)
            for kind, late in kinds.items()
        ),
    )


def _pollers(unit: ReadUnit) -> list[PollerView]:
    fresh = unit.now - FRESH
    recent = PollerRow.seen_at > unit.now - _REMEMBERED
    rows = unit.session.execute(
        select(PollerRow).where(recent).order_by(PollerRow.seen_at.desc(), PollerRow.id).limit(_MOST_POLLERS)
    ).scalars()
    return [
        PollerView(
            id=row.id,
            alive=Alive(
                host=row.host,
                process=row.process,
                kinds=tuple(row.kinds.split()),
                inside_console=row.inside_console,
            ),
            started_at=row.started_at,
            seen_at=row.seen_at,
            stopped_at=row.stopped_at,
            lives=row.stopped_at is None and row.seen_at > fresh,
        )
        for row in rows
    ]
