"""Handling what was brought: a text goes the way of every text, a report to its message, a ring to the consoles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.inbound import Receiver, receive
from crm_core.channels.incoming.model import KIND, Brought
from crm_core.channels.incoming.payload import Payload, read
from crm_core.channels.incoming.tables import WAITING, Incoming
from crm_core.channels.outbox import SendObserver
from crm_core.channels.reports import report
from crm_core.channels.ringing.service import offer
from crm_core.timers.model import Timer
from crm_core.work.units import WriteUnit

ASKED_EVERY = timedelta(seconds=15)
ASKED_FOR = timedelta(minutes=10)
"""How long a report is kept of a message that we do not know: it may overtake the settling of its own send."""

_TABLE = cast("Table", Incoming.__table__)

Handle = Callable[[WriteUnit, Any], bool]
"""Handles one thing; False where it is to be tried again a little later."""


class IncomingHandler:
    """The timers' handler of what was brought, in the order in which it came.

    Payloads are gone in the unit that handles them; the tokens stay, so that a delivery that is
    repeated is known. One that cannot be read raises: it is run alone, and at last is dead, with
    its payload kept, for a person to look at.
    """

    kind = KIND

    def __init__(self, receiver: Receiver, observers: Sequence[SendObserver]) -> None:
        self._handle: dict[Brought, Handle] = {
            Brought.MESSAGE: lambda unit, message: receive(unit, receiver, message) is not None,
            Brought.REPORT: lambda unit, reported: report(unit, reported, observers),
            Brought.RING: lambda unit, ringing: offer(unit, ringing) is not None,
        }

    def fire(self, unit: WriteUnit, timers: Sequence[Timer]) -> Mapping[int, datetime]:
        """Handle each that still waits. A report of what is not known yet is asked about again."""
        again: dict[int, datetime] = {}
        with unit.listing(KIND):
            for timer in sorted(timers, key=lambda each: each.subject_id):
                # One by one: each may hold 25 MB of files.
                found = opened(unit, timer.subject_id)
                if found is None:
                    continue
                if self._handle[found.kind](unit, found.brought) or unit.now - found.received_at > ASKED_FOR:
                    put_away(unit, timer.subject_id)
                else:
                    again[timer.id] = unit.now + ASKED_EVERY
        return again


class Opened(NamedTuple):
    """What was brought, and when."""

    kind: Brought
    brought: Payload
    received_at: datetime


@needs(Permission.MESSAGE_RECEIVE)
def opened(unit: WriteUnit, incoming_id: int) -> Opened | None:
    """What was brought, held until the unit ends; None where it was handled before."""
    found = select(Incoming.kind, Incoming.payload, Incoming.received_at).where(WAITING, Incoming.id == incoming_id)
    row = unit.execute(found.with_for_update()).one_or_none()
    return None if row is None else Opened(row.kind, read(row.kind, str(unit.open(row.payload))), row.received_at)


@needs(Permission.MESSAGE_RECEIVE)
def put_away(unit: WriteUnit, incoming_id: int) -> None:
    """Forget what was brought, now that it is handled."""
    unit.execute(update(_TABLE).where(_TABLE.c.id == incoming_id).values(handled_at=unit.now, payload_sealed=None))
