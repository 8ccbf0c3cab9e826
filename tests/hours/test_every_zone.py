"""Laws of business time, held against every zone and both of its clock changes."""

from __future__ import annotations

import functools
import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_core.hours import Calendar, Weekday, Window, add, between, is_open, next_open, segments
from crm_core.hours.ledger import Kind

ZONES = sorted(zoneinfo.available_timezones())
CHANGING = [
    "America/New_York",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Nuuk",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Beirut",
    "Europe/Berlin",
    "Pacific/Apia",
]
"""Zones that change, or changed, their clocks at unlike hours, midnight among them, by unlike amounts."""
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@functools.cache
def changes(name: str, year: int) -> tuple[datetime, ...]:
    """The moments of `year` from which the zone keeps another offset, to the minute."""
    zone = ZoneInfo(name)
    start = datetime(year, 1, 1, tzinfo=UTC)
    found = []
    for day in range(366):
        low = start + timedelta(days=day)
        high = low + timedelta(days=1)
        if low.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset():
            continue
        while high - low > MINUTE:
            middle = low + (high - low) // 2
            same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
            low, high = (middle, high) if same else (low, middle)
        found.append(high.replace(second=0, microsecond=0))
    return tuple(found)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """A zone with hours on some days: up to three windows, often with edges where clocks are changed."""
    weekly: dict[Weekday, tuple[Window, ...]] = {}
    night = st.sampled_from([*range(0, 260, 10), *range(1300, 1441, 20)])
    minutes = draw(st.sampled_from([st.integers(0, 1440), night]))
    for day in draw(st.sampled_from([tuple(Weekday), (Weekday.SUNDAY,), tuple(Weekday)[:5]])):
        edges = sorted(draw(st.sets(minutes, min_size=2, max_size=6)))
        pairs = zip(edges[::2], edges[1::2], strict=False)
        weekly[day] = tuple(Window(opens=opens, closes=closes) for opens, closes in pairs)
    return Calendar(
        name="drawn", zone=ZoneInfo(draw(st.sampled_from(CHANGING) | st.sampled_from(ZONES))), weekly=weekly
    )


@st.composite
def moments(draw: st.DrawFn, calendar: Calendar) -> datetime:
    """A moment near a clock change where the zone has one, else any of the year."""
    year = draw(st.sampled_from([2007, 2011, 2018, 2026]))
    around = changes(calendar.zone.key, year)
    anywhere = draw(st.booleans())
    if around and not anywhere:
        return draw(st.sampled_from(around)) + timedelta(seconds=draw(st.integers(-8 * 3600, 8 * 3600)))
    return YEAR.replace(year=year) + timedelta(microseconds=draw(st.integers(0, 365 * 86_400_000_000)))


amounts = st.one_of(st.integers(0, 3_600_000_000), st.integers(0, 4 * 86_400_000_000)).map(
    lambda micros: timedelta(microseconds=micros)
)


@given(st.data())
@settings(max_examples=250, deadline=None)
def test_what_was_added_is_what_lies_between(data: st.DataObject) -> None:
    calendar = data.draw(calendars())
    start = data.draw(moments(calendar))
    amount = data.draw(amounts)
    assert between(calendar, start, add(calendar, start, amount)) == amount


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_later_or_longer_never_ends_sooner(data: st.DataObject) -> None:
    calendar = data.draw(calendars())
    first, second = sorted((data.draw(moments(calendar)), data.draw(moments(calendar))))
    less, more = sorted((data.draw(amounts), data.draw(amounts)))
    assert add(calendar, first, more) <= add(calendar, second, more)
    assert add(calendar, first, less) <= add(calendar, first, more)
    assert between(calendar, first, second) >= timedelta()


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_two_steps_end_where_one_does(data: st.DataObject) -> None:
    calendar = data.draw(calendars())
    start = data.draw(moments(calendar))
    one, two = data.draw(amounts), data.draw(amounts)
    assert add(calendar, add(calendar, start, one), two) == add(calendar, start, one + two)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_the_next_opening_is_open_and_nothing_is_worked_before_it(data: st.DataObject) -> None:
    calendar = data.draw(calendars())
    at = data.draw(moments(calendar))
    opening = next_open(calendar, at)
    assert is_open(calendar, opening)
    assert between(calendar, at, opening) == timedelta()
    assert (opening == at) == is_open(calendar, at)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_the_ledger_has_no_gaps_and_adds_up(data: st.DataObject) -> None:
    calendar = data.draw(calendars())
    start = data.draw(moments(calendar))
    end = start + timedelta(hours=data.draw(st.integers(1, 24 * 40)))
    begins, ends = start + timedelta(hours=3), start + timedelta(hours=30)
    ledger = segments(calendar, start, end, [(begins, ends)])
    assert [ledger[0].start, *(one.end for one in ledger)] == [*(one.start for one in ledger), end]
    counted = sum((one.length for one in ledger if one.kind is Kind.COUNTED), timedelta())
    paused = sum((one.length for one in ledger if one.kind is Kind.PAUSED), timedelta())
    assert counted + paused == between(calendar, start, end)
    assert paused == between(calendar, min(begins, end), min(ends, end))


def test_round_the_clock_is_real_time_in_every_zone() -> None:
    for name in ZONES:
        always = Calendar.always(ZoneInfo(name))
        for around in (*changes(name, 2026), YEAR):
            start = around - timedelta(minutes=7)
            assert add(always, start, 15 * MINUTE) == start + 15 * MINUTE
            assert is_open(always, around)


@pytest.mark.parametrize("name", CHANGING)
@pytest.mark.parametrize(("length", "every"), [(47, 50), (7, 11), (1435, 1440)])
def test_windows_broken_up_by_a_clock_change_keep_the_laws(name: str, length: int, every: int) -> None:
    starts = range(0, 1440 - length + 1, every)
    windows = tuple(Window(opens=opens, closes=opens + length) for opens in starts)
    calendar = Calendar(name="broken up", zone=ZoneInfo(name), weekly=dict.fromkeys(Weekday, windows))
    around = [change for year in (2007, 2011, 2018) for change in changes(name, year)]
    assert around
    for change in around:
        ends = change - timedelta(hours=9)
        for step in range(-7 * 60, 3 * 60, 7):
            start = change + timedelta(minutes=step)
            for minutes in (1, 13, 55, 200):
                assert between(calendar, start, add(calendar, start, minutes * MINUTE)) == minutes * MINUTE
            assert ends <= add(calendar, start, 55 * MINUTE)
            ends = add(calendar, start, 55 * MINUTE)
