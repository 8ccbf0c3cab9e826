"""A conversation's clocks, counted from its history (domain.md: Business time, Pause, What stops a clock)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from crm_core.hours import Calendar, DatedHours, Weekday, Window, between, segments
from crm_core.inbox.model import END_OF_TIME, ClockKind, Mark, State, Turn
from crm_core.inbox.timing.clocks import Event, Life, Run, Targets, clock_columns, next_mark, runs
from crm_core.words import Priority

NEW_YORK = ZoneInfo("America/New_York")
WORKDAYS = [Weekday(number) for number in range(5)]
OFFICE = Calendar(name="office", zone=NEW_YORK, weekly=dict.fromkeys(WORKDAYS, (Window.parse("09:00-17:00"),)))
EIGHT_HOURS = Targets(
    first_response=timedelta(hours=4), next_response=timedelta(hours=2), resolution=timedelta(hours=8), warn=0.75
)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time on the wall in New York; the 23rd of November 2026 is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def asked(when: datetime, state: State = State.OPEN) -> Event:
    """The patient wrote."""
    return Event(at=when, state=state, turn=Turn.ASKED, turn_at=when)


def answered(when: datetime) -> Event:
    """A person answered, and the patient is waited on."""
    return Event(at=when, state=State.WAITING_PATIENT, turn=Turn.ANSWERED, turn_at=when)


def running(life: Life, targets: Targets = EIGHT_HOURS, calendar: Calendar = OFFICE) -> dict[ClockKind, Run]:
    """The clocks that run, by kind."""
    return {run.kind: run for run in runs(calendar, targets, life)}


WAITED_A_DAY = Life(opened_at=at(23, 9), events=(answered(at(23, 11)), asked(at(24, 11))))
"""Monday from 11:00 to Tuesday at 11:00 the patient was waited on."""


def test_eight_hours_from_monday_nine_with_a_day_of_waiting_end_on_tuesday_at_five() -> None:
    assert running(WAITED_A_DAY)[ClockKind.RESOLUTION].due_at == at(24, 17)


def test_a_target_that_is_lowered_meanwhile_is_judged_as_if_it_had_held_from_the_start_and_keeps_the_pause() -> None:
    lowered = Targets(
        first_response=timedelta(hours=4), next_response=timedelta(hours=2), resolution=timedelta(hours=4), warn=0.75
    )
    assert running(WAITED_A_DAY, lowered)[ClockKind.RESOLUTION].due_at == at(24, 13)


def test_what_arrives_on_saturday_is_counted_from_monday_and_on_a_holiday_from_tuesday() -> None:
    saturday = Life(opened_at=at(21, 12))
    assert running(saturday)[ClockKind.FIRST_RESPONSE].due_at == at(23, 13)
    shut = Calendar(
        name="office",
        zone=NEW_YORK,
        weekly=OFFICE.weekly,
        exceptions=(DatedHours(day=datetime(2026, 11, 23).date(), why="burst pipe"),),  # noqa: DTZ001 - a date
    )
    assert running(saturday, calendar=shut)[ClockKind.FIRST_RESPONSE].due_at == at(24, 13)


def test_an_answer_ends_the_first_response_and_only_a_new_text_begins_the_next() -> None:
    life = Life(opened_at=at(23, 9), events=(answered(at(23, 10)),))
    assert set(running(life)) == {ClockKind.RESOLUTION}
    assert running(life)[ClockKind.RESOLUTION].due_at is None
    wrote_twice = life.then(asked(at(23, 14))).then(asked(at(23, 15)))
    following = running(wrote_twice)[ClockKind.NEXT_RESPONSE]
    assert (following.since, following.due_at) == (at(23, 14), at(23, 16))


def test_an_answer_is_owed_since_the_first_text_after_the_last_answer_whatever_else_is_overdue() -> None:
    assert Life(opened_at=at(23, 9)).owed_since == at(23, 9)
    assert WAITED_A_DAY.owed_since == at(24, 11)
    assert WAITED_A_DAY.then(asked(at(25, 9))).owed_since == at(24, 11)
    assert WAITED_A_DAY.then(answered(at(25, 9))).owed_since is None
    assert Life(opened_at=at(23, 9), events=(Event(at=at(23, 10), state=State.CLOSED),)).owed_since is None


def test_a_step_that_is_nobodys_turn_stops_nothing() -> None:
    life = Life(opened_at=at(23, 9), events=(Event(at=at(23, 10), state=State.OPEN),))
    assert running(life)[ClockKind.FIRST_RESPONSE].due_at == at(23, 13)


def test_a_reopening_begins_a_new_response_clock_and_does_not_count_the_time_it_was_closed() -> None:
    closed = Life(opened_at=at(23, 9), events=(answered(at(23, 10)), Event(at=at(23, 12), state=State.CLOSED)))
    assert runs(OFFICE, EIGHT_HOURS, closed) == ()
    again = running(closed.then(asked(at(25, 9))))
    assert again[ClockKind.NEXT_RESPONSE].due_at == at(25, 11)
    # One hour was counted before the answer; waiting and the end were not.
    assert again[ClockKind.RESOLUTION].due_at == at(25, 16)


def test_what_was_closed_without_an_answer_still_owes_its_first() -> None:
    life = Life(opened_at=at(23, 9), events=(Event(at=at(23, 10), state=State.CLOSED), asked(at(24, 9))))
    first = running(life)[ClockKind.FIRST_RESPONSE]
    assert (first.since, first.due_at) == (at(24, 9), at(24, 13))


def test_the_earliest_unmet_clock_is_what_is_due_and_its_share_is_warned_of() -> None:
    life = Life(opened_at=at(23, 9))
    columns = clock_columns(runs(OFFICE, EIGHT_HOURS, life), Priority.ROUTINE, at(23, 9))
    assert (columns["due_clock"], columns["due_at"]) == (ClockKind.FIRST_RESPONSE, at(23, 13))
    assert columns["mark_at"] == at(23, 12)
    assert columns["late_at"] == at(23, 17)
    marks = [mark for run in runs(OFFICE, EIGHT_HOURS, life) for mark in run.marks]
    assert marks == [
        (Mark.WARNED, at(23, 12)), (Mark.BREACHED, at(23, 13)), (Mark.WARNED, at(23, 15)), (Mark.BREACHED, at(23, 17)),
    ]  # fmt: skip
    assert next_mark(runs(OFFICE, EIGHT_HOURS, life), after=at(23, 13)) == at(23, 15)


def test_what_is_late_by_a_full_target_has_risen_one_step_and_does_not_rise_again() -> None:
    columns = clock_columns(runs(OFFICE, EIGHT_HOURS, Life(opened_at=at(23, 9))), Priority.ROUTINE, at(23, 17))
    assert (columns["urgency"], columns["late_at"]) == (3, None)


def test_no_clock_that_stands_still_is_due() -> None:
    columns = clock_columns(
        runs(OFFICE, EIGHT_HOURS, Life(opened_at=at(23, 9), events=(answered(at(23, 10)),))), Priority.ASAP, at(23, 11)
    )
    assert (columns["due_at"], columns["due_order"], columns["mark_at"]) == (None, END_OF_TIME, None)


@st.composite
def a_life(draw: st.DrawFn) -> Life:
    """Any order of states and turns, over three weeks."""
    now = datetime(2026, 10, 26, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 60 * 24 * 7)))
    life = Life(opened_at=now)
    for _ in range(draw(st.integers(0, 12))):
        now += timedelta(minutes=draw(st.integers(0, 60 * 30)))
        turn = draw(st.sampled_from([None, *Turn]))
        state = State.WAITING_PATIENT if turn is Turn.ANSWERED else draw(st.sampled_from(list(State)))
        said_at = now - timedelta(minutes=draw(st.integers(0, 90))) if turn is Turn.ASKED else now
        life = life.then(Event(at=now, state=state, turn=turn, turn_at=said_at if turn else None))
    return life


@given(a_life())
def test_the_stretches_of_every_clock_add_up_and_what_is_counted_is_never_negative(life: Life) -> None:
    now = (life.events[-1].at if life.events else life.opened_at) + timedelta(days=2)
    for run in runs(OFFICE, EIGHT_HOURS, life, ended=True):
        until = max(run.ended_at or now, run.since)
        stretches = segments(OFFICE, run.since, until, life.pauses)
        assert sum((each.length for each in stretches), timedelta()) == until - run.since
        counted = sum((each.length for each in stretches if each.kind == "counted"), timedelta())
        assert timedelta() <= counted <= between(OFFICE, run.since, until)
        if run.due_at is not None and run.due_at <= until:
            by_then = segments(OFFICE, run.since, run.due_at, life.pauses)
            assert sum((each.length for each in by_then if each.kind == "counted"), timedelta()) == run.target


@given(a_life(), st.integers(1, 40), st.integers(1, 40))
def test_a_longer_target_is_never_due_sooner(life: Life, one: int, other: int) -> None:
    def due_with(hours: int) -> list[datetime]:
        span = timedelta(hours=hours)
        targets = Targets(first_response=span, next_response=span, resolution=span, warn=0.5)
        return [run.due_at for run in runs(OFFICE, targets, life) if run.due_at is not None]

    shorter, longer = due_with(min(one, other)), due_with(max(one, other))
    # What stood still after it was due with the shorter target has no date with the longer.
    assert len(longer) <= len(shorter)
    assert min(longer, default=END_OF_TIME) >= min(shorter, default=END_OF_TIME)


@given(a_life())
def test_at_most_one_response_clock_runs_and_none_while_staff_spoke_last(life: Life) -> None:
    responses = [run for run in runs(OFFICE, EIGHT_HOURS, life) if run.kind is not ClockKind.RESOLUTION]
    assert len(responses) <= 1
    turns = [event.turn for event in life.events if event.turn is not None]
    if turns and turns[-1] is Turn.ANSWERED:
        assert responses == []
