"""Times as staff say them: `due in 12 min`, `2 h late`, `paused`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

SOON = timedelta(minutes=30)
"""From here on a clock is coloured: there is still time to do something about it."""


class Urgency(StrEnum):
    """How a clock stands; each has a word in its text and a colour in the themes."""

    CALM = "calm"
    SOON = "soon"
    LATE = "late"
    PAUSED = "paused"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class ClockCell:
    """A clock as text, in full and for a narrow column."""

    text: str
    short: str
    urgency: Urgency


def span(length: timedelta) -> str:
    """A length of time in one unit, rounded down: `4 min`, `2 h`, `3 d`; under a minute `now`."""
    if length < _MINUTE:
        return "now"
    if length < _HOUR:
        return f"{length // _MINUTE} min"
    if length < 2 * _DAY:
        return f"{length // _HOUR} h"
    return f"{length // _DAY} d"


def clock_cell(due_at: datetime | None, now: datetime, *, paused: bool = False) -> ClockCell:
    """How the clock stands at `now`; both times aware. No due time means no clock runs."""
    if paused:
        return ClockCell(text="clock paused", short="paused", urgency=Urgency.PAUSED)
    if due_at is None:
        return ClockCell(text="no clock", short="–", urgency=Urgency.NONE)
    left = due_at - now
    if left < timedelta(0):
        late = span(-left)
        return ClockCell(
            text="due now" if late == "now" else f"{late} late",
            short="due now" if late == "now" else f"{late} late",
            urgency=Urgency.LATE,
        )
    short = span(left)
    return ClockCell(
        text="due now" if short == "now" else f"due in {short}",
        short="due now" if short == "now" else short,
        urgency=Urgency.SOON if left <= SOON else Urgency.CALM,
    )


def ago(at: datetime, now: datetime) -> str:
    """How long ago, for the age of a message or an alarm: `4 min ago`, `just now`."""
    length = span(now - at)
    return "just now" if length == "now" else f"{length} ago"
