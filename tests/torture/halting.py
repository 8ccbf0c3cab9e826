"""A poller that waits for a word after each thing it has done, to be stopped or killed just there."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from typing_extensions import override

from crm_core.access.model import Actor
from crm_core.app import open_crm
from crm_core.channels.gateways.base import Accepted, Outgoing
from crm_core.settings import Settings
from crm_core.timers.model import Tally
from crm_core.work.units import Units, WriteUnit
from tests.conftest import MASTER
from tests.torture.ledger import LedgerGateway
from tests.torture.processes import Ahead, context, kill
from tests.torture.sending import Poller

FIRES, DELIVERS = "fires", "delivers"


class HaltingPoller:
    """Another process, seen from the one that orders it about."""

    def __init__(self, settings: Settings, address: tuple[str, int], ahead: Any) -> None:
        self._line, theirs = context().Pipe()
        self._process = context().Process(target=_obey, args=(settings, address, ahead, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, work: str, halts_after: int) -> str | None:
        """Let it fire or deliver, up to where it has done so many things; what the last was, None where it ended."""
        self._line.send(work)
        for count in range(1, halts_after + 1):
            said = self._line.recv()
            if isinstance(said, Tally):
                return None
            if count == halts_after:
                return str(said)
            self._line.send("go on")
        return None

    def stop(self) -> None:
        """SIGSTOP."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> Tally:
        """SIGCONT, and all that it still has to do; what it counts as its own doing."""
        os.kill(self._process.pid, signal.SIGCONT)
        while True:
            self._line.send("go on")
            said = self._line.recv()
            if isinstance(said, Tally):
                return said

    def kill(self) -> None:
        """SIGKILL."""
        kill(self._process)
        self._line.close()


def _obey(settings: Settings, address: tuple[str, int], ahead: Any, line: Connection) -> None:
    with open_crm(settings, master=MASTER, clock=Ahead(ahead)) as crm:
        poller = Poller(_HaltingUnits(crm.units, line), _HaltingGateway(address, line))
        while True:
            work = line.recv()
            line.send(poller.fire() if work == FIRES else poller.deliver())


def _halt(line: Connection, done: str) -> None:
    line.send(done)
    line.recv()


class _HaltingUnits(Units):
    """Halts after each commit, when nothing is locked any more."""

    def __init__(self, units: Units, line: Connection) -> None:
        super().__init__(
            store=units.store, vault=units.vault, ledger=units.ledger, clock=units.clock, guard=units.guard
        )
        self.shared = units.shared
        self.line = line

    @override
    def write(self, actor: Actor) -> WriteUnit:
        return _HaltingUnit(self, actor)


class _HaltingUnit(WriteUnit):
    def __init__(self, units: _HaltingUnits, actor: Actor) -> None:
        super().__init__(units, actor)
        self._line = units.line

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if error is None:
            _halt(self._line, "committed")


class _HaltingGateway(LedgerGateway):
    """Halts when the provider has the message and nobody else knows yet."""

    def __init__(self, address: tuple[str, int], line: Connection) -> None:
        super().__init__(address)
        self._line = line

    @override
    def send(self, outgoing: Outgoing) -> Accepted:
        accepted = super().send(outgoing)
        _halt(self._line, "called")
        return accepted
