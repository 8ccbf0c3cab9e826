"""How a clock was counted: every stretch between two moments, and why it did or did not count."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from crm_core.hours.arithmetic import Pause
from crm_core.hours.calendar import Calendar
from crm_core.hours.wall_clock import moment, on_the_wall


class Kind(StrEnum):
    """What a stretch of time was to the clock."""

    COUNTED = "counted"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    PAUSED = "paused"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch from `start` to `end` in UTC; `why` names the holiday or the exception."""

    kind: Kind
    start: datetime
    end: datetime
    why: str = ""

    @property
    def length(self) -> timedelta:
        """How long it is on a watch, open or not."""
        return self.end - self.start


def segments(calendar: Calendar, a: datetime, b: datetime, pauses: Sequence[Pause] = ()) -> list[Segment]:
    """The stretches from `a` to `b` in order, without gaps; nothing where `b` is not later.

    The lengths of the counted ones add up to `between(a, b)`, less what `pauses` held back.
    """
    start, end = a.astimezone(UTC), b.astimezone(UTC)
    joined: list[Segment] = []
    for piece in _pieces(calendar, start, end):
        for part in _held_back(piece, pauses) if piece.kind is Kind.COUNTED else (piece,):
            before = joined[-1] if joined else None
            if before and (before.kind, before.why) == (part.kind, part.why):
                joined[-1] = replace(before, end=part.end)
            else:
                joined.append(part)
    return joined


def _pieces(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Segment]:
    """Day by day: the windows, and what is around them, cut to `start`..`end`."""
    day = start.astimezone(calendar.zone).date() - timedelta(days=1)
    while (midnight := _at(calendar, day, 0)) < end:
        closed, why = _day_off(calendar, day)
        edge = midnight
        stretches = [
            (kind, _at(calendar, day, minute))
            for window in calendar.windows(day)
            for kind, minute in ((closed, window.opens), (Kind.COUNTED, window.closes))
        ]
        for kind, until in [*stretches, (closed, _at(calendar, day + timedelta(days=1), 0))]:
            since, stop = max(edge, start), min(until, end)
            if since < stop:
                yield Segment(kind=kind, start=since, end=stop, why="" if kind is Kind.COUNTED else why)
            edge = until
        day += timedelta(days=1)


def _at(calendar: Calendar, day: date, minute: int) -> datetime:
    return moment(on_the_wall(calendar.zone, day, minute))


def _day_off(calendar: Calendar, day: date) -> tuple[Kind, str]:
    """What the closed part of `day` is called, and its name."""
    exception = calendar.exception(day)
    if exception is not None:
        return Kind.CLOSED, exception.why
    name = calendar.holidays.name_of(day)
    return (Kind.CLOSED, "") if name is None else (Kind.HOLIDAY, name)


def _held_back(piece: Segment, pauses: Sequence[Pause]) -> Iterator[Segment]:
    """`piece` cut at the edges of the pauses, each part paused or counted."""
    spans = [(begins, ends or piece.end) for begins, ends in pauses]
    edges = {piece.start, piece.end} | {edge.astimezone(UTC) for span in spans for edge in span}
    inside = sorted(edge for edge in edges if piece.start <= edge <= piece.end)
    for start, end in itertools.pairwise(inside):
        paused = any(begins <= start and end <= ends for begins, ends in spans)
        yield replace(piece, start=start, end=end, kind=Kind.PAUSED if paused else Kind.COUNTED)
