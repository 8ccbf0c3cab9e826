"""What a timer is, who handles it, and what a poller's chore is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from crm_core.work.units import ReadUnit, WriteUnit

LATE = timedelta(minutes=2)
"""What has been due for longer is late: pollers look every second, and a lease is a minute."""


class TimerState(StrEnum):
    """`waiting` until it has been handled; a claimed timer is one whose `run_at` lies a lease ahead."""

    WAITING = "waiting"
    DONE = "done"
    CANCELLED = "cancelled"
    DEAD = "dead"


@dataclass(frozen=True, kw_only=True)
class Timer:
    """A claimed timer in its handler's hands.

    `due_at` is when it was to run; `attempt` counts this try, from 1; `token` is the lease's, which
    finishing demands.
    """

    id: int
    kind: str
    subject_id: int
    due_at: datetime
    attempt: int
    token: int


@dataclass(frozen=True, kw_only=True)
class DeadTimer:
    """A timer that was given up after its last try, for a person to run again; `failure` is a code."""

    id: int
    kind: str
    subject_id: int
    due_at: datetime
    tries: int
    failure: str
    died_at: datetime


class TimerHandler(Protocol):
    """One feature's handling of its kind of timer, registered in app.py."""

    @property
    def kind(self) -> str: ...

    def fire(self, unit: WriteUnit, timers: Sequence[Timer]) -> Mapping[int, datetime]:
        """Look at the world again and do what is due, for all of them in this one unit.

        Returns the timers (by id) that are to run once more, and when; the others are done. An
        error undoes the whole unit: the batch is then run singly, and the one that fails alone is
        retried with a growing pause, at last `dead`. A subject that is gone or settled is no error.
        """


@dataclass(kw_only=True)
class Tally:
    """What pollers did; `dead` gave up after the last try. Timers and messages are counted alike."""

    claimed: int = 0
    done: int = 0
    retried: int = 0
    dead: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0

    def add(self, other: Tally) -> None:
        """Count another run in."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True, kw_only=True)
class Alive:
    """Which process polls what; `process` is its number on `host`."""

    host: str
    process: int
    kinds: tuple[str, ...]
    inside_console: bool


@dataclass(frozen=True, kw_only=True)
class PollerView:
    """A process that polls, or did; `lives` by its last sign of life, `stopped_at` where it ended in order."""

    id: int
    alive: Alive
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None
    lives: bool


@dataclass(frozen=True, kw_only=True)
class KindView:
    """One kind of work: how many living pollers do it, and how long its oldest piece has been due."""

    kind: str
    polled_by: int
    behind: timedelta | None


@dataclass(frozen=True, kw_only=True)
class Polling:
    """How it stands with the pollers: the living first, then those that ended or fell silent since yesterday."""

    pollers: tuple[PollerView, ...]
    kinds: tuple[KindView, ...]

    @property
    def living(self) -> tuple[PollerView, ...]:
        """Those that were heard within the last half minute."""
        return tuple(one for one in self.pollers if one.lives)

    @property
    def late(self) -> tuple[KindView, ...]:
        """The kinds whose oldest work has been due for longer than LATE, the latest first."""
        behind = [(one.behind, one) for one in self.kinds if one.behind is not None and one.behind > LATE]
        return tuple(one for _, one in sorted(behind, key=lambda pair: pair[0], reverse=True))

    @property
    def unpolled(self) -> tuple[str, ...]:
        """The kinds that no living poller does."""
        return tuple(one.kind for one in self.kinds if not one.polled_by)


class Chore(Protocol):
    """One kind of work that `crm poll --kinds` names and a poller does again and again, off any other's way."""

    @property
    def kind(self) -> str: ...

    @property
    def every(self) -> timedelta:
        """The pause between two runs that found nothing."""

    def run(self, stopped: Callable[[], bool]) -> Tally:
        """Do what is due until nothing is, or until `stopped`, which is asked between two pieces of work.

        It returns once nothing is due, and never waits for more: `crm poll --once` calls it, too.
        """

    def behind(self, unit: ReadUnit) -> timedelta | None:
        """How long the oldest work of this kind that lies in the store has been due; None where none is."""

    def close(self) -> None:
        """Let go of connections; running again opens new ones."""


@runtime_checkable
class WaitingChore(Chore, Protocol):
    """A chore whose provider says when there is something to do (IMAP's IDLE)."""

    def wait(self, stopped: Callable[[], bool]) -> None:
        """Return when there may be something to do; asks `stopped` at least every five seconds.

        Called between two runs, in place of the pause `every`, in the chore's own thread.
        """
