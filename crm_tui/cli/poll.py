"""`crm poll`: does what is due, until it is stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.app import Crm
    from crm_core.timers.model import Chore, Tally

app = group("Do what is due.")

ONE_WISH = 1.0
"""Seconds within which two signals are one: `timeout` and some terminals send theirs to the process and its group."""


@command(app, "poll", example="crm poll --once --json")
def poll(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is due any more.")] = False,
    kinds: Annotated[
        str, typer.Option("--kinds", metavar="K,…", help="Do only these kinds of work: a list parted by commas.")
    ] = "",
) -> None:
    """Do what is due; until stopped it delivers, takes in, fires timers, wakes what is put by, anchors the audit."""
    from crm_core.access.model import Permission

    session = Session.of(ctx)
    session.signing = True
    session.machine(Permission.OUTBOX_DELIVER)
    chores = _chosen(session.crm, kinds)
    told = Told()
    tally = _once(session, chores, told) if once else _until(session, chores, told)
    if once and (tally.failed or tally.dead or tally.unknown):
        raise typer.Exit(1)


class Told:
    """Whether this process was told to stop, by SIGTERM or SIGINT; a second one ends it where it is.

    The handler only sets words and writes a byte: neither can wait for a lock that the
    interrupted thread holds.
    """

    def __init__(self) -> None:
        self.to_stop = False
        self._at = 0.0
        self._heard, self._tell = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def wait(self) -> None:
        """Sleep until then."""
        os.read(self._heard, 1)

    def _note(self, number: int, _frame: object) -> None:
        if not self.to_stop:
            self.to_stop, self._at = True, time.monotonic()
            os.write(self._tell, b"!")
        elif time.monotonic() - self._at > ONE_WISH:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


def _once(session: Session, chores: Sequence[Chore], told: Told) -> Tally:
    from crm_core.timers.model import Tally
    from crm_core.timers.polling import run_once

    tally = Tally()
    try:
        run_once(chores, lambda: told.to_stop, tally)
    finally:
        session.show(asdict(tally))
    return tally


def _until(session: Session, chores: Sequence[Chore], told: Told) -> Tally:
    from crm_core.timers.polling import Poller

    poller = Poller(session.crm.units, chores)
    poller.start()
    session.say("Polling; Ctrl-C stops after what is in hand.")
    told.wait()
    poller.stop()
    poller.join()
    session.show(asdict(poller.tally))
    return poller.tally


def _chosen(crm: Crm, kinds: str) -> list[Chore]:
    """The chores named, or all of them; UsageError for a name that none has."""
    from crm_core.errors import UsageError

    known = list(dict.fromkeys(chore.kind for chore in crm.chores))
    named = {one.strip() for one in kinds.split(",") if one.strip()} or set(known)
    unknown = sorted(named - set(known))
    if unknown:
        raise UsageError(problem=f"No poller does {', '.join(unknown)}", remedy=f"name some of {', '.join(known)}")
    return [chore for chore in crm.chores if chore.kind in named]
