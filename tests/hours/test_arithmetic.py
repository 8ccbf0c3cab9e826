"""Sums over business hours, with the figures of the domain's rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm_core.errors import CrmError
from crm_core.hours import (
    Calendar,
    DatedHours,
    Holidays,
    NeverOpens,
    Weekday,
    Window,
    add,
    between,
    due,
    is_open,
    next_open,
)
from tests.hours.conftest import NEW_YORK, Local, weekly

HOUR = timedelta(hours=1)


def test_an_hour_from_friday_1630_ends_on_monday_at_0930(office: Calendar, local: Local) -> None:
    ends = add(office, local(2026, 11, 20, 16, 30), HOUR)
    assert ends == local(2026, 11, 23, 9, 30)
    assert ends.tzinfo is UTC


def test_an_hour_that_runs_into_lunch_ends_after_it(local: Local) -> None:
    split = Calendar(name="split", zone=NEW_YORK, weekly=weekly("13:30-18:00", "08:00-12:00"))
    assert add(split, local(2026, 11, 23, 11, 45), HOUR) == local(2026, 11, 23, 14, 15)
    assert between(split, local(2026, 11, 23, 11, 45), local(2026, 11, 23, 14, 15)) == HOUR


def test_an_hour_that_ends_with_the_day_ends_then_and_not_at_the_next_opening(office: Calendar, local: Local) -> None:
    assert add(office, local(2026, 11, 20, 16), HOUR) == local(2026, 11, 20, 17)


def test_what_arrives_on_saturday_starts_on_monday(office: Calendar, local: Local) -> None:
    saturday = local(2026, 11, 21, 20, 10)
    assert not is_open(office, saturday)
    assert next_open(office, saturday) == local(2026, 11, 23, 9)
    assert add(office, saturday, HOUR) == local(2026, 11, 23, 10)


def test_where_monday_is_a_holiday_the_clock_starts_on_tuesday(local: Local) -> None:
    office = Calendar(
        name="office", zone=NEW_YORK, weekly=weekly("09:00-17:00"), holidays=Holidays(country="US", region="NY")
    )
    saturday = local(2026, 9, 5, 11)
    assert next_open(office, saturday) == local(2026, 9, 8, 9), "7 September 2026 is Labor Day"
    assert add(office, saturday, HOUR) == local(2026, 9, 8, 10)


def test_a_holiday_on_a_saturday_is_kept_on_the_friday_before(local: Local) -> None:
    office = Calendar(name="office", zone=NEW_YORK, weekly=weekly("09:00-17:00"), holidays=Holidays(country="US"))
    assert add(office, local(2026, 7, 2, 16, 30), HOUR) == local(2026, 7, 6, 9, 30), "4 July 2026 is a Saturday"


def test_a_public_holiday_named_as_worked_is_open(local: Local) -> None:
    holidays = Holidays(country="US", region="NY", worked=frozenset({"Columbus Day"}))
    office = Calendar(name="office", zone=NEW_YORK, weekly=weekly("09:00-17:00"), holidays=holidays)
    assert is_open(office, local(2026, 10, 12, 10))
    assert not is_open(office, local(2026, 11, 11, 10)), "Veterans Day"


def test_exceptions_beat_weekdays_and_holidays_both_ways(local: Local) -> None:
    office = Calendar(
        name="office",
        zone=NEW_YORK,
        weekly=weekly("09:00-17:00"),
        holidays=Holidays(country="US"),
        exceptions=(
            DatedHours(day=date(2026, 12, 24), windows=(Window.parse("09:00-12:00"),), why="Christmas Eve"),
            DatedHours(day=date(2026, 11, 26), windows=(Window.parse("10:00-11:00"),), why="flu clinic"),
            DatedHours(day=date(2026, 11, 28), windows=(Window.parse("10:00-11:00"),), why="Saturday clinic"),
            DatedHours(day=date(2026, 11, 30), why="moving house"),
        ),
    )
    wednesday = local(2026, 11, 25, 16)
    assert add(office, wednesday, 2 * HOUR) == local(2026, 11, 26, 11), "open on Thanksgiving for an hour"
    assert add(office, wednesday, 12 * HOUR) == local(2026, 12, 1, 10), "Friday, Saturday's hour, closed on Monday"
    assert not is_open(office, local(2026, 12, 24, 12))


@pytest.mark.parametrize(
    ("friday", "monday"),
    [((2026, 3, 6), (2026, 3, 9)), ((2026, 10, 30), (2026, 11, 2))],
    ids=["spring", "autumn"],
)
def test_across_a_clock_change_the_same_hours_of_the_wall_count(
    office: Calendar, local: Local, friday: tuple[int, ...], monday: tuple[int, ...]
) -> None:
    assert add(office, local(*friday, 16, 30), HOUR) == local(*monday, 9, 30)
    assert between(office, local(*friday, 9), local(*monday, 17)) == 16 * HOUR


@pytest.mark.parametrize("sunday", [(2026, 3, 8), (2026, 11, 1)], ids=["spring", "autumn"])
def test_on_the_day_of_a_clock_change_the_same_hours_of_the_wall_count(local: Local, sunday: tuple[int, ...]) -> None:
    daily = Calendar(name="daily", zone=NEW_YORK, weekly=weekly("09:00-17:00", days=tuple(Weekday)))
    assert add(daily, local(*sunday, 0, 30), 8 * HOUR) == local(*sunday, 17)
    assert between(daily, local(*sunday, 10), local(*sunday, 15)) == 5 * HOUR


@pytest.mark.parametrize(("sunday", "hours"), [((2026, 3, 8), 7), ((2026, 11, 1), 9)], ids=["spring", "autumn"])
def test_a_shift_across_a_clock_change_counts_what_is_worked(local: Local, sunday: tuple[int, ...], hours: int) -> None:
    night = Calendar(name="night", zone=NEW_YORK, weekly=weekly("00:00-08:00", days=(Weekday.SUNDAY,)))
    assert between(night, local(*sunday), local(*sunday, 12)) == hours * HOUR


def test_an_edge_the_clock_skips_is_the_change_and_one_shown_twice_is_its_first_showing(local: Local) -> None:
    spring = Calendar(name="spring", zone=NEW_YORK, weekly=weekly("02:30-04:00", days=(Weekday.SUNDAY,)))
    assert next_open(spring, local(2026, 3, 8)) == local(2026, 3, 8, 3)
    autumn = Calendar(name="autumn", zone=NEW_YORK, weekly=weekly("01:30-03:00", days=(Weekday.SUNDAY,)))
    assert next_open(autumn, local(2026, 11, 1)) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert between(autumn, local(2026, 11, 1), local(2026, 11, 2)) == 2.5 * HOUR


def test_hours_that_a_clock_change_swallows_whole_are_passed_over(local: Local) -> None:
    gone = Calendar(name="gone", zone=NEW_YORK, weekly=weekly("02:10-02:50", days=(Weekday.SUNDAY,)))
    assert next_open(gone, local(2026, 3, 8)) == local(2026, 3, 15, 2, 10)


def test_a_day_that_a_zone_left_out_has_no_hours() -> None:
    apia = Calendar(name="apia", zone=ZoneInfo("Pacific/Apia"), weekly=weekly("09:00-17:00", days=tuple(Weekday)))
    thursday = datetime(2011, 12, 29, 16, tzinfo=apia.zone)
    assert add(apia, thursday, 2 * HOUR) == datetime(2011, 12, 31, 10, tzinfo=apia.zone)


def test_fifteen_minutes_round_the_clock_are_fifteen_real_minutes() -> None:
    always = Calendar.always(NEW_YORK)
    quarter = timedelta(minutes=15)
    for start in (datetime(2026, 3, 8, 6, 50, tzinfo=UTC), datetime(2026, 11, 1, 5, 50, tzinfo=UTC)):
        assert add(always, start, quarter) == start + quarter
    assert always.round_the_clock
    assert add(always, datetime(2026, 2, 27, 12, tzinfo=UTC), timedelta(days=400)) == datetime(
        2026, 2, 27, 12, tzinfo=UTC
    ) + timedelta(days=400)


def test_nothing_added_is_the_same_moment_and_less_than_nothing_is_refused(office: Calendar, local: Local) -> None:
    saturday = local(2026, 11, 21, 20, 10)
    assert add(office, saturday, timedelta()) == saturday
    with pytest.raises(ValueError, match="negative"):
        add(office, saturday, -HOUR)


def test_time_between_runs_backwards_as_a_negative(office: Calendar, local: Local) -> None:
    assert between(office, local(2026, 11, 23, 12), local(2026, 11, 20, 16)) == -4 * HOUR


def test_a_naive_time_is_refused(office: Calendar) -> None:
    with pytest.raises(ValueError, match="aware"):
        add(office, datetime(2026, 11, 23, 9), HOUR)  # noqa: DTZ001


def test_a_pause_moves_the_due_time_and_a_changed_target_keeps_it(office: Calendar, local: Local) -> None:
    start = local(2026, 11, 23, 9)
    pauses = [(local(2026, 11, 23, 11), local(2026, 11, 24, 11))]
    assert due(office, start, 8 * HOUR, pauses) == local(2026, 11, 24, 17)
    assert due(office, start, 4 * HOUR, pauses) == local(2026, 11, 24, 13)


def test_a_paused_clock_has_no_due_time_unless_it_ran_out_before(office: Calendar, local: Local) -> None:
    start = local(2026, 11, 23, 9)
    assert due(office, start, 8 * HOUR, [(local(2026, 11, 23, 11), None)]) is None
    assert due(office, start, 2 * HOUR, [(local(2026, 11, 23, 11), None)]) == local(2026, 11, 23, 11)


def test_pauses_may_overlap_and_come_in_any_order(office: Calendar, local: Local) -> None:
    pauses = [
        (local(2026, 11, 24, 10), local(2026, 11, 24, 12)),
        (local(2026, 11, 23, 8), local(2026, 11, 23, 10)),
        (local(2026, 11, 24, 11), local(2026, 11, 24, 13)),
    ]
    assert due(office, local(2026, 11, 23, 9), 9 * HOUR, pauses) == local(2026, 11, 24, 14)


def test_a_calendar_closed_for_longer_than_the_horizon_is_given_up(local: Local) -> None:
    start = date(2026, 1, 1)
    closed = tuple(DatedHours(day=start + timedelta(days=day)) for day in range(25 * 366))
    shut = Calendar(name="shut", zone=NEW_YORK, weekly=weekly("09:00-17:00"), exceptions=closed)
    with pytest.raises(NeverOpens, match="shut"):
        next_open(shut, local(2026, 11, 23))
    with pytest.raises(NeverOpens, match="shut"):
        add(shut, local(2026, 11, 23), HOUR)
    with pytest.raises(CrmError):
        add(Calendar.always(NEW_YORK), datetime(9999, 6, 1, tzinfo=UTC), timedelta(days=900))
