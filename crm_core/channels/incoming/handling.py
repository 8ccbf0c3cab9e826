"""Handling what was brought: a text goes the way of every text, a ring to the consoles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.inbound import Receiver, receive
from crm_core.channels.incoming.model import KIND, Brought
from crm_core.channels.incoming.payload import Payload, read
from crm_core.channels.incoming.tables import WAITING, Incoming
from crm_core.channels.ringing.service import offer
from crm_core.timers.model import Timer
from crm_core.work.units import WriteUnit

_TABLE = cast("Table", Incoming.__table__)

Handle = Callable[[WriteUnit, Any], object]


class IncomingHandler:
    """The timers' handler of what was brought, in the order in which it came.

    Payloads are gone in the unit that handles them; the tokens stay, so that a delivery that is
    repeated is known. One that cannot be read raises: it is run alone, and at last is dead, with
    its payload kept, for a person to look at.
    """

    kind = KIND

    def __init__(self, receiver: Receiver) -> None:
        self._handle: dict[Brought, Handle] = {
            Brought.MESSAGE: lambda unit, message: receive(unit, receiver, message),
            Brought.RING: offer,
        }

    def fire(self, unit: WriteUnit, timers: Sequence[Timer]) -> Mapping[int, datetime]:
        """Handle each that still waits; none is to run again."""
        incoming_ids = sorted(timer.subject_id for timer in timers)
        with unit.listing(KIND):
            for incoming_id in incoming_ids:
                # One by one: each may hold 25 MB of files.
                for kind, brought in opened(unit, incoming_id):
                    self._handle[kind](unit, brought)
        return {}


@needs(Permission.MESSAGE_RECEIVE)
def opened(unit: WriteUnit, incoming_id: int) -> list[tuple[Brought, Payload]]:
    """What was brought, marked as handled; nothing where that was done before."""
    waiting = (WAITING, _TABLE.c.id == incoming_id)
    found = unit.execute(select(Incoming.kind, Incoming.payload).where(*waiting).with_for_update()).all()
    unit.execute(update(_TABLE).where(*waiting).values(handled_at=unit.now, payload_sealed=None))
    return [(row.kind, read(row.kind, str(unit.open(row.payload)))) for row in found]
