"""The poller loop: every chore in a thread of its own, and a heartbeat beside them."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from crm_core.access.model import SYSTEM
from crm_core.timers import heartbeats
from crm_core.timers.model import Alive, Chore, Tally, WaitingChore
from crm_core.work.units import Units

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(seconds=60)
"""Between two tries of a chore that fails: its provider, or the store, is away."""
LONGEST_STOP = timedelta(seconds=45)
"""A call that is under way is waited for this long: a gateway's may take 30 s, and a lease ends after 60 s."""
_LONGEST_HOST = 80


def run_once(chores: Sequence[Chore], stopped: Callable[[], bool], total: Tally) -> None:
    """Every chore in turn, and again while any found work; counted into `total`.

    One that fails stops none of the others: what it raised is raised once they are through.
    """
    going, failures = list(chores), list[Exception]()
    found = True
    while found and not stopped():
        found = False
        for chore in tuple(going):
            try:
                tally = chore.run(stopped)
            except Exception as error:  # noqa: BLE001 - raised again below
                going.remove(chore)
                failures.append(error)
                _log(chore.kind, error)
                continue
            finally:
                chore.close()
            total.add(tally)
            found = found or tally.claimed > 0
    if failures:
        raise failures[0]


class Poller:
    """One process's turn at what is due. Its methods may be called from any thread, and none of them blocks but `join`.

    `slower` stretches the pauses of every chore to at least that long, for a console that has
    keys to answer. `told` is called with what a chore of that kind did, from the chore's thread.
    """

    def __init__(
        self,
        units: Units,
        chores: Sequence[Chore],
        *,
        inside_console: bool = False,
        slower: timedelta = timedelta(0),
        told: Callable[[str, Tally], None] = lambda _kind, _tally: None,
    ) -> None:
        self.tally = Tally()
        self.number: int | None = None
        """Of its row among the pollers, once its heart has beaten."""
        self._units = units
        self._chores = [(chore, threading.Event()) for chore in chores]
        self._slower = slower
        self._told = told
        self._counting = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._alive = Alive(
            host=socket.gethostname()[:_LONGEST_HOST],
            process=os.getpid(),
            kinds=tuple(dict.fromkeys(chore.kind for chore in chores)),
            inside_console=inside_console,
        )

    def start(self) -> None:
        """Begin; daemon threads, so that one that hangs in a provider's call keeps no process."""
        for chore, woken in self._chores:
            self._begin(chore.kind, self._keep_doing, chore, woken)
        self._begin("heartbeat", self._keep_beating, tuple(self._threads))

    def wake(self, kind: str) -> None:
        """Let that chore look at once, however long its pause would be."""
        for chore, woken in self._chores:
            if chore.kind == kind:
                woken.set()

    def stop(self) -> None:
        """Ask every chore to end after what it has in hand."""
        self._stop.set()
        for _chore, woken in self._chores:
            woken.set()

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it is at work any more, so that its chores may be another's."""
        return not any(thread.is_alive() for thread in self._threads)

    def join(self, longest: timedelta = LONGEST_STOP) -> bool:
        """Wait until all have ended, after `stop`; False where one has not in that time."""
        late = _ended(self._threads, longest)
        if late:
            log.warning("still at work after %d s: %s", longest.total_seconds(), ", ".join(late))
        return not late

    def _begin(self, name: str, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name=f"crm-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _keep_doing(self, chore: Chore, woken: threading.Event) -> None:
        failures = 0
        while not self._stop.is_set():
            # What is asked for from here on is looked for by the run after this one.
            woken.clear()
            if self._guarded(chore.kind, lambda: self._count(chore.kind, chore.run(self._stop.is_set))):
                failures = 0
            else:
                failures += 1
            if not self._stop.is_set():
                self._pause(chore, woken, failures)
        self._close(chore)

    def _pause(self, chore: Chore, woken: threading.Event, failures: int) -> None:
        if failures:
            self._close(chore)
            woken.wait(min(chore.every * 2 ** min(failures, 16), LONGEST_PAUSE).total_seconds())
        elif isinstance(chore, WaitingChore):
            if not self._guarded(chore.kind, lambda: chore.wait(woken.is_set)):
                self._pause(chore, woken, 1)
        else:
            woken.wait(max(chore.every, self._slower).total_seconds())

    def _count(self, kind: str, tally: Tally) -> None:
        with self._counting:
            self.tally.add(tally)
        if tally != Tally():
            self._told(kind, tally)

    def _keep_beating(self, working: Sequence[threading.Thread]) -> None:
        while True:
            self._guarded("heartbeat", self._beat)
            if self._stop.wait(heartbeats.BEAT_EVERY.total_seconds()):
                break
        if not _ended(working, LONGEST_STOP):
            self._guarded("heartbeat", self._end)

    def _beat(self) -> None:
        with self._units.write(SYSTEM) as unit:
            if self.number is None:
                number = heartbeats.begin(unit, self._alive)
            else:
                number = self.number
                heartbeats.beat(unit, number, self._alive)
        self.number = number

    def _end(self) -> None:
        if self.number is not None:
            with self._units.write(SYSTEM) as unit:
                heartbeats.end(unit, self.number)

    def _guarded(self, kind: str, work: Callable[[], None]) -> bool:
        """Whether it went well. A poller outlives whatever breaks in it."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - as said
            _log(kind, error)
            return False
        return True

    def _close(self, chore: Chore) -> None:
        with suppress(Exception):
            chore.close()


def _log(kind: str, error: Exception) -> None:
    """A failure by its class alone: what it says, and a trace, may hold a patient."""
    log.error("poller %s: %s", kind, type(error).__name__)


def _ended(threads: Sequence[threading.Thread], longest: timedelta) -> list[str]:
    """Wait until they have ended; the names of those that have not in that time."""
    until = time.monotonic() + longest.total_seconds()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return [thread.name for thread in threads if thread.is_alive()]
