"""What a calendar refuses when it is made."""

from __future__ import annotations

from datetime import date

import pytest

from crm_core.hours import Calendar, DatedHours, Holidays, NoHours, OverlappingHours, UnknownHolidays, Weekday, Window
from crm_core.hours.calendar import zone_of
from crm_core.hours.errors import BadWindow, RepeatedDay, UnknownZone
from tests.hours.conftest import NEW_YORK, weekly


@pytest.mark.parametrize("hours", [{}, {Weekday.MONDAY: ()}])
def test_a_calendar_without_hours_is_refused(hours: dict[Weekday, tuple[Window, ...]]) -> None:
    with pytest.raises(NoHours, match="calendar empty has no hours"):
        Calendar(name="empty", zone=NEW_YORK, weekly=hours)


def test_hours_that_overlap_are_refused_and_hours_that_touch_are_not() -> None:
    with pytest.raises(OverlappingHours, match="09:00-12:00 and 11:59-13:00"):
        Calendar(name="x", zone=NEW_YORK, weekly=weekly("11:59-13:00", "09:00-12:00"))
    Calendar(name="x", zone=NEW_YORK, weekly=weekly("12:00-13:00", "09:00-12:00"))


@pytest.mark.parametrize(
    "text", ["9-17", "17:00-09:00", "09:00-09:00", "09:00-24:01", "25:00-26:00", "09:60-10:00", ""]
)
def test_what_is_no_span_of_hours_is_refused(text: str) -> None:
    with pytest.raises(BadWindow):
        Window.parse(text)


def test_one_date_has_one_exception() -> None:
    twice = (DatedHours(day=date(2026, 12, 24)), DatedHours(day=date(2026, 12, 24)))
    with pytest.raises(RepeatedDay, match="2026-12-24"):
        Calendar(name="x", zone=NEW_YORK, weekly=weekly("09:00-17:00"), exceptions=twice)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "America"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone):
        zone_of(name)


@pytest.mark.parametrize(("country", "region"), [("ZZ", None), ("US", "XX")])
def test_holidays_of_an_unknown_place_are_refused(country: str, region: str | None) -> None:
    with pytest.raises(UnknownHolidays):
        Holidays(country=country, region=region).name_of(date(2026, 1, 1))


@pytest.mark.parametrize(
    ("country", "region", "day"),
    [("US", "MA", date(2026, 4, 20)), ("GB", "SCT", date(2026, 11, 30)), ("DE", "BY", date(2026, 1, 6))],
    ids=["Patriots' Day", "Saint Andrew's Day", "Epiphany"],
)
def test_regions_keep_their_own_days(country: str, region: str, day: date) -> None:
    assert Holidays(country=country, region=region).name_of(day)
    assert not Holidays(country=country).name_of(day)


def test_equal_calendars_are_one_key() -> None:
    first, second = (Calendar(name="x", zone=NEW_YORK, weekly=weekly("09:00-17:00")) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
