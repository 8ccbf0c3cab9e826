"""A conversation's three clocks, counted from its history: no I/O, and nothing kept but the steps.

First response runs from the patient's first message to a person's first answer; next response
from the first message after an answer to the next one; resolution from the beginning to the end.
Each counts the working time of the lane's calendar and stands still while the patient is waited
on, or the conversation is closed. A changed calendar or target is judged as if it had held from
the start (domain.md, Pause).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm_core.hours.arithmetic import Pause, due
from crm_core.hours.calendar import Calendar
from crm_core.inbox.model import END_OF_TIME, ClockKind, Mark, State, Turn, urgency_of
from crm_core.words import Priority

STANDS_STILL = frozenset({State.WAITING_PATIENT, State.CLOSED})
"""The states in which no clock counts."""


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Working time within which each clock is to end; `warn` is the share of it after which it is warned of."""

    first_response: timedelta
    next_response: timedelta
    resolution: timedelta
    warn: float

    def of(self, kind: ClockKind) -> timedelta:
        """The target of one clock."""
        target: timedelta = getattr(self, kind.value)
        return target


@dataclass(frozen=True, kw_only=True)
class Event:
    """One step as the clocks see it: the state it led to, and whose turn it made it.

    `anew`: its turn is what two histories made it together, whatever this one alone would say.
    """

    at: datetime
    state: State
    turn: Turn | None = None
    turn_at: datetime | None = None
    anew: bool = False


@dataclass(frozen=True, kw_only=True)
class Life:
    """What has happened to a conversation since it began, in the order it was recorded, without what was undone."""

    opened_at: datetime
    events: tuple[Event, ...] = ()

    def then(self, event: Event) -> Life:
        """With one more step."""
        return Life(opened_at=self.opened_at, events=(*self.events, event))

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """When the clocks stood still; None where they still do."""
        found: list[Pause] = []
        since = None
        for event in self.events:
            still = event.state in STANDS_STILL
            if still and since is None:
                since = event.at
            elif not still and since is not None:
                found.append((since, event.at))
                since = None
        return (*found, (since, None)) if since is not None else tuple(found)

    @property
    def owed_since(self) -> datetime | None:
        """The first message that nobody has answered; None while staff spoke last, or once it is closed."""
        return next((since for _, since, ended_at, _ in _responses(self) if ended_at is None), None)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One clock from its beginning: `ended_at` is None while it runs, `met` says that an answer or the end came.

    `due_at`, `warn_at` and `late_at` (overdue by a full target) are None while it stands still.
    """

    kind: ClockKind
    since: datetime
    target: timedelta
    ended_at: datetime | None
    met: bool
    due_at: datetime | None
    warn_at: datetime | None
    late_at: datetime | None

    @property
    def marks(self) -> tuple[tuple[Mark, datetime], ...]:
        """What is to be recorded of it, and when; nothing while it stands still."""
        when = ((Mark.WARNED, self.warn_at), (Mark.BREACHED, self.due_at))
        return tuple((mark, at) for mark, at in when if at is not None)


def runs(calendar: Calendar, targets: Targets, life: Life, *, ended: bool = False) -> tuple[Run, ...]:
    """The clocks that run, in the order they began; with `ended`, those that have ended before them too."""
    pauses = life.pauses
    spans = (span for span in (*_responses(life), _resolution(life)) if ended or span[2] is None)
    return tuple(sorted((_run(calendar, targets, pauses, span) for span in spans), key=_began))


def clock_columns(
    counted: Iterable[Run], priority: Priority, now: datetime, *, danger: bool = False, unscreened: bool = False
) -> dict[str, Any]:
    """The columns that hold what the clocks say: the earliest that is unmet, and what is next to be recorded.

    A `late_at` that has passed is not kept: the item has risen by its step already.
    """
    running = [run for run in counted if run.ended_at is None and run.due_at is not None]
    first = min(running, key=lambda run: run.due_at or END_OF_TIME, default=None)
    late_at = min((run.late_at for run in running if run.late_at is not None), default=None)
    late = late_at is not None and late_at <= now
    return {
        "due_at": first.due_at if first else None,
        "due_order": (first.due_at if first else None) or END_OF_TIME,
        "due_clock": first.kind if first else None,
        "late_at": None if late else late_at,
        "mark_at": next_mark(running),
        "urgency": urgency_of(priority, danger=danger, unscreened=unscreened, late=late),
    }


def next_mark(counted: Iterable[Run], after: datetime | None = None) -> datetime | None:
    """When something is next to be recorded of these clocks, later than `after`."""
    times = (at for run in counted if run.ended_at is None for _, at in run.marks)
    return min((at for at in times if after is None or at > after), default=None)


_Span = tuple[ClockKind, datetime, datetime | None, bool]


def _responses(life: Life) -> Iterator[_Span]:
    """From each first unanswered message to the answer, or to the end without one."""
    kind, asked = ClockKind.FIRST_RESPONSE, life.opened_at
    owed: datetime | None = asked
    for event in life.events:
        if event.turn is Turn.ASKED and event.turn_at is not None:
            # A text may arrive after one that was sent later.
            owed = event.turn_at if owed is None or event.anew else min(owed, event.turn_at)
        elif event.turn is Turn.ANSWERED and owed is not None:
            yield kind, owed, event.turn_at, True
            owed = None
        if event.turn is Turn.ANSWERED:
            kind = ClockKind.NEXT_RESPONSE
        if event.state is State.CLOSED and owed is not None:
            yield kind, owed, event.at, False
            owed = None
    if owed is not None:
        yield kind, owed, None, False


def _resolution(life: Life) -> _Span:
    last = life.events[-1] if life.events else None
    ended = last.at if last is not None and last.state is State.CLOSED else None
    return ClockKind.RESOLUTION, life.opened_at, ended, ended is not None


def _run(calendar: Calendar, targets: Targets, pauses: Sequence[Pause], span: _Span) -> Run:
    kind, since, ended_at, met = span
    target = targets.of(kind)
    before = [pause for pause in pauses if ended_at is None or pause[0] < ended_at]
    return Run(
        kind=kind,
        since=since,
        target=target,
        ended_at=ended_at,
        met=met,
        due_at=due(calendar, since, target, before),
        warn_at=due(calendar, since, target * targets.warn, before),
        late_at=due(calendar, since, 2 * target, before),
    )


def _began(run: Run) -> tuple[datetime, str]:
    return run.since, run.kind
