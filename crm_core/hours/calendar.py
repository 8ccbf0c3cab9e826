"""Calendars: on which days, at which hours of the wall clock, a clinic works."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_core.hours.errors import BadWindow, NoHours, OverlappingHours, RepeatedDay, UnknownZone
from crm_core.hours.public_days import public_days

MINUTES_A_DAY = 24 * 60
_WINDOW = re.compile(r"(\d\d):([0-5]\d)\s*[-–]\s*(\d\d):([0-5]\d)")


class Weekday(IntEnum):
    """Days of the week as `date.weekday()` counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


@dataclass(frozen=True, kw_only=True, order=True)
class Window:
    """A span of one day in minutes of the wall clock; `closes` 1440 is midnight at its end."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= MINUTES_A_DAY:
            raise BadWindow(text=str(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """`09:00-17:00` or `18:00-24:00`; a night shift is two windows, parted at midnight."""
        match = _WINDOW.fullmatch(text.strip())
        if match is None:
            raise BadWindow(text=repr(text))
        hour, minute, to_hour, to_minute = map(int, match.groups())
        return cls(opens=60 * hour + minute, closes=60 * to_hour + to_minute)

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


Windows = tuple[Window, ...]


def in_order(windows: Windows) -> Windows:
    """`windows` sorted; OverlappingHours where two of them share a minute."""
    ordered = tuple(sorted(windows))
    for first, second in itertools.pairwise(ordered):
        if second.opens < first.closes:
            raise OverlappingHours(first=first, second=second)
    return ordered


@dataclass(frozen=True, kw_only=True)
class DatedHours:
    """One date that differs: other hours, or none. It beats weekday and holiday."""

    day: date
    windows: Windows = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Holidays:
    """Days off by law in a country and region, and own ones.

    `worked` names public holidays on which this calendar is open all the same.
    """

    country: str | None = None
    region: str | None = None
    days: Mapping[date, str] = field(default_factory=dict, hash=False)
    worked: frozenset[str] = frozenset()

    def name_of(self, day: date) -> str | None:
        """What is kept on `day`, or None."""
        own = self.days.get(day)
        if own is not None or self.country is None:
            return own
        name = public_days(self.country, self.region, day.year).get(day)
        return None if name in self.worked else name


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """Working hours as a wall clock in `zone` shows them.

    `weekly` holds the windows of each weekday that has any. A calendar without any is refused
    here, so that no sum over it can run for ever.
    """

    name: str
    zone: ZoneInfo
    weekly: Mapping[Weekday, Windows]
    holidays: Holidays = Holidays()
    exceptions: tuple[DatedHours, ...] = ()

    def __post_init__(self) -> None:
        weekly = {day: in_order(self.weekly[day]) for day in sorted(self.weekly) if self.weekly[day]}
        if not weekly:
            raise NoHours(calendar=self.name)
        object.__setattr__(self, "weekly", weekly)
        exceptions = tuple(
            DatedHours(day=one.day, windows=in_order(one.windows), why=one.why)
            for one in sorted(self.exceptions, key=lambda one: one.day)
        )
        for first, second in itertools.pairwise(exceptions):
            if first.day == second.day:
                raise RepeatedDay(day=first.day)
        object.__setattr__(self, "exceptions", exceptions)

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        # Every sum looks its months up by calendar, and hashing all exceptions costs more than the sum.
        return hash((self.name, self.zone, self.holidays, self.exceptions))

    @classmethod
    def always(cls, zone: ZoneInfo, name: str = "always") -> Self:
        """Round the clock, every day: the calendar of danger."""
        whole = (Window(opens=0, closes=MINUTES_A_DAY),)
        return cls(name=name, zone=zone, weekly=dict.fromkeys(Weekday, whole))

    @property
    def round_the_clock(self) -> bool:
        """Whether no moment is closed."""
        whole = len(self.weekly) == len(Weekday) and all(
            sum(window.closes - window.opens for window in windows) == MINUTES_A_DAY for windows in self.weekly.values()
        )
        free = self.holidays.country is None and not self.holidays.days
        return whole and free and not self.exceptions

    @functools.cached_property
    def _dated(self) -> Mapping[date, DatedHours]:
        return {one.day: one for one in self.exceptions}

    def exception(self, day: date) -> DatedHours | None:
        """What is said of this date alone."""
        return self._dated.get(day)

    def windows(self, day: date) -> Windows:
        """The hours of `day`: its exception, else none on a holiday, else its weekday's."""
        exception = self._dated.get(day)
        if exception is not None:
            return exception.windows
        usual = self.weekly.get(Weekday(day.weekday()), ())
        return () if usual and self.holidays.name_of(day) is not None else usual


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone `name`; UnknownZone for anything else, paths and empty text included."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(zone=repr(name)) from None
