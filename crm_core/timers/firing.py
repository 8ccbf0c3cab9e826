"""The statements by which timers are claimed, fired and settled; chore.py says in which order.

A timer is claimed by moving its `run_at` a lease ahead and raising its token: a lease that ran out
is simply due again. Finishing demands the token, so a poller that slept through its lease leaves
nothing of what it did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, case, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Outcome, Tag
from crm_core.errors import CrmError
from crm_core.store.dialect import pair_among
from crm_core.store.feed import Topic
from crm_core.timers.model import Timer, TimerHandler, TimerState
from crm_core.timers.retrying import MOST_TRIES, backoff
from crm_core.timers.tables import WAITING, TimerRow
from crm_core.work.units import WriteUnit

BATCH = 200
"""Timers settled together: what a batch costs whatever its size is shared by more than by 50 (docs/pollers.md)."""
LEASE = timedelta(seconds=60)
LONGEST_FAILURE = 80

_TABLE = cast("Table", TimerRow.__table__)


class Fenced(CrmError):
    """Another poller has these timers by now; nothing was done here."""


@needs(Permission.OUTBOX_DELIVER)
def claim(unit: WriteUnit, kinds: Sequence[str], limit: int = BATCH) -> list[Timer]:
    """Take up to `limit` due timers of these kinds for LEASE, those first that were due first."""
    due = (
        select(_TABLE.c.id)
        .where(WAITING, _TABLE.c.run_at <= unit.now, _of(kinds))
        .order_by(_TABLE.c.run_at, _TABLE.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    leased = {
        "run_at": unit.now + LEASE,
        "attempt": _TABLE.c.attempt + 1,
        "lease_token": _TABLE.c.lease_token + 1,
    }
    taken = update(_TABLE).where(_TABLE.c.id.in_(select(due.c.id))).values(leased)
    facts = (_TABLE.c.id, _TABLE.c.kind, _TABLE.c.subject_id, _TABLE.c.due_at, _TABLE.c.attempt)
    rows = unit.execute(taken.returning(*facts, _TABLE.c.lease_token.label("token"))).mappings()
    return sorted((Timer(**row) for row in rows), key=lambda timer: (timer.due_at, timer.id))


def _of(kinds: Sequence[str]) -> ColumnElement[bool]:
    # Bare, the column would lead SQLite to the index of subjects: every timer still to come would be read.
    return (_TABLE.c.kind + "").in_(kinds)


@needs(Permission.OUTBOX_DELIVER)
def settle(unit: WriteUnit, timers: Sequence[Timer], handlers: Mapping[str, TimerHandler]) -> None:
    """Fire these timers, kind by kind, and finish them by one statement; Fenced where one is ours no more."""
    again: dict[int, datetime] = {}
    by_kind: dict[str, list[Timer]] = {}
    for timer in timers:
        by_kind.setdefault(timer.kind, []).append(timer)
    for kind, fired in by_kind.items():
        again.update(handlers[kind].fire(unit, fired))
    if _change(unit, timers, _finished(unit.now, again)) != len(timers):
        raise Fenced


def _finished(now: datetime, again: Mapping[int, datetime]) -> dict[str, Any]:
    if not again:
        return {"state": TimerState.DONE, "settled_at": now, "failure": None}
    runs = _TABLE.c.id.in_(again)
    run_at = case(dict(again), value=_TABLE.c.id, else_=_TABLE.c.run_at)
    return {
        "state": case((runs, TimerState.WAITING.value), else_=TimerState.DONE.value),
        "settled_at": case((runs, None), else_=now),
        "failure": None,
        "attempt": case((runs, 0), else_=_TABLE.c.attempt),
        "run_at": run_at,
        "due_at": case(dict(again), value=_TABLE.c.id, else_=_TABLE.c.due_at),
    }


@needs(Permission.OUTBOX_DELIVER)
def put_off(unit: WriteUnit, timer: Timer, failure: str) -> TimerState | None:
    """Let a timer that failed run again after a pause, or be dead after its last try; None if it is ours no more.

    `failure` is a code, such as the name of an error's class.
    """
    dead = timer.attempt >= MOST_TRIES
    values: dict[str, Any] = {"failure": failure[:LONGEST_FAILURE]}
    if dead:
        values |= {"state": TimerState.DEAD, "settled_at": unit.now}
    else:
        values |= {"run_at": unit.now + backoff(timer.attempt)}
    if _change(unit, [timer], values) == 0:
        return None
    if dead:
        unit.audit(Tag.TIMER_DEAD, timer.id, why=f"{timer.kind}: {failure}", outcome=Outcome.FAILED)
        unit.changed(Topic.POLLERS)
    return TimerState.DEAD if dead else TimerState.WAITING


@needs(Permission.OUTBOX_DELIVER)
def give_back(unit: WriteUnit, timers: Sequence[Timer]) -> None:
    """Let others have what was claimed and not tried: due at once, and the try not counted."""
    _change(unit, timers, {"run_at": unit.now, "attempt": _TABLE.c.attempt - 1})


def _change(unit: WriteUnit, timers: Sequence[Timer], values: Mapping[str, Any]) -> int:
    """Change those that are still in our hands, by their tokens; returns how many."""
    ours = (
        unit.among(_TABLE.c.id, [timer.id for timer in timers]),
        pair_among(unit.dialect, _TABLE.c.id, _TABLE.c.lease_token, [(timer.id, timer.token) for timer in timers]),
        _TABLE.c.state == TimerState.WAITING,
    )
    return int(unit.execute(update(_TABLE).where(*ours).values(dict(values))).rowcount)
