"""Delivering the outbox: claim with a lease, call the gateway outside any transaction, settle.

A row is claimed by raising its fence; only the holder of that fence may go on with it, so a
sender that slept through its lease cannot finish another's work. Just before the call the gate is
asked once more and the gateway's name is written down: a row that carries none was surely not
handed over, one that does is looked up by attempt id before it is sent again. What cannot be
looked up is `unknown` and never blindly resent: a person is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, update

from crm_core.access.model import SYSTEM, Permission
from crm_core.access.needs import needs
from crm_core.channels.attempts import Claimed, Fate, later, looked_up, refused, sent
from crm_core.channels.claiming import claim_due
from crm_core.channels.gate import Gate
from crm_core.channels.gateways.base import Sought
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import LONGEST_FAILURE, SendObserver
from crm_core.channels.reports import mark_number
from crm_core.channels.seeking import sought
from crm_core.channels.tables import Outbox
from crm_core.store.feed import Topic
from crm_core.timers.model import Tally
from crm_core.timers.retrying import MOST_TRIES, backoff
from crm_core.work.units import Units, WriteUnit

LONGEST_CALL = timedelta(seconds=30)
"""A gateway call is only begun with this much of the lease left; gateways time out sooner."""

_table = Outbox.__table__


class Courier:
    """Delivers what is due. One per process; any number of processes may run at once."""

    def __init__(self, *, units: Units, gate: Gate, observers: Sequence[SendObserver]) -> None:
        self._units = units
        self._gate = gate
        self._observers = observers

    def run_once(self, stopped: Callable[[], bool] = lambda: False) -> Tally:
        """Deliver until nothing is due, or `stopped`; a temporary failure is due again later, so this ends."""
        total = Tally()
        try:
            while not stopped():
                batch = self.deliver_batch(stopped)
                total.add(batch)
                if batch.claimed == 0:
                    break
        finally:
            self.close()
        return total

    def deliver_batch(self, stopped: Callable[[], bool] = lambda: False) -> Tally:
        """Claim up to BATCH rows, send them one by one, settle each as it ends.

        What is still in hand when `stopped` is given back untried.
        """
        tally = Tally()
        with self._units.write(SYSTEM) as unit:
            claimed = claim_due(unit, self._gate, self._observers, tally)
        for row in claimed:
            fate = later(row, "not tried in time", tried=False) if stopped() else self._fate(row)
            if fate is not None:
                with self._units.write(SYSTEM) as unit:
                    settle(unit, row, fate, self._observers, tally)
        return tally

    def close(self) -> None:
        """Let go of the gateways' connections."""
        for gateway in self._gate.gateways.values():
            gateway.close()

    def _fate(self, row: Claimed) -> Fate | None:
        """What becomes of a claimed row; None where it is no longer ours."""
        if self._is_late(row):
            return later(row, "not tried in time", tried=False)
        if row.begun:
            known = looked_up(row, lambda: self._sought(row))
            if known is not None:
                return known
        with self._units.write(SYSTEM) as unit:
            begun = begin(unit, self._gate, row)
        if begun is None or begun.state is not Delivery.SENDING:
            return begun
        if self._is_late(row):
            # Asking, or waiting for a turn to write, took too long: another may have the row before the call ends.
            return later(row, "not tried in time", tried=False)
        return sent(row, lambda: self._sought(row))

    def _is_late(self, row: Claimed) -> bool:
        """Whether too little of the lease is left to begin a call."""
        return self._units.clock.now() >= row.lease_until - LONGEST_CALL

    def _sought(self, row: Claimed) -> Sought:
        with self._units.read(SYSTEM) as unit:
            return sought(unit, row)


@needs(Permission.OUTBOX_DELIVER)
def begin(unit: WriteUnit, gate: Gate, row: Claimed) -> Fate | None:
    """Write down that the row goes to its gateway now; what the gate refuses or puts off by now does not.

    Returns `sending` where it may go, what becomes of it where it may not, and None where another
    sender has it meanwhile.
    """
    verdict = gate.judge(unit, row.candidate)
    if not verdict.allowed or row.gateway is None:
        return refused(verdict, unit.now)
    # One that was begun before was asked after and not found: how long it may take to show counts from now.
    now_begun = {"gateway": row.gateway.name, "begun_at": unit.now}
    ours = update(_table).where(_is_ours(row)).values(now_begun)  # type: ignore[arg-type]
    return Fate(state=Delivery.SENDING) if unit.execute(ours).rowcount == 1 else None


@needs(Permission.OUTBOX_DELIVER)
def settle(unit: WriteUnit, row: Claimed, fate: Fate, observers: Sequence[SendObserver], tally: Tally) -> None:
    """Write down how an attempt ended, if the row is still ours by its fence."""
    failure = fate.failure[:LONGEST_FAILURE] if fate.failure else None
    values: dict[str, Any] = {"state": fate.state, "failure": failure, "lease_until": None}
    if fate.why is not None:
        values["why"] = fate.why
    if fate.again:
        pause = backoff(row.tries) if fate.tried else timedelta(0)
        due_at = fate.not_before or unit.now + max(pause, fate.wait or pause)
        begun = fate.state is Delivery.SENDING
        values |= {"due_at": due_at, "lease_until": due_at if begun else None}
        values |= {} if begun else {"gateway": None, "begun_at": None}
        values |= {} if fate.tried else {"tries": row.tries - 1}
    else:
        values |= {"settled_at": unit.now, "provider_id": fate.provider_id}
    if unit.execute(update(_table).where(_is_ours(row)).values(values)).rowcount != 1:  # type: ignore[arg-type]
        return
    _count(tally, row, fate)
    unit.changed(Topic.OUTBOX)
    if fate.again:
        return
    unit.audit(fate.tag, row.message_id, why=fate.check, outcome=fate.outcome)
    unit.changed(Topic.INBOX)
    if fate.refused is not None and row.candidate.contact_point_id is not None:
        mark_number(
            unit,
            row.candidate.contact_point_id,
            said=f"{row.gateway.name if row.gateway else 'gateway'} {fate.refused.code or 'refusal'}",
            of_message=row.message_id,
            bad_number=fate.refused.bad_number,
            opted_out=fate.refused.opted_out,
            observers=observers,
        )
    for observer in observers:
        observer.settled(unit, row.conversation_id, fate.state, failure, (row.message_id,))


def _is_ours(row: Claimed) -> ColumnElement[bool]:
    return (_table.c.id == row.id) & (_table.c.fence == row.fence) & (_table.c.state == Delivery.SENDING)


def _count(tally: Tally, row: Claimed, fate: Fate) -> None:
    if fate.again:
        tally.retried += 1
        return
    tally.done += 1
    tally.sent += fate.state is Delivery.SENT
    tally.unknown += fate.state is Delivery.UNKNOWN
    if fate.state is Delivery.FAILED:
        tally.failed += 1
        tally.dead += row.tries >= MOST_TRIES
