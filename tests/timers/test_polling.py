"""The loop of a poller: each chore in its own thread, failures outlived, an orderly end; and its sign of life."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.audit.tags import Tag
from crm_core.clock import ShiftedClock
from crm_core.errors import Unavailable
from crm_core.timers import heartbeats
from crm_core.timers.model import LATE, Alive, Chore, Polling, Tally
from crm_core.timers.polling import Poller, run_once
from crm_core.timers.queries import polling
from crm_core.work.units import ReadUnit
from tests.inbox.looking import tags
from tests.timers.conftest import Recording, chore, set_many, states

SOON = 20.0
"""Seconds after which something that should have happened will not happen any more."""
ALIVE = Alive(host="desk-1", process=7, kinds=("timers", "outbox"), inside_console=False)
CONSOLE = Alive(host="desk-2", process=8, kinds=("timers",), inside_console=True)


class Scripted:
    """A chore that does one thing of its script at each run, and nothing after that."""

    def __init__(self, *script: Tally | Exception, kind: str = "mail", every: float = 0.001) -> None:
        self.kind = kind
        self.every = timedelta(seconds=every)
        self.closed = 0
        self.ran_out = threading.Event()
        self._script = list(script)

    def run(self, stopped: Callable[[], bool]) -> Tally:  # noqa: ARG002 - a step is short
        if not self._script:
            self.ran_out.set()
            return Tally()
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def behind(self, unit: ReadUnit) -> timedelta | None:  # noqa: ARG002
        return None

    def close(self) -> None:
        self.closed += 1


class Idling(Scripted):
    """A chore whose provider is asked to say when something came, and never does."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()
        self._silence = threading.Event()

    def wait(self, stopped: Callable[[], bool]) -> None:
        self.waits.set()
        while not stopped():
            self._silence.wait(0.005)


def begun(crm: Crm, *alive: Alive) -> list[int]:
    """Heartbeats of these pollers."""
    numbers = []
    for one in alive:
        with crm.write(SYSTEM) as unit:
            numbers.append(heartbeats.begin(unit, one))
    return numbers


def seen(crm: Crm, *chores: Chore) -> Polling:
    """How it stands with the pollers."""
    with crm.read(SYSTEM) as unit:
        return polling(unit, chores)


def test_every_chore_is_run_and_what_it_did_is_told_and_counted(crm: Crm) -> None:
    told: list[tuple[str, Tally]] = []
    first, second = Scripted(Tally(claimed=2, sent=2)), Scripted(Tally(claimed=1, dead=1), kind="texts")
    poller = Poller(crm.units, (first, second), told=lambda *what: told.append(what))
    poller.start()
    assert first.ran_out.wait(SOON)
    assert second.ran_out.wait(SOON)
    poller.stop()
    assert poller.join()
    assert poller.tally == Tally(claimed=3, sent=2, dead=1)
    assert sorted(kind for kind, _ in told) == ["mail", "texts"]
    assert first.closed
    assert second.closed


def test_a_chore_that_breaks_is_logged_by_its_class_alone_and_tried_again(
    crm: Crm, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Scripted(Unavailable(what="Ana Soto", remedy="wait"), ValueError("Ana Soto"), Tally(claimed=1))
    other = Scripted(kind="texts")
    poller = Poller(crm.units, (broken, other))
    with caplog.at_level(logging.ERROR):
        poller.start()
        assert broken.ran_out.wait(SOON)
        poller.stop()
        assert poller.join()
    assert [one.getMessage() for one in caplog.records] == ["poller mail: Unavailable", "poller mail: ValueError"]
    assert other.ran_out.is_set()
    assert poller.tally.claimed == 1


def test_a_chore_that_is_far_from_its_next_turn_can_be_woken_and_stopped(crm: Crm) -> None:
    set_many(crm, [1])
    fired = threading.Event()
    timers = chore(crm, Recording(meanwhile=lambda _unit, _timers: fired.set()))
    timers.every = timedelta(hours=1)
    poller = Poller(crm.units, (timers,))
    poller.start()
    assert fired.wait(SOON)
    fired.clear()
    set_many(crm, [2])
    poller.wake("timers")
    assert fired.wait(SOON)
    poller.stop()
    assert poller.join()
    assert states(crm) == {"done": 2}


def test_a_chore_that_waits_for_its_provider_holds_up_neither_others_nor_the_end(crm: Crm) -> None:
    idling, other = Idling(), Scripted(Tally(), Tally(), kind="texts")
    poller = Poller(crm.units, (idling, other))
    poller.start()
    assert idling.waits.wait(SOON)
    assert other.ran_out.wait(SOON)
    poller.stop()
    assert poller.join()


def test_once_goes_round_until_nothing_is_found_and_one_that_fails_stops_no_other() -> None:
    failing = Scripted(Unavailable(what="The mail server", remedy="wait"), kind="mail")
    working = Scripted(Tally(claimed=1, sent=1), Tally(claimed=1, sent=1), kind="texts")
    total = Tally()
    with pytest.raises(Unavailable):
        run_once((failing, working), lambda: False, total)
    assert total == Tally(claimed=2, sent=2)
    assert working.ran_out.is_set()
    assert failing.closed == 1


def test_a_poller_is_seen_while_it_lives_and_its_end_is_written_down(crm: Crm) -> None:
    poller = Poller(crm.units, (Scripted(), Scripted(kind="texts")))
    told = threading.Event()
    stop = crm.store.feed.listen(lambda _topics: told.set())
    poller.start()
    assert told.wait(SOON)
    (one,) = seen(crm).living
    assert (one.alive.kinds, one.alive.inside_console) == (("mail", "texts"), False)
    poller.stop()
    assert poller.join()
    stop()
    (one,) = seen(crm).pollers
    assert (one.lives, one.stopped_at is not None) == (False, True)
    assert not [tag for tag in tags(crm) if "poller" in tag]


def test_a_heartbeat_is_fresh_for_half_a_minute(crm: Crm, clock: ShiftedClock) -> None:
    (number,) = begun(crm, ALIVE)
    clock.move(timedelta(seconds=29))
    assert [one.id for one in seen(crm).living] == [number]
    clock.move(timedelta(seconds=1))
    assert seen(crm).living == ()
    with crm.write(SYSTEM) as unit:
        heartbeats.beat(unit, number, ALIVE)
    assert [one.id for one in seen(crm).living] == [number]


def test_pollers_of_a_week_ago_are_forgotten_and_one_that_beats_again_is_written_down_anew(
    crm: Crm, clock: ShiftedClock
) -> None:
    (old,) = begun(crm, ALIVE)
    clock.move(heartbeats.KEPT + timedelta(seconds=1))
    (new,) = begun(crm, CONSOLE)
    assert [one.id for one in seen(crm).pollers] == [new]
    with crm.write(SYSTEM) as unit:
        heartbeats.beat(unit, old, ALIVE)
    assert [one.id for one in seen(crm).living] == [old, new]


def test_what_nobody_polls_and_what_is_late_is_named(crm: Crm, clock: ShiftedClock) -> None:
    set_many(crm, [1])
    begun(crm, CONSOLE)
    clock.move(LATE)
    begun(crm, CONSOLE)
    chores = (chore(crm, Recording()), Scripted(kind="outbox"))
    assert seen(crm, *chores).late == ()
    clock.move(timedelta(seconds=1))
    found = seen(crm, *chores)
    assert [(one.kind, one.polled_by, one.behind) for one in found.late] == [("timers", 1, LATE + timedelta(seconds=1))]
    assert found.unpolled == ("outbox",)


def test_a_console_polls_unless_another_poller_lives_and_of_two_the_first_goes_on(
    crm: Crm, clock: ShiftedClock
) -> None:
    def yields(mine: int | None) -> bool:
        with crm.read(SYSTEM) as unit:
            return heartbeats.others_live(unit, mine)

    assert not yields(None)
    first, second = begun(crm, CONSOLE, CONSOLE)
    assert yields(None)
    assert not yields(first)
    assert yields(second)
    (service,) = begun(crm, ALIVE)
    assert yields(first)
    with crm.write(SYSTEM) as unit:
        heartbeats.end(unit, service)
    assert not yields(first)
    clock.move(heartbeats.FRESH)
    with crm.write(SYSTEM) as unit:
        heartbeats.beat(unit, second, CONSOLE)
    assert not yields(second), "the first fell silent"


def test_heartbeats_are_not_audited(crm: Crm) -> None:
    before = tags(crm)
    (number,) = begun(crm, ALIVE)
    with crm.write(SYSTEM) as unit:
        heartbeats.beat(unit, number, ALIVE)
    assert tags(crm) == before
    assert Tag.TIMER_DEAD not in before
