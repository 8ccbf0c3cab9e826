"""6 and 7: due notices fired, timer to gate to outbox, against a job queue's empty jobs, and by two pollers."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Role
from crm_core.app import Crm, open_crm
from crm_core.channels.notices.model import About, NewNotice
from crm_core.channels.notices.service import plan_notice
from crm_core.channels.tables import Outbox
from crm_core.clock import ShiftedClock
from crm_core.library.service import approve
from crm_core.patients.tables import PATIENT
from crm_core.settings import Settings
from crm_core.timers.chore import TimersChore
from crm_core.words import Purpose
from tests.bench.figures import Figure, middle, say, seconds_of
from tests.bench.stores import MASTER, NOW, staff

ROUNDS = 5
JOBS = 150
"""Of the job queue, a round: about a second of its time."""
WARM = 100
TEMPLATE = "visit_confirm"
AT_ONCE = 500
LIMIT, LIMIT_OF_TWO = 20.0, 1.6


class Due:
    """Notices that are due, each to another patient: an automatic text a day is all that one gets."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        with crm.write(staff(crm, Role.APPROVER)) as unit:
            approve(unit, TEMPLATE)
        with crm.read(SYSTEM) as unit:
            # Not 1 to n: what is left of a block of ids is used up before the next is begun.
            self._next = iter(unit.scalars(select(PATIENT.c.id).order_by(PATIENT.c.id)))

    def plan(self, count: int) -> None:
        """Plan so many more."""
        for start in range(0, count, AT_ONCE):
            with self._crm.write(SYSTEM) as unit:
                for _ in range(min(AT_ONCE, count - start)):
                    plan_notice(unit, _notice(next(self._next)))


def _notice(patient_id: int) -> NewNotice:
    return NewNotice(
        patient_id=patient_id,
        occasion=f"visit-{patient_id}",
        step="day_before",
        purpose=Purpose.REMINDER,
        template_key=TEMPLATE,
        due_at=NOW,
        source="bench",
        # As a day's visits: forty-eight times, ten minutes apart.
        about=About(code=f"visit-{patient_id}", at=NOW + timedelta(days=1, minutes=10 * (patient_id % 48))),
    )


def one_poller(crm: Crm, people: int, peer: str, *, note: str = "") -> Figure:
    """The rate of one poller, by turns with the job queue of the address `peer`."""
    due, chore = Due(crm), TimersChore(crm.units, crm.timer_handlers)
    each = (people - WARM) // ROUNDS
    due.plan(WARM)
    chore.run(lambda: False)
    ours, theirs = [], []
    with _job_queue(peer) as jobs:
        for _ in range(ROUNDS):
            due.plan(each)
            ours.append(each / seconds_of(lambda: chore.run(lambda: False)))
            theirs.append(JOBS / jobs.run(JOBS))
    queued = _queued(crm)
    return Figure(
        number=6,
        work="due reminders fired, postgresql",
        size=people,
        unit="rows/s",
        measured=middle(ours),
        floor=middle(theirs),
        limit=LIMIT,
        rate=True,
        note=f"{queued:,} of {WARM + ROUNDS * each:,} queued to go{note}",
    )


def alone(crm: Crm, people: int) -> float:
    """The rate of one poller on that store, without a peer."""
    due, chore = Due(crm), TimersChore(crm.units, crm.timer_handlers)
    each = (people - WARM) // ROUNDS
    due.plan(WARM)
    chore.run(lambda: False)
    rates = []
    for _ in range(ROUNDS):
        due.plan(each)
        rates.append(each / seconds_of(lambda: chore.run(lambda: False)))
    return middle(rates)


def _queued(crm: Crm) -> int:
    with crm.read(SYSTEM) as unit:
        return int(unit.scalar(select(func.count()).select_from(Outbox)))


class _Jobs:
    """procrastinate with one task that does nothing, on a database of its own."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._loop = loop

        @app.task(name="nothing")  # type: ignore[untyped-decorator]
        async def nothing() -> None:
            """Done as soon as it is begun."""

        self._task = nothing

    def run(self, count: int) -> float:
        """Seconds that one worker takes for so many jobs, deferred before."""
        return self._loop.run_until_complete(self._run(count))

    async def _run(self, count: int) -> float:
        await self._task.batch_defer_async(*({} for _ in range(count)))
        started = time.perf_counter()
        await self._app.run_worker_async(wait=False, listen_notify=False, install_signal_handlers=False)
        return time.perf_counter() - started


@contextmanager
def _job_queue(address: str) -> Iterator[_Jobs]:
    from procrastinate import App, PsycopgConnector

    loop = asyncio.new_event_loop()
    app = App(connector=PsycopgConnector(conninfo=address))
    loop.run_until_complete(app.open_async())
    try:
        loop.run_until_complete(app.schema_manager.apply_schema_async())
        yield _Jobs(app, loop)
    finally:
        loop.run_until_complete(app.close_async())
        loop.close()


def two_pollers(crm: Crm, people: int) -> Figure:
    """Two processes against one, by turns, on the same store."""
    due = Due(crm)
    each = (people - 4 * WARM) // (3 * ROUNDS)
    alone, together = [], []
    with _pollers(crm.settings, 2) as pollers:
        for poller in pollers:
            due.plan(2 * WARM)
            _timed([poller])
        for _ in range(ROUNDS):
            due.plan(each)
            alone.append(each / _timed(pollers[:1]))
            due.plan(2 * each)
            together.append(2 * each / _timed(pollers))
    return Figure(
        number=7,
        work="due reminders fired by two pollers, postgresql",
        size=people,
        unit="rows/s",
        measured=middle(together),
        floor=middle(alone),
        limit=LIMIT_OF_TWO,
        rate=True,
    )


def _timed(pollers: Sequence[Connection]) -> float:
    """Seconds until the last of these has nothing left to do."""
    for poller in pollers:
        poller.send(True)
    return max(float(poller.recv()) for poller in pollers)


@contextmanager
def _pollers(settings: Settings, count: int) -> Iterator[list[Connection]]:
    spawn = multiprocessing.get_context("spawn")
    pairs = [spawn.Pipe() for _ in range(count)]
    processes = [spawn.Process(target=_poll, args=(settings, theirs), daemon=True) for _, theirs in pairs]
    for process in processes:
        process.start()
    ours = [mine for mine, _ in pairs]
    try:
        yield ours
    finally:
        for mine in ours:
            mine.send(False)
        for process in processes:
            process.join(30)
    say("the pollers have stopped")


def _poll(settings: Settings, told: Connection) -> None:
    """A poller's process: each time it is told to go on it fires what is due, and says how long that took."""
    with open_crm(settings, master=MASTER, clock=ShiftedClock(NOW)) as crm:
        chore = TimersChore(crm.units, crm.timer_handlers)
        while told.recv():
            told.send(seconds_of(lambda: chore.run(lambda: False)))
