"""calendars.toml: the clinic's business calendars by name."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator, model_validator

from crm_core.clock import SystemClock
from crm_core.errors import NotFound
from crm_core.hours.calendar import Calendar, DatedHours, Holidays, Weekday, Window, Windows, in_order, zone_of
from crm_core.hours.errors import BadWindow, OverlappingHours, UnknownHolidays
from crm_core.hours.public_days import public_days
from crm_core.playbook.clinic import Country, Line, ZoneName
from crm_core.playbook.loader import Playbook, Section, Strict
from crm_core.playbook.problems import Caution, Problem

ALWAYS = "always"
"""The calendar of danger, which no clinic may close."""

LONGEST_EXCEPTION = timedelta(days=366)


def _window(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return Window.parse(value)
    except BadWindow as error:
        raise ValueError(error.message) from None


def _apart(value: Windows) -> Windows:
    try:
        return in_order(value)
    except OverlappingHours as error:
        raise ValueError(error.message) from None


Spans = Annotated[tuple[Annotated[Window, BeforeValidator(_window)], ...], AfterValidator(_apart)]
DayName = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class HolidaysTable(Strict):
    """Public holidays to keep: a country's, with its region's; `worked` are names of those not kept."""

    country: Country
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,5}$")] | None = None
    worked: tuple[str, ...] = ()


class ExceptionTable(Strict):
    """A date, or the dates to `until` inclusive, with hours of their own; without `hours`, closed."""

    day: date
    until: date | None = None
    hours: Spans = ()
    why: Line

    @model_validator(mode="after")
    def _in_order(self) -> ExceptionTable:
        if self.until is not None and not self.day <= self.until <= self.day + LONGEST_EXCEPTION:
            raise ValueError("until must be on or after day, and within a year of it")
        return self

    def days(self) -> Iterator[date]:
        """Each date meant."""
        for offset in range(((self.until or self.day) - self.day).days + 1):
            yield self.day + timedelta(days=offset)


class CalendarTable(Strict):
    """One calendar: hours of each weekday on the clocks of `zone`, holidays, and dates that differ."""

    zone: ZoneName
    hours: Mapping[DayName, Spans]
    holidays: HolidaysTable | None = None
    exceptions: tuple[ExceptionTable, ...] = Field(default=(), alias="exception")

    @field_validator("hours")
    @classmethod
    def _some_hours(cls, value: Mapping[DayName, Windows]) -> Mapping[DayName, Windows]:
        if not any(value.values()):
            raise ValueError('has no hours on any day; give it some, such as monday = ["09:00-17:00"]')
        return value

    @field_validator("exceptions")
    @classmethod
    def _each_day_once(cls, value: tuple[ExceptionTable, ...]) -> tuple[ExceptionTable, ...]:
        days = [day for one in value for day in one.days()]
        twice = sorted({day for day in days if days.count(day) > 1}) if len(set(days)) < len(days) else []
        if twice:
            raise ValueError(f"{twice[0]} has exceptions twice")
        return value

    def calendar(self, name: str) -> Calendar:
        """The same as a calendar to count with."""
        holidays = self.holidays
        return Calendar(
            name=name,
            zone=zone_of(self.zone),
            weekly={Weekday[day.upper()]: windows for day, windows in self.hours.items()},
            holidays=Holidays(country=holidays.country, region=holidays.region, worked=frozenset(holidays.worked))
            if holidays
            else Holidays(),
            exceptions=tuple(
                DatedHours(day=day, windows=one.hours, why=one.why) for one in self.exceptions for day in one.days()
            ),
        )


class CalendarsSection(Strict):
    """calendars.toml: `[calendar.NAME]` tables."""

    calendar: Mapping[Name, CalendarTable]

    @functools.cached_property
    def calendars(self) -> Mapping[str, Calendar]:
        """Every calendar by its name."""
        return {name: table.calendar(name) for name, table in self.calendar.items()}

    def named(self, name: str) -> Calendar:
        """The calendar of that name; NotFound otherwise."""
        found = self.calendars.get(name)
        if found is None:
            raise NotFound(kind="calendar", id=name)
        return found


def check(playbook: Playbook) -> Iterator[Problem]:
    """Places exist, `always` is always, and no exception says what is so anyway."""
    section = playbook.section(CalendarsSection)
    always = section.calendars.get(ALWAYS)
    if always is None or not always.round_the_clock:
        remedy = 'every day of it has hours ["00:00-24:00"], and it has no holidays and no exceptions'
        yield Problem(
            file=FILE, key=f"calendar.{ALWAYS}", message=f"must be there and never close, for danger's sake: {remedy}"
        )
    for name, table in section.calendar.items():
        if table.holidays is not None:
            yield from _places(f"calendar.{name}.holidays", table.holidays)
        yield from _idle(name, table.exceptions, section.calendars[name])


def _places(key: str, holidays: HolidaysTable) -> Iterator[Problem]:
    """What the holidays' data does not know."""
    year = SystemClock().now().year
    for place, field in ((None, "country"), (holidays.region, "region")):
        try:
            public_days(holidays.country, place, year)
        except UnknownHolidays as error:
            yield Problem(file=FILE, key=f"{key}.{field}", message=error.message)
            return
    known = {
        name for ahead in range(4) for name in public_days(holidays.country, holidays.region, year + ahead).values()
    }
    for name in holidays.worked:
        if name not in known:
            known_names = ", ".join(sorted(known))
            yield Problem(
                file=FILE, key=f"{key}.worked", message=f"{name!r} is no holiday there; known are {known_names}"
            )


def _idle(name: str, exceptions: Sequence[ExceptionTable], calendar: Calendar) -> Iterator[Problem]:
    """Exceptions that close what is closed on that weekday anyway."""
    for index, one in enumerate(exceptions):
        if not one.hours and not any(calendar.weekly.get(Weekday(day.weekday())) for day in one.days()):
            yield Caution(
                file=FILE,
                key=f"calendar.{name}.exception[{index}]",
                message=f"closes {one.day}, which is closed anyway",
            )


FILE = "calendars.toml"
CALENDARS = Section(name="calendars", model=CalendarsSection, files=(FILE,), checks=(check,))
"""Registered in app.py with the other features' sections."""
