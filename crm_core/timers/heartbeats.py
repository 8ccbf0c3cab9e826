"""The sign of life of a process that polls: a row, written again every ten seconds, never audited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, delete, insert, or_, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.store.feed import Topic
from crm_core.timers.model import Alive
from crm_core.timers.tables import PollerRow
from crm_core.work.units import ReadUnit, WriteUnit

BEAT_EVERY = timedelta(seconds=10)
FRESH = timedelta(seconds=30)
"""A poller that was not heard for longer does not live, as far as anyone knows."""
KEPT = timedelta(days=7)
"""How long it is remembered which pollers there were."""

_TABLE = cast("Table", PollerRow.__table__)


@needs(Permission.OUTBOX_DELIVER)
def begin(unit: WriteUnit, alive: Alive) -> int:
    """Write down a poller that starts, and forget those of a week ago; returns its number."""
    poller_id = unit.new_id("poller")
    unit.execute(delete(_TABLE).where(_TABLE.c.seen_at < unit.now - KEPT))
    _insert(unit, poller_id, alive)
    unit.changed(Topic.POLLERS)
    return poller_id


@needs(Permission.OUTBOX_DELIVER)
def beat(unit: WriteUnit, poller_id: int, alive: Alive) -> None:
    """Say that it lives; one that others forgot meanwhile is written down again."""
    mine = update(_TABLE).where(_TABLE.c.id == poller_id).values(seen_at=unit.now)
    if unit.execute(mine).rowcount == 0:
        _insert(unit, poller_id, alive)


@needs(Permission.OUTBOX_DELIVER)
def end(unit: WriteUnit, poller_id: int) -> None:
    """Write down that it stopped, and is not missed."""
    mine = update(_TABLE).where(_TABLE.c.id == poller_id)
    unit.execute(mine.values(seen_at=unit.now, stopped_at=unit.now))
    unit.changed(Topic.POLLERS)


@needs(Permission.POLLER_READ)
def others_live(unit: ReadUnit, mine: int | None) -> bool:
    """Whether a console may leave the polling to another process.

    `mine` is the number of the poller inside this console, None where it runs none. Of several
    consoles that poll, the one that began first goes on.
    """
    others: tuple[ColumnElement[bool], ...] = ()
    if mine is not None:
        before = or_(_TABLE.c.inside_console.is_(False), _TABLE.c.id < mine)
        others = (_TABLE.c.id != mine, before)
    live = select(_TABLE.c.id).where(_TABLE.c.seen_at > unit.now - FRESH, _TABLE.c.stopped_at.is_(None), *others)
    return unit.scalar(live.limit(1)) is not None


def _insert(unit: WriteUnit, poller_id: int, alive: Alive) -> None:
    row: dict[str, Any] = {
        "id": poller_id,
        "host": alive.host,
        "process": alive.process,
        "inside_console": alive.inside_console,
        "kinds": " ".join(alive.kinds),
        "started_at": unit.now,
        "seen_at": unit.now,
    }
    unit.execute(insert(_TABLE).values(row))
