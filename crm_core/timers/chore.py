"""The chore that fires timers: a batch together, what fails singly, what fails alone later again."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import literal, select

from crm_core.access.model import SYSTEM
from crm_core.errors import Unavailable
from crm_core.timers.firing import Fenced, claim, give_back, put_off, settle
from crm_core.timers.model import Tally, Timer, TimerHandler, TimerState
from crm_core.timers.queries import behind
from crm_core.timers.retrying import MOST_TRIES
from crm_core.work.units import ReadUnit, Units

log = logging.getLogger(__name__)

LEASE_RAN_OUT = "LeaseRanOut"
"""The failure of a timer that ended, or stopped, every poller that tried it."""


class TimersChore:
    """Fires what is due of the kinds that have a handler; what no handler knows stays waiting."""

    kind = "timers"
    every = timedelta(seconds=1)

    def __init__(self, units: Units, handlers: Sequence[TimerHandler]) -> None:
        self._units = units
        self._handlers = {handler.kind: handler for handler in handlers}
        self._in_hand: list[Timer] = []
        """Claimed and not settled. Left over where the store went away: to be given back without a try."""

    def run(self, stopped: Callable[[], bool]) -> Tally:
        """Fire batch after batch until nothing is due."""
        total = Tally()
        while self._handlers and not stopped():
            batch = self._batch(stopped)
            total.add(batch)
            if batch.claimed == 0:
                break
        return total

    def behind(self, unit: ReadUnit) -> timedelta | None:
        """How long the oldest timer that has a handler has been due."""
        return behind(unit, tuple(self._handlers))

    def close(self) -> None:
        """Give back what a store that was away left in hand."""
        self._give_back()

    def _batch(self, stopped: Callable[[], bool]) -> Tally:
        self._give_back()
        with self._units.write(SYSTEM) as unit:
            self._in_hand = claim(unit, tuple(self._handlers))
        tally = Tally(claimed=len(self._in_hand))
        fresh = [timer for timer in self._in_hand if timer.attempt == 1]
        if len(fresh) > 1 and self._together(fresh):
            tally.done += len(fresh)
        # What failed before is tried alone, and in any order: one that ends the whole
        # process must not take the same others with it each time.
        singly = list(self._in_hand)
        random.shuffle(singly)
        for timer in singly:
            if stopped():
                break
            self._alone(timer, tally)
        self._give_back()
        return tally

    def _together(self, timers: list[Timer]) -> bool:
        """Whether all of them fired and finished in one unit; where not, nothing of it stands."""
        try:
            with self._units.write(SYSTEM) as unit:
                settle(unit, timers, self._handlers)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its batch is rerun singly
            self._check(error)
            log.warning("a batch of %d timers is rerun singly: %s", len(timers), type(error).__name__)
            return False
        self._settled(timers)
        return True

    def _alone(self, timer: Timer, tally: Tally) -> None:
        failure = LEASE_RAN_OUT
        if timer.attempt <= MOST_TRIES:
            try:
                with self._units.write(SYSTEM) as unit:
                    settle(unit, [timer], self._handlers)
            except Fenced:
                self._settled([timer])
                return
            except Exception as error:  # noqa: BLE001 - one that fails must not keep the others
                self._check(error)
                failure = type(error).__name__
            else:
                tally.done += 1
                self._settled([timer])
                return
        with self._units.write(SYSTEM) as unit:
            state = put_off(unit, timer, failure)
        log.error("timer %d (%s), try %d: %s", timer.id, timer.kind, timer.attempt, failure)
        tally.retried += state is TimerState.WAITING
        tally.dead += state is TimerState.DEAD
        self._settled([timer])

    def _check(self, error: Exception) -> None:
        """Raise where it is the store that failed, not the timers: it does not answer now, either."""
        if not isinstance(error, Unavailable):
            return
        with self._units.write(SYSTEM) as unit:
            unit.scalar(select(literal(1)))

    def _settled(self, timers: Sequence[Timer]) -> None:
        settled = {timer.id for timer in timers}
        self._in_hand = [timer for timer in self._in_hand if timer.id not in settled]

    def _give_back(self) -> None:
        if self._in_hand:
            with self._units.write(SYSTEM) as unit:
                give_back(unit, self._in_hand)
            self._in_hand = []
