"""`crm poll`: does what is due, until it is stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.app import Crm
    from crm_core.timers.model import Tally

app = group("Deliver what is due.")

EVERY = 1.0
"""Seconds between two looks at what is due."""
CHECKPOINT_EVERY = 60.0
"""Seconds between two checkpoints of the audit (architecture.md)."""


@command(app, "poll", example="crm poll --once --json")
def poll(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is due any more.")] = False,
) -> None:
    """Deliver what is due; wakes what was put aside and anchors the audit, too, until it is stopped."""
    from crm_core.access.model import Permission

    session = Session.of(ctx)
    session.signing = True
    session.machine(Permission.OUTBOX_DELIVER)
    poller = Poller(session.crm)
    if once:
        poller.deliver()
        poller.anchor()
    else:
        poller.run(started=lambda: session.say("Polling; Ctrl-C stops after what is in hand."))
    session.show(asdict(poller.tally))
    if poller.tally.failed or poller.tally.dead or poller.tally.unknown:
        raise typer.Exit(1)


class Poller:
    """One process's turn at what is due; `tally` counts what it did."""

    def __init__(self, crm: Crm) -> None:
        from crm_core.timers.model import Tally

        self.tally: Tally = Tally()
        self._crm = crm
        self._stop = threading.Event()

    def run(self, started: Callable[[], None]) -> None:
        """Look every second, anchor every minute; SIGTERM and SIGINT end it between two batches.

        `started` is called once both are heeded. A store or gateway that is away is logged and
        asked again: a poller outlives both.
        """
        import time

        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self._stop.set())
        started()
        anchored = float("-inf")
        while True:
            self._kept_going(self.deliver)
            if time.monotonic() - anchored >= CHECKPOINT_EVERY:
                self._kept_going(self.anchor)
                anchored = time.monotonic()
            if self._stop.wait(EVERY):
                return

    def deliver(self) -> None:
        """Everything that is due now, batch by batch."""
        from crm_core.inbox.timing.passing import let_time_pass

        let_time_pass(self._crm.units)
        while not self._stop.is_set():
            batch = self._crm.courier.deliver_batch()
            self.tally.add(batch)
            if not batch.claimed:
                break
        self._crm.courier.close()

    def anchor(self) -> None:
        """A checkpoint of the audit, where something was recorded since the last."""
        from crm_core.access.auditing import make_checkpoint
        from crm_core.access.model import SYSTEM

        with self._crm.write(SYSTEM) as unit:
            make_checkpoint(unit, self._crm.settings.anchor)

    def _kept_going(self, work: Callable[[], None]) -> None:
        from crm_core.errors import CrmError
        from crm_tui.log import log

        try:
            work()
        except CrmError as error:
            log.error("poller: %s", type(error).__name__)
