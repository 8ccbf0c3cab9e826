"""What is due is fired once, in batches that stand or fall together; what fails is tried again, at last given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.audit.tags import Tag
from crm_core.clock import ShiftedClock
from crm_core.timers.chore import LEASE_RAN_OUT
from crm_core.timers.firing import BATCH, LEASE, Fenced, claim, settle
from crm_core.timers.model import Tally, Timer, TimerState
from crm_core.timers.queries import behind, dead_timers
from crm_core.timers.retrying import MOST_TRIES, backoff
from crm_core.timers.service import NewTimer, NotDead, cancel_timers, move_timers, retry_timer, set_timers
from crm_core.timers.tables import TimerRow
from crm_core.work.units import WriteUnit
from tests.inbox.looking import audited, statements
from tests.timers.conftest import Recording, chore, never, row_of, set_many, states


class Cannot(Exception):
    """What a handler stumbles over."""


def stumbles_at(*subjects: int) -> Recording:
    """A handler that leaves a trace in the store for each timer, and fails over these."""

    def meanwhile(unit: WriteUnit, timers: Sequence[Timer]) -> None:
        for timer in timers:
            if timer.subject_id in subjects:
                raise Cannot
            trace = NewTimer(kind="trace", subject_id=timer.subject_id, run_at=unit.now, dedup_key=f"t-{timer.id}")
            set_timers(unit, [trace])

    return Recording(meanwhile=meanwhile)


def traces(crm: Crm) -> list[int]:
    """For which subjects something stands that a handler did."""
    with crm.read(SYSTEM) as unit:
        return sorted(unit.scalars(select(TimerRow.subject_id).where(TimerRow.kind == "trace")))


def test_what_is_due_is_fired_once_in_the_order_it_was_due_and_what_is_not_yet_due_waits(
    crm: Crm, clock: ShiftedClock
) -> None:
    handler = Recording()
    set_many(crm, [1], due_in=timedelta(seconds=-10))
    set_many(crm, [2], due_in=timedelta(seconds=-20))
    set_many(crm, [3], due_in=timedelta(seconds=1))
    assert chore(crm, handler).run(never) == Tally(claimed=2, done=2)
    assert handler.fired == [(2, 1)]
    assert chore(crm, handler).run(never) == Tally()
    clock.move(timedelta(seconds=1))
    assert chore(crm, handler).run(never) == Tally(claimed=1, done=1)
    assert states(crm) == {"done": 3}


def test_an_occasion_has_one_timer_however_often_it_is_set(crm: Crm) -> None:
    assert set_many(crm, [1, 2]) == 2
    assert set_many(crm, [2, 3]) == 1
    handler = Recording()
    chore(crm, handler).run(never)
    assert handler.fired == [(1, 2, 3)]
    assert set_many(crm, [1, 2, 3]) == 0


def test_a_kind_without_a_handler_stays_waiting_and_is_not_touched(crm: Crm) -> None:
    set_many(crm, [1], kind="unheard_of")
    set_many(crm, [2])
    assert chore(crm, Recording()).run(never).claimed == 1
    row = row_of(crm, 1)
    assert (row.state, row.attempt, row.run_at) == (TimerState.WAITING, 0, row.due_at)


def test_each_handler_is_given_all_of_its_kind_in_the_batch_at_once(crm: Crm) -> None:
    one, other = Recording(kind="one"), Recording(kind="other")
    for subject in range(6):
        set_many(crm, [subject], kind="one" if subject % 2 else "other", due_in=timedelta(seconds=-subject))
    chore(crm, one, other).run(never)
    assert (one.fired, other.fired) == ([(5, 3, 1)], [(4, 2, 0)])


def test_a_timer_that_is_to_run_again_waits_for_its_next_time_with_all_its_tries_before_it(
    crm: Crm, clock: ShiftedClock
) -> None:
    later = clock.now() + timedelta(hours=3)
    set_many(crm, [1, 2])
    assert chore(crm, Recording(again={2: later})).run(never) == Tally(claimed=2, done=2)
    row = row_of(crm, 2)
    assert (row.state, row.run_at, row.due_at, row.attempt) == (TimerState.WAITING, later, later, 0)
    assert row_of(crm, 1).state is TimerState.DONE


def test_a_full_batch_costs_one_claim_and_one_finish(crm: Crm) -> None:
    set_many(crm, range(BATCH))
    poller = chore(crm, Recording())
    with crm.write(SYSTEM):
        """The ids that setting the timers used up are topped up here."""
    with statements(crm.store.writing) as sent:
        assert poller._batch(never) == Tally(claimed=BATCH, done=BATCH)
    assert len(sent) == 2, sent
    with statements(crm.store.writing) as sent:
        assert poller._batch(never) == Tally()
    assert len(sent) == 1, sent


def test_claiming_reads_the_index_of_what_is_due_and_not_what_is_still_to_come(crm: Crm) -> None:
    set_many(crm, range(3000), due_in=timedelta(days=30))
    set_many(crm, [5000])
    with crm.write(SYSTEM) as unit, statements(crm.store.writing) as sent:
        claim(unit, ["reminder"])
    asked = "EXPLAIN QUERY PLAN " if crm.store.dialect == "sqlite" else "EXPLAIN "
    with crm.store.writing.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        count = sent[0].count("?") if crm.store.dialect == "sqlite" else 0
        if count:
            plan = str(raw.execute(asked + sent[0], (0,) * count).fetchall())
        else:
            due = "SELECT id FROM timer WHERE state = 'waiting' AND run_at <= now() AND (kind || '') IN ('reminder')"
            connection.execute(text("ANALYZE timer"))
            rows = connection.execute(text(f"{asked} {due} ORDER BY run_at, id LIMIT 50 FOR UPDATE SKIP LOCKED"))
            plan = str(rows.fetchall())
    assert "ix_timer_due" in plan
    assert "SCAN timer" not in plan
    assert "Seq Scan" not in plan


def test_if_one_of_a_batch_fails_nothing_of_the_batch_stands_and_each_is_run_alone(crm: Crm) -> None:
    set_many(crm, [1, 2, 3])
    handler = stumbles_at(2)
    assert chore(crm, handler).run(never) == Tally(claimed=3, done=2, retried=1)
    assert handler.fired[0] == (1, 2, 3)
    assert sorted(handler.fired[1:]) == [(1,), (2,), (3,)]
    assert traces(crm) == [1, 3]
    row = row_of_kind(crm, 2)
    assert (row.state, row.attempt, row.failure) == (TimerState.WAITING, 1, "Cannot")


def row_of_kind(crm: Crm, subject: int, kind: str = "reminder") -> TimerRow:
    with crm.read(SYSTEM) as unit:
        one = select(TimerRow).where(TimerRow.subject_id == subject, TimerRow.kind == kind)
        return unit.session.execute(one).scalar_one()


def test_what_failed_before_is_not_put_into_a_batch_again(crm: Crm, clock: ShiftedClock) -> None:
    set_many(crm, [1])
    poller = chore(crm, handler := stumbles_at(1))
    poller.run(never)
    clock.move(timedelta(minutes=1))
    set_many(crm, [2, 3])
    handler.fired.clear()
    assert poller.run(never) == Tally(claimed=3, done=2, retried=1)
    assert handler.fired == [(2, 3), (1,)]


def test_the_pauses_double_from_half_a_minute_to_an_hour_and_differ_by_a_tenth() -> None:
    for tries, seconds in enumerate([30, 60, 120, 240, 480, 960, 1920, 3600, 3600], start=1):
        drawn = [backoff(tries).total_seconds() for _ in range(200)]
        assert seconds * 0.9 <= min(drawn) < max(drawn) <= seconds * 1.1


def test_the_eighth_failure_alone_is_the_last_and_is_audited_with_its_code(crm: Crm, clock: ShiftedClock) -> None:
    set_many(crm, [1])
    poller = chore(crm, stumbles_at(1))
    for attempt in range(1, MOST_TRIES + 1):
        tally = poller.run(never)
        assert (tally.retried, tally.dead) == ((1, 0) if attempt < MOST_TRIES else (0, 1))
        row = row_of(crm, 1)
        if attempt < MOST_TRIES:
            pause = (row.run_at - clock.now()) / timedelta(seconds=30 * 2 ** (attempt - 1))
            assert 0.9 <= pause <= 1.1
            clock.set(row.run_at)
    assert (row.state, row.failure, row.attempt) == (TimerState.DEAD, "Cannot", MOST_TRIES)
    assert [(one["ids"], one["why"]) for one in audited(crm) if one["tag"] == Tag.TIMER_DEAD] == [
        (f"[{row.id}]", "reminder: Cannot")
    ]
    clock.move(timedelta(days=30))
    assert poller.run(never) == Tally()


def test_a_dead_timer_is_listed_and_runs_again_when_somebody_says_so(crm: Crm, clock: ShiftedClock) -> None:
    set_many(crm, [1])
    poller = chore(crm, handler := stumbles_at(1))
    for _ in range(MOST_TRIES):
        poller.run(never)
        clock.move(timedelta(hours=2))
    with crm.read(SYSTEM) as unit:
        (dead,) = dead_timers(unit)
    assert (dead.kind, dead.subject_id, dead.tries, dead.failure) == ("reminder", 1, MOST_TRIES, "Cannot")
    handler.meanwhile = lambda _unit, _timers: None
    with crm.write(SYSTEM) as unit:
        retry_timer(unit, dead.id)
    assert poller.run(never) == Tally(claimed=1, done=1)
    with crm.read(SYSTEM) as unit:
        assert dead_timers(unit) == []
    with pytest.raises(NotDead), crm.write(SYSTEM) as unit:
        retry_timer(unit, dead.id)


def test_a_lease_that_ran_out_is_due_again_and_the_late_finisher_leaves_nothing(crm: Crm, clock: ShiftedClock) -> None:
    set_many(crm, [1, 2])
    handler = stumbles_at()
    with crm.write(SYSTEM) as unit:
        slept = claim(unit, ["reminder"])
    assert chore(crm, handler).run(never) == Tally()
    clock.move(LEASE - timedelta(seconds=1))
    assert chore(crm, handler).run(never) == Tally()
    clock.move(timedelta(seconds=1))
    with crm.write(SYSTEM) as unit:
        second = claim(unit, ["reminder"], limit=1)
    assert [(timer.id, timer.attempt) for timer in second] == [(slept[0].id, 2)]
    with pytest.raises(Fenced), crm.write(SYSTEM) as unit:
        settle(unit, slept, {"reminder": handler})
    assert traces(crm) == [], "half of the batch was still the late one's, and yet nothing stands"
    with crm.write(SYSTEM) as unit:
        settle(unit, second, {"reminder": handler})
    assert traces(crm) == [1]


def test_a_timer_that_is_cancelled_or_moved_while_it_is_claimed_is_not_finished(crm: Crm, clock: ShiftedClock) -> None:
    set_many(crm, [1, 2, 3])
    later = clock.now() + timedelta(days=1)

    def others_act(unit: WriteUnit, _timers: Sequence[Timer]) -> None:
        cancel_timers(unit, "reminder", [1], "died")
        move_timers(unit, "reminder", [2], later)

    with crm.write(SYSTEM) as unit:
        claimed = claim(unit, ["reminder"])
        others_act(unit, claimed)
    for timer in claimed[:2]:
        with pytest.raises(Fenced), crm.write(SYSTEM) as unit:
            settle(unit, [timer], {"reminder": Recording()})
    assert (row_of(crm, 1).state, row_of(crm, 1).failure) == (TimerState.CANCELLED, "died")
    assert (row_of(crm, 2).state, row_of(crm, 2).run_at) == (TimerState.WAITING, later)


def test_a_handler_that_cancels_another_of_its_batch_settles_both_rightly(crm: Crm) -> None:
    set_many(crm, [1, 2])

    def cancels_the_other(unit: WriteUnit, timers: Sequence[Timer]) -> None:
        for timer in timers:
            cancel_timers(unit, "reminder", [3 - timer.subject_id], "merged")

    tally = chore(crm, Recording(meanwhile=cancels_the_other)).run(never)
    assert (tally.claimed, tally.done) == (2, 1)
    assert states(crm) == {"done": 1, "cancelled": 1}


def test_what_ends_every_poller_that_tries_it_is_given_up_after_eight_leases(crm: Crm, clock: ShiftedClock) -> None:
    set_many(crm, [1])
    for _ in range(MOST_TRIES):
        with crm.write(SYSTEM) as unit:
            assert len(claim(unit, ["reminder"])) == 1
        clock.move(LEASE)
    handler = Recording()
    assert chore(crm, handler).run(never) == Tally(claimed=1, dead=1)
    assert (handler.fired, row_of(crm, 1).failure) == ([], LEASE_RAN_OUT)


def test_a_poller_that_is_stopped_gives_back_what_it_has_not_tried(crm: Crm) -> None:
    set_many(crm, [1, 2, 3])
    handler = stumbles_at(1, 2, 3)
    stops = iter([False, False, True, True])
    tally = chore(crm, handler).run(lambda: next(stops))
    assert (tally.claimed, tally.retried) == (3, 1)
    with crm.read(SYSTEM) as unit:
        waiting = sorted(unit.execute(select(TimerRow.attempt, TimerRow.run_at <= unit.now)).all())
    assert waiting == [(0, True), (0, True), (1, False)]


def test_how_late_timers_are_is_counted_from_the_oldest_that_is_due(crm: Crm, clock: ShiftedClock) -> None:
    poller = chore(crm, Recording())
    set_many(crm, [1], due_in=timedelta(minutes=1))
    set_many(crm, [2], kind="unheard_of", due_in=-timedelta(days=1))
    with crm.read(SYSTEM) as unit:
        assert poller.behind(unit) is None
        assert behind(unit, ["unheard_of"]) == timedelta(days=1)
    clock.move(timedelta(minutes=5))
    with crm.read(SYSTEM) as unit:
        assert poller.behind(unit) == timedelta(minutes=4)
