"""Timers on each store, and handlers that do what a test tells them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Timer
from crm_core.timers.service import NewTimer, set_timers
from crm_core.timers.tables import TimerRow
from crm_core.work.units import WriteUnit


@dataclass
class Recording:
    """A handler that notes what it fired; `meanwhile` may raise, or change the world."""

    kind: str = "reminder"
    meanwhile: Callable[[WriteUnit, Sequence[Timer]], None] = lambda _unit, _timers: None
    again: Mapping[int, datetime] = field(default_factory=dict)
    """By subject, when it is to run once more."""
    fired: list[tuple[int, ...]] = field(default_factory=list)
    """The subjects of each call, in order; also of calls whose unit did not stand."""

    def fire(self, unit: WriteUnit, timers: Sequence[Timer]) -> Mapping[int, datetime]:
        self.fired.append(tuple(timer.subject_id for timer in timers))
        self.meanwhile(unit, timers)
        return {timer.id: self.again[timer.subject_id] for timer in timers if timer.subject_id in self.again}


def set_many(crm: Crm, subjects: Sequence[int], *, kind: str = "reminder", due_in: timedelta = timedelta(0)) -> int:
    """One timer for each subject; returns how many were new."""
    run_at = crm.clock.now() + due_in
    timers = [
        NewTimer(kind=kind, subject_id=one, run_at=run_at, dedup_key=f"{kind}-{one}-{run_at.timestamp()}")
        for one in subjects
    ]
    with crm.write(SYSTEM) as unit:
        return set_timers(unit, timers)


def chore(crm: Crm, *handlers: Recording) -> TimersChore:
    """A poller's chore over these handlers."""
    return TimersChore(crm.units, handlers)


def row_of(crm: Crm, subject: int) -> TimerRow:
    """The row of the one timer of that subject."""
    with crm.read(SYSTEM) as unit:
        return unit.session.execute(select(TimerRow).where(TimerRow.subject_id == subject)).scalar_one()


def states(crm: Crm) -> dict[str, int]:
    """How many timers stand in each state."""
    with crm.read(SYSTEM) as unit:
        found = unit.scalars(select(TimerRow.state))
    return {state.value: found.count(state) for state in found}


def never() -> bool:
    """A poller that nobody stops."""
    return False
