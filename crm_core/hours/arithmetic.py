"""Sums over business time: when so much of it will have passed, and how much has.

Times go in aware and come out in UTC. A window's edges are read off the wall clock, what lies
between them is counted as it passes. On the day of a clock change a window beside the change
(09:00-17:00) therefore counts as many hours as on any day, and one across it counts what is
truly worked: a night shift is an hour shorter in spring and an hour longer in autumn, and a
quarter of an hour round the clock is fifteen real minutes. Only so does `between(s, add(s, d))`
give `d` back at every moment of every zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from crm_core.hours.calendar import Calendar
from crm_core.hours.month import month, month_at, months_from
from crm_core.hours.wall_clock import MICROSECOND, micros, moment

Pause = tuple[datetime, datetime | None]
"""From when, until when a clock stood still; None while it still does."""


def add(calendar: Calendar, start: datetime, working_time: timedelta) -> datetime:
    """The first moment at which `working_time` has been worked since `start`.

    Friday 16:00 plus 1 h is Friday 17:00, the end of the day and not the next opening; plus
    nothing is `start` itself. ValueError for a negative time; NeverOpens where the calendar
    has too little open time within the horizon.
    """
    at = micros(start)
    wanted = working_time // MICROSECOND
    if wanted < 0:
        raise ValueError("working time to add cannot be negative")
    if wanted == 0:
        return moment(at)
    for index, ahead in enumerate(months_from(calendar, at)):
        if index == 0:
            wanted += ahead.worked_by(at)
        if wanted <= ahead.total:
            return moment(ahead.reached(wanted))
        wanted -= ahead.total
    raise AssertionError("months_from ends by raising")


def between(calendar: Calendar, a: datetime, b: datetime) -> timedelta:
    """The working time from `a` to `b`; negative where `b` is earlier."""
    start, end = micros(a), micros(b)
    if end < start:
        return -between(calendar, b, a)
    first, last = month_at(calendar, start), month_at(calendar, end)
    whole = sum(month(calendar, index).total for index in range(first.index, last.index))
    return (whole + last.worked_by(end) - first.worked_by(start)) * MICROSECOND


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Whether `at` is in working time; a closing moment is not."""
    moment_ = micros(at)
    return month_at(calendar, moment_).open_span(moment_) is not None


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """`at` while open, else the next opening: when the clock of what arrived at `at` starts."""
    since = micros(at)
    for ahead in months_from(calendar, since):
        if ahead.open_span(since) is not None:
            return moment(since)
        opening = next((opens for opens in ahead.opens if opens >= since), None)
        if opening is not None:
            return moment(opening)
    raise AssertionError("months_from ends by raising")


def due(calendar: Calendar, start: datetime, target: timedelta, pauses: Sequence[Pause] = ()) -> datetime | None:
    """When `target` of working time since `start` will have passed outside `pauses`.

    None while a pause without an end holds the clock. What was already due when a pause began
    stays due then. The pauses are kept apart from the target, so that a changed target is
    judged as if it had held from the start. They may overlap and come in any order.
    """
    left, since = target, start.astimezone(UTC)
    for begins, ends in sorted(pauses, key=lambda pause: pause[0]):
        if begins > since:
            worked = between(calendar, since, begins)
            if worked >= left:
                break
            left -= worked
        if ends is None:
            return None
        since = max(since, begins, ends)
    return add(calendar, since, left)
