"""A poller that is stopped, or dies, after each thing it does: another takes over, and it happens once.

security.md, cases 13 and 14; what a killed poller leaves half-done at random is in test_killed_senders.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm, open_crm
from crm_core.channels.model import Delivery
from crm_core.channels.tables import Outbox
from crm_core.settings import Settings
from crm_core.timers.model import Tally, TimerState
from crm_core.timers.tables import TimerRow
from tests.conftest import MASTER
from tests.torture.halting import DELIVERS, FIRES, HaltingPoller
from tests.torture.ledger import Ledger, LedgerGateway
from tests.torture.occasions import people, set_due
from tests.torture.processes import Ahead, context
from tests.torture.sending import LEASE_AND_MORE, Poller

DOES = {FIRES: ["committed"] * 3, DELIVERS: ["committed", "committed", "called", "committed", "committed"]}
"""What a poller does with one timer (claim, fire, look for more) and with one message (claim, begin, call, settle,
look for more)."""


@dataclass
class Bench:
    """A store, a provider, a clock that all share, and one other poller."""

    crm: Crm
    settings: Settings
    ledger: Ledger
    ahead: Any
    patient_id: int
    set: int = 0

    def __post_init__(self) -> None:
        self.other = Poller(self.crm.units, LedgerGateway(self.ledger.address))

    def one_due(self, work: str) -> None:
        """One more timer that is due or, to deliver, the message that it has posted."""
        set_due(self.crm, [self.patient_id], self.set)
        self.set += 1
        if work == DELIVERS:
            self.other.fire()

    def poller(self) -> HaltingPoller:
        """One more poller, in a process of its own."""
        return HaltingPoller(self.settings, self.ledger.address, self.ahead)

    def others_take_over(self) -> None:
        """The lease runs out and the other poller does what is due.

        The clock of all is moved, instead of a minute slept: a process that is stopped, or dead, reads
        no clock meanwhile, so for it and for the store this is that minute.
        """
        self.ahead.value += LEASE_AND_MORE
        self.other.turn()

    def rows(self) -> list[Mapping[str, Any]]:
        """Every timer and message as it is stored."""
        tables = (TimerRow.__table__, Outbox.__table__)
        with self.crm.read(SYSTEM) as unit:
            return [dict(row) for one in tables for row in unit.execute(select(one)).mappings()]

    def expect_all_done_once(self) -> None:
        """Every timer has posted one message, and each has arrived once."""
        rows = self.rows()
        assert [row["state"] for row in rows] == [TimerState.DONE] * self.set + [Delivery.SENT] * self.set
        assert list(self.ledger.arrived.values()) == [1] * self.set


@pytest.fixture
def bench(settings: Settings) -> Iterator[Bench]:
    """One patient, and a provider that answers every call."""
    ahead = context().Value("d", 0.0, lock=False)
    ledger = Ledger(seed=None)
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        ((patient_id, _),) = people(crm, 1)
        yield Bench(crm=crm, settings=settings, ledger=ledger, ahead=ahead, patient_id=patient_id)
    ledger.close()


@pytest.mark.parametrize("work", [FIRES, DELIVERS])
def test_a_poller_that_slept_through_its_lease_does_nothing_late_and_it_happens_once(bench: Bench, work: str) -> None:
    poller = bench.poller()
    for halts_after, done in enumerate(DOES[work], 1):
        bench.one_due(work)
        assert poller.begin(work, halts_after) == done
        poller.stop()
        bench.others_take_over()
        after = bench.rows()
        late = poller.go_on()
        assert bench.rows() == after
        assert late.sent == (1 if (work, halts_after) in ((DELIVERS, 4), (DELIVERS, 5)) else 0)
        bench.other.turn()
        bench.expect_all_done_once()
    bench.one_due(work)
    assert poller.begin(work, len(DOES[work]) + 1) is None
    poller.kill()


@pytest.mark.parametrize("work", [FIRES, DELIVERS])
def test_a_poller_that_dies_after_anything_it_does_leaves_all_to_the_next_and_it_happens_once(
    bench: Bench, work: str
) -> None:
    for halts_after, done in enumerate(DOES[work], 1):
        poller = bench.poller()
        bench.one_due(work)
        assert poller.begin(work, halts_after) == done
        poller.kill()
        bench.others_take_over()
        bench.other.turn()
        bench.expect_all_done_once()


def test_a_poller_that_is_only_slow_keeps_what_it_holds(bench: Bench) -> None:
    poller = bench.poller()
    bench.one_due(DELIVERS)
    assert poller.begin(DELIVERS, 3) == "called"
    assert bench.other.deliver() == Tally()
    assert poller.go_on().sent == 1
    bench.expect_all_done_once()
    poller.kill()
