"""A store, a provider and a clock that several pollers share, with one thing due at a time."""

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
from crm_core.timers.model import TimerState
from crm_core.timers.tables import TimerRow
from tests.conftest import MASTER
from tests.torture.halting import DELIVERS, HaltingPoller
from tests.torture.ledger import Ledger, LedgerGateway
from tests.torture.occasions import people, set_due
from tests.torture.processes import Ahead, context
from tests.torture.sending import LEASE_AND_MORE, Poller


@dataclass
class Workbench:
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
def workbench(settings: Settings) -> Iterator[Workbench]:
    """One patient, and a provider that answers every call."""
    ahead = context().Value("d", 0.0, lock=False)
    ledger = Ledger(seed=None)
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        ((patient_id, _),) = people(crm, 1)
        yield Workbench(crm=crm, settings=settings, ledger=ledger, ahead=ahead, patient_id=patient_id)
    ledger.close()
