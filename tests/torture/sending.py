"""Pollers killed at random while timers post and messages leave, and an account of every one afterwards.

On Postgres connections are cut as well, at random moments: a COMMIT may stand whose reply is lost.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from typing_extensions import override

from crm_core.access.model import SYSTEM, Actor
from crm_core.app import Crm, open_crm
from crm_core.channels.delivery import Courier
from crm_core.channels.gate import Gate
from crm_core.channels.gateways.base import Gateway
from crm_core.channels.tables import LEAVING, Outbox
from crm_core.errors import CrmError
from crm_core.settings import Settings
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Tally
from crm_core.timers.tables import WAITING, TimerRow
from crm_core.words import Channel
from crm_core.work.units import Units, WriteUnit
from tests.conftest import MASTER
from tests.torture.account import Account, Books
from tests.torture.ledger import Ledger, LedgerGateway
from tests.torture.occasions import PostsOne, people, set_due
from tests.torture.processes import Ahead, context, kill, say

POLLERS = 2
PATIENTS = 40
BATCH = 60
"""Timers set at once, as soon as fewer than half as many are left."""
LEASE_AND_MORE = 61.0
"""Seconds by which the clock moves once nobody is alive to hold a lease."""
LONGEST_PAUSE_AND_MORE = 4_000.0
ALL_AT_ONCE = 0.5
"""The share of blows that kill every poller."""
CUT = 0.3
"""The share of blows that come with cut connections, where there are any."""
STEPS = 10
"""What a poller does on average before the blow; one message is two steps, and many die at their first."""
LONGEST_WAIT = 5.0
LAST_ROUNDS = 60

_CUT_TWO = text(
    "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 2) AS two"
)


class Poller:
    """Fires timers and delivers what they posted, by turns."""

    def __init__(self, units: Units, gateway: Gateway) -> None:
        gate = Gate(gateways={Channel.SMS: gateway})
        self._timers = TimersChore(units, [PostsOne(gate)])
        self._courier = Courier(units=units, gate=gate, observers=())

    def fire(self) -> Tally:
        """Fire the timers that are due."""
        return self._timers.run(lambda: False)

    def deliver(self) -> Tally:
        """Deliver the messages that are due."""
        return self._courier.run_once()

    def turn(self) -> int:
        """Do what is due now; returns how many timers and messages that were."""
        return self.fire().claimed + self.deliver().claimed


def poll_until_killed(settings: Settings, address: tuple[str, int], ahead: Any, steps: Any) -> None:
    """A poller's life. A store that is away for a moment ends it as little as it ends `crm poll`."""
    while True:
        with suppress(CrmError), open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
            _poll(Poller(_CountingUnits(crm.units, steps), LedgerGateway(address)))


class _CountingUnits(Units):
    """Tells how far its poller has come: a step is whatever it begins to write."""

    def __init__(self, units: Units, steps: Any) -> None:
        super().__init__(
            store=units.store, vault=units.vault, ledger=units.ledger, clock=units.clock, guard=units.guard
        )
        self.shared = units.shared
        self._steps = steps

    @override
    def write(self, actor: Actor) -> WriteUnit:
        self._steps.value += 1
        return super().write(actor)


def _poll(poller: Poller) -> None:
    while True:
        done = 0
        with suppress(CrmError):
            done = poller.turn()
        if done == 0:
            time.sleep(0.01)


@dataclass(frozen=True, kw_only=True)
class _Alive:
    """A poller's process, and how many steps it has made."""

    process: Any
    steps: Any


class Campaign:
    """Kills `kills` pollers of one store at random times; `seed` makes it the same again, but for the host's timing."""

    def __init__(self, crm: Crm, settings: Settings, ahead: Any, *, kills: int, seed: int) -> None:
        self._crm = crm
        self._settings = settings
        self._ahead = ahead
        self._kills = kills
        self._chance = random.Random(seed)  # noqa: S311 - a campaign that can be repeated
        self._people = [patient_id for patient_id, _ in people(crm, PATIENTS)]
        self._pollers: list[_Alive] = []
        self.ledger = Ledger(seed)
        self.set = 0
        self.killed = 0
        self.cut = 0
        self.fell = 0
        """Pollers that ended by themselves."""

    def run(self) -> None:
        """All of the kills."""
        try:
            while self.killed < self._kills:
                self._top_up()
                self._pollers += [self._start() for _ in range(POLLERS - len(self._pollers))]
                self._wait_for(self._chance.choice(self._pollers))
                self._blow()
        finally:
            for poller in self._pollers:
                kill(poller.process)

    def _start(self) -> _Alive:
        steps = context().Value("L", 0, lock=False)
        arguments = (self._settings, self.ledger.address, self._ahead, steps)
        process = context().Process(target=poll_until_killed, args=arguments, daemon=True)
        process.start()
        return _Alive(process=process, steps=steps)

    def _wait_for(self, poller: _Alive) -> None:
        """Let it do so many steps, and a little of the next: by the work done, a busy host makes no idle campaign."""
        enough = poller.steps.value + 1 + int(self._chance.expovariate(1 / STEPS))
        end = time.monotonic() + LONGEST_WAIT
        while poller.steps.value < enough and time.monotonic() < end and poller.process.exitcode is None:
            time.sleep(0.001)
        time.sleep(self._chance.uniform(0, 0.006))

    def _blow(self) -> None:
        if self._crm.store.dialect == "postgresql" and self._chance.random() < CUT:
            self._cut()
        struck = self._pollers if self._chance.random() < ALL_AT_ONCE else [self._chance.choice(self._pollers)]
        everyone = len(struck) == len(self._pollers)
        before = self.killed
        for poller in list(struck):
            self.fell += poller.process.exitcode is not None
            kill(poller.process)
            self._pollers.remove(poller)
            self.killed += 1
        if everyone:
            # Only now: a poller that lives through such a leap would be one that slept for a minute.
            self._ahead.value += LEASE_AND_MORE
        if self.killed // 25 > before // 25:
            arrived = sum(self.ledger.arrived.values())
            say(f"{self.killed} of {self._kills} kills, {self.set} timers, {arrived} messages arrived")

    def _cut(self) -> None:
        """Cut two connections, this process's idle ones among them: it finds the store again."""
        with self._crm.store.writing.connect() as connection:
            self.cut += len(connection.execute(_CUT_TWO).all())

    def _top_up(self) -> None:
        """Set so many timers more once little is left to do."""
        with self._crm.read(SYSTEM) as unit:
            left = unit.scalar(select(func.count()).select_from(TimerRow).where(WAITING))
            left += unit.scalar(select(func.count()).select_from(Outbox).where(LEAVING))
        if left > BATCH // 2:
            return
        set_due(self._crm, [self._people[number % PATIENTS] for number in range(BATCH)], self.set)
        self.set += BATCH

    def finish(self) -> None:
        """One poller, alone, until nothing waits; the clock leaps over every pause."""
        poller = Poller(self._crm.units, LedgerGateway(self.ledger.address))
        for _ in range(LAST_ROUNDS):
            self._ahead.value += LONGEST_PAUSE_AND_MORE
            if poller.turn() == 0:
                return


def campaign(settings: Settings, *, kills: int, seed: int) -> Account:
    """Kill pollers, let one finish, compare with the provider's ledger, and settle by hand what is left."""
    ahead = context().Value("d", 0.0, lock=False)
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        fight = Campaign(crm, settings, ahead, kills=kills, seed=seed)
        try:
            fight.run()
            fight.finish()
            books = Books(crm, fight.ledger)
            listed = books.settle_by_hand(fight.finish)
            return books.account(listed, kills=fight.killed, cut=fight.cut, fell=fight.fell, timers=fight.set)
        finally:
            fight.ledger.close()
