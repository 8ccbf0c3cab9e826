"""Setting timers and taking them back; what a poller does with them is in firing.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError
from crm_core.store.dialect import insert_or_ignore
from crm_core.store.feed import Topic
from crm_core.timers.model import TimerState
from crm_core.timers.tables import TimerRow
from crm_core.work.units import WriteUnit

_TABLE = cast("Table", TimerRow.__table__)


class NotDead(CrmError):
    """Timer {timer_id} is not one that was given up, or runs again already; look at `crm outbox` once more."""


@dataclass(frozen=True, kw_only=True)
class NewTimer:
    """A timer to be set: `run_at` is aware; `dedup_key` comes from dedup.py."""

    kind: str
    subject_id: int
    run_at: datetime
    dedup_key: str


@needs(Permission.TIMER_SET)
def set_timers(unit: WriteUnit, timers: Sequence[NewTimer]) -> int:
    """Set those whose occasion has no timer yet; returns how many that were."""
    if not timers:
        return 0
    ids = unit.new_ids("timer", len(timers))
    rows = [
        {
            "id": timer_id,
            "kind": timer.kind,
            "subject_id": timer.subject_id,
            "due_at": timer.run_at,
            "run_at": timer.run_at,
            "state": TimerState.WAITING,
            "dedup_key": timer.dedup_key,
            "created_at": unit.now,
        }
        for timer_id, timer in zip(ids, timers, strict=True)
    ]
    new = insert_or_ignore(unit.dialect, _TABLE, ["dedup_key"]).values(rows).returning(_TABLE.c.id)
    return len(unit.execute(new).all())


@needs(Permission.TIMER_SET)
def cancel_timers(unit: WriteUnit, kind: str, subject_ids: Sequence[int], why: str) -> int:
    """Take back what is waiting for these subjects, with the reason; returns how many. A lease on one is void."""
    waiting = (_TABLE.c.kind == kind, _TABLE.c.subject_id.in_(subject_ids), _TABLE.c.state == TimerState.WAITING)
    gone = update(_TABLE).where(*waiting)
    return int(
        unit.execute(
            gone.values(
                state=TimerState.CANCELLED,
                settled_at=unit.now,
                failure=why,
                lease_token=_TABLE.c.lease_token + 1,
            )
        ).rowcount
    )


@needs(Permission.TIMER_SET)
def move_timers(unit: WriteUnit, kind: str, subject_ids: Sequence[int], run_at: datetime) -> int:
    """Let what is waiting for these subjects run at another time; returns how many. A lease on one is void."""
    waiting = select(_TABLE.c.id).where(
        _TABLE.c.kind == kind, _TABLE.c.subject_id.in_(subject_ids), _TABLE.c.state == TimerState.WAITING
    )
    moved = update(_TABLE).where(_TABLE.c.id.in_(waiting))
    return int(unit.execute(moved.values(due_at=run_at, run_at=run_at, lease_token=_TABLE.c.lease_token + 1)).rowcount)


@needs(Permission.OUTBOX_RESOLVE)
def retry_timer(unit: WriteUnit, timer_id: int) -> None:
    """Let a dead timer run again now, with all its tries before it; NotDead where it is not dead (any more)."""
    dead = update(_TABLE).where(_TABLE.c.id == timer_id, _TABLE.c.state == TimerState.DEAD)
    again = {"state": TimerState.WAITING, "settled_at": None, "failure": None, "attempt": 0, "run_at": unit.now}
    if unit.execute(dead.values(again)).rowcount != 1:
        raise NotDead(timer_id=timer_id)
    unit.audit(Tag.TIMER_RETRIED, timer_id)
    unit.changed(Topic.POLLERS)
