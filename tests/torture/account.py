"""What became of every timer and message of a campaign, by the store, by the provider, and by hand for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import resolve
from crm_core.channels.tables import Outbox
from crm_core.channels.undelivered import did_not_go, retry
from crm_core.timers.model import TimerState
from crm_core.timers.queries import dead_timers
from crm_core.timers.service import retry_timer
from crm_core.timers.tables import TimerRow
from tests.torture.ledger import Ledger
from tests.torture.occasions import timer_of

_MOST = 100_000
_ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a person found in the lists and settled: nothing else was left after the pollers' last round."""

    unknown: int = 0
    given_up: int = 0
    dead: int = 0


@dataclass(frozen=True, kw_only=True)
class Account:
    """A campaign's end. `lost`, `doubled`, `unfired` and `refired` name messages and timers; so does `left`."""

    kills: int
    cut: int
    fell: int
    timers: int
    messages: int
    listed: Listed
    unfired: tuple[int, ...]
    refired: tuple[int, ...]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    left: tuple[str, ...]
    hung_up: int

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.cut} connections cut, {self.timers} timers, {self.messages} messages: "
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.unfired)} timers not fired, "
            f"{len(self.refired)} fired twice, {len(self.left)} left; settled by hand: {self.listed.unknown} unknown, "
            f"{self.listed.given_up} given up, {self.listed.dead} dead timers; the provider hung up {self.hung_up} "
            f"times, {self.fell} pollers fell by themselves"
        )


class Books:
    """The store's rows held against the provider's ledger."""

    def __init__(self, crm: Crm, ledger: Ledger) -> None:
        self._crm = crm
        self._ledger = ledger

    def settle_by_hand(self, finish: Callable[[], None]) -> Listed:
        """Resolve every unknown as the ledger says, try again what was given up, until the lists are empty."""
        unknown = given_up = dead = 0
        for _ in range(_ROUNDS):
            with self._crm.read(SYSTEM) as unit:
                letters, timers = did_not_go(unit, limit=_MOST), dead_timers(unit, limit=_MOST)
                keys = {row.id: row.dedup_key for row in unit.execute(select(Outbox.id, Outbox.dedup_key))}
            if not (letters.unknown or letters.given_up or timers):
                break
            for row in letters.unknown:
                with self._crm.write(SYSTEM) as writing:
                    resolve(writing, row.id, sent=self._ledger.arrived[keys[row.id]] > 0)
            for row in letters.given_up:
                with self._crm.write(SYSTEM) as writing:
                    retry(writing, row.id)
            for timer in timers:
                with self._crm.write(SYSTEM) as writing:
                    retry_timer(writing, timer.id)
            unknown += len(letters.unknown)
            given_up += len(letters.given_up)
            dead += len(timers)
            finish()
        return Listed(unknown=unknown, given_up=given_up, dead=dead)

    def account(self, listed: Listed, *, kills: int, cut: int, fell: int, timers: int) -> Account:
        """Count everything once more."""
        with self._crm.read(SYSTEM) as unit:
            messages = {row.dedup_key: row.state for row in unit.execute(select(Outbox.dedup_key, Outbox.state))}
            states = {row.id: row.state for row in unit.execute(select(TimerRow.id, TimerRow.state))}
        posted = Counter(timer_of(key) for key in messages)
        arrived = self._ledger.arrived
        left = [f"{key}: {state}" for key, state in messages.items() if state is not Delivery.SENT]
        left += [f"timer {timer}: {state}" for timer, state in states.items() if state is not TimerState.DONE]
        assert len(states) == timers
        return Account(
            kills=kills,
            cut=cut,
            fell=fell,
            timers=timers,
            messages=len(messages),
            listed=listed,
            unfired=tuple(timer for timer in states if posted[timer] == 0),
            refired=tuple(timer for timer, count in posted.items() if count > 1),
            lost=tuple(key for key, state in messages.items() if state is Delivery.SENT and not arrived[key]),
            doubled=tuple(key for key, count in arrived.items() if count > 1),
            left=tuple(left),
            hung_up=self._ledger.hung_up,
        )
