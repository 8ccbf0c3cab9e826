"""Calendars that the tests of business hours share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from crm_core.hours import Calendar, Weekday, Window

NEW_YORK = ZoneInfo("America/New_York")
WORKDAYS = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)

Local = Callable[..., datetime]


def weekly(*windows: str, days: tuple[Weekday, ...] = WORKDAYS) -> dict[Weekday, tuple[Window, ...]]:
    """The same windows on each of `days`."""
    return dict.fromkeys(days, tuple(map(Window.parse, windows)))


@pytest.fixture
def office() -> Calendar:
    """Monday to Friday, 09:00 to 17:00 in New York."""
    return Calendar(name="office", zone=NEW_YORK, weekly=weekly("09:00-17:00"))


@pytest.fixture
def local() -> Local:
    """A time on the wall in New York, as an aware UTC time."""

    def at(*when: int) -> datetime:
        return datetime(*when, tzinfo=NEW_YORK).astimezone(UTC)  # type: ignore[misc,arg-type]

    return at
