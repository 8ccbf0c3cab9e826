"""Delivering the outbox: claim with a lease, call the gateway outside any transaction, settle.

A row is claimed by raising its fence; only the holder of that fence may settle it, so a sender
that slept through its lease cannot finish another's work. What timed out after it left is
`unknown` and never blindly resent: the gateway is asked by attempt id, or a person is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import or_, select, update

from crm_core.access.model import SYSTEM, Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Outcome, Tag
from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.gateways.base import CannotTell, Found, Gateway, NotFound, Outgoing, Permanent, Temporary, UnknownFate
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import reasons_json
from crm_core.channels.tables import Message, Outbox
from crm_core.patients.tables import ContactPoint, Patient
from crm_core.store.feed import Topic
from crm_core.words import Purpose
from crm_core.work.units import Units, WriteUnit

BATCH = 50
LEASE = timedelta(seconds=60)
LONGEST_CALL = timedelta(seconds=30)
"""A gateway call is only begun with this much of the lease left; gateways time out sooner."""
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
MOST_TRIES = 8

_table = Outbox.__table__


class SendObserver(Protocol):
    """One who waits for this delivery."""

    def settled(self, unit: WriteUnit, conversation_id: int | None, state: Delivery, failure: str | None) -> None: ...


@dataclass(kw_only=True)
class Tally:
    """What a run of the courier did; `dead` gave up after MOST_TRIES."""

    claimed: int = 0
    done: int = 0
    retried: int = 0
    dead: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0

    def add(self, other: Tally) -> None:
        """Count another run in."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A row in this sender's hands. `expired`: an earlier sender may already have sent it."""

    id: int
    fence: int
    tries: int
    lease_until: datetime
    expired: bool
    conversation_id: int | None
    message_id: int
    gateway: Gateway
    outgoing: Outgoing


@dataclass(frozen=True, kw_only=True)
class Fate:
    """How an attempt ended."""

    state: Delivery
    provider_id: str | None = None
    failure: str | None = None
    again: bool = False


class Courier:
    """Delivers what is due. One per process; any number of processes may run at once."""

    def __init__(self, *, units: Units, gate: Gate, observers: Sequence[SendObserver]) -> None:
        self._units = units
        self._gate = gate
        self._observers = observers

    def run_once(self) -> Tally:
        """Deliver until nothing is due; a temporary failure is due again later, so this ends."""
        total = Tally()
        try:
            while True:
                batch = self.deliver_batch()
                total.add(batch)
                if batch.claimed == 0:
                    return total
        finally:
            self.close()

    def deliver_batch(self) -> Tally:
        """Claim up to BATCH rows, send them one by one, settle each as it ends."""
        tally = Tally()
        with self._units.write(SYSTEM) as unit:
            claimed = claim_due(unit, self._gate, self._observers, tally)
        for row in claimed:
            in_time = self._units.clock.now() < row.lease_until - LONGEST_CALL
            fate = _attempt(row) if in_time else Fate(state=Delivery.QUEUED, failure="not tried in time", again=True)
            with self._units.write(SYSTEM) as unit:
                settle(unit, row, fate, self._observers, tally)
        return tally

    def close(self) -> None:
        """Let go of the gateways' connections."""
        for gateway in self._gate.gateways.values():
            gateway.close()


@needs(Permission.OUTBOX_DELIVER)
def claim_due(unit: WriteUnit, gate: Gate, observers: Sequence[SendObserver], tally: Tally) -> list[Claimed]:
    """Take what is due, asking the gate once more; what it now refuses is suppressed at once."""
    due = (
        select(_table.c.id, _table.c.state)
        .where(
            or_(_table.c.state == Delivery.QUEUED, _table.c.state == Delivery.SENDING),
            _table.c.due_at <= unit.now,
        )
        .order_by(_table.c.due_at, _table.c.id)
        .limit(BATCH)
    )
    if unit.dialect == "postgresql":
        due = due.with_for_update(skip_locked=True)
    picked = {row.id: row.state for row in unit.execute(due)}
    tally.claimed += len(picked)
    claimed = []
    for row in unit.execute(_details().where(Outbox.id.in_(picked)).order_by(Outbox.due_at, Outbox.id)).all():
        taken = _claim(unit, gate, row, expired=picked[row.id] == Delivery.SENDING)
        if isinstance(taken, Claimed):
            claimed.append(taken)
        else:
            tally.done += 1
            for observer in observers:
                observer.settled(unit, row.conversation_id, Delivery.SUPPRESSED, taken)
    if picked:
        unit.changed(Topic.OUTBOX)
    return claimed


def _details() -> Any:
    return (
        select(
            Outbox.id, Outbox.fence, Outbox.tries, Outbox.message_id, Outbox.dedup_key, Outbox.channel, Outbox.purpose,
            Outbox.contact_point_id, Outbox.patient_id, Message.conversation_id, Message.body, Message.subject,
            ContactPoint.value, Patient.given,
        )
        .join(Message, Message.id == Outbox.message_id)
        .outerjoin(ContactPoint, ContactPoint.id == Outbox.contact_point_id)
        .outerjoin(Patient, Patient.id == Outbox.patient_id)
    )  # fmt: skip


def _claim(unit: WriteUnit, gate: Gate, row: Any, *, expired: bool) -> Claimed | str:
    """The row in our hands, or the reason why it is suppressed."""
    with unit.listing("outbox", "due"):
        body, to, given = unit.open(row.body) or "", unit.open(row.value), unit.open(row.given) if row.given else None
        subject = unit.open(row.subject)
    candidate = Candidate(
        channel=row.channel,
        contact_point_id=row.contact_point_id,
        patient_id=row.patient_id,
        text=body,
        first_name=given.split()[0] if given and given.split() else None,
        keyword_answer=row.purpose == Purpose.NOTICE and row.dedup_key.startswith("keyword-"),
    )
    verdict = gate.judge(unit, candidate)
    mine = update(_table).where(_table.c.id == row.id)  # type: ignore[arg-type]
    if verdict.refusal is not None and not expired:
        why = verdict.refusal.saw
        unit.execute(
            mine.values(
                state=Delivery.SUPPRESSED, settled_at=unit.now, why=reasons_json(verdict.reasons), failure=why
            )
        )
        unit.audit(Tag.MESSAGE_SUPPRESSED, row.message_id, why=verdict.refusal.check, outcome=Outcome.SUPPRESSED)
        return why
    gateway = gate.gateways[row.channel]
    lease = unit.now + LEASE
    attempt_id = row.dedup_key
    unit.execute(
        mine.values(
            state=Delivery.SENDING,
            fence=row.fence + 1,
            tries=row.tries + 1,
            lease_until=lease,
            due_at=lease,
            attempt_id=attempt_id,
            gateway=gateway.name,
            why=reasons_json(verdict.reasons),
        )
    )
    return Claimed(
        id=row.id,
        fence=row.fence + 1,
        tries=row.tries + 1,
        lease_until=lease,
        expired=expired,
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        gateway=gateway,
        outgoing=Outgoing(attempt_id=attempt_id, to=str(to), body=str(body), subject=str(subject) if subject else None),
    )


def _attempt(row: Claimed) -> Fate:
    """Send, or first ask the gateway whether an earlier attempt already did."""
    if row.expired:
        match row.gateway.find(row.outgoing.attempt_id):
            case Found(provider_id=provider_id):
                return Fate(state=Delivery.SENT, provider_id=provider_id)
            case CannotTell():
                return Fate(state=Delivery.UNKNOWN, failure="the sender stopped half-way and the gateway cannot be asked")
            case NotFound():
                pass
    try:
        accepted = row.gateway.send(row.outgoing)
    except Temporary as error:
        if row.tries >= MOST_TRIES:
            return Fate(state=Delivery.FAILED, failure=f"{error.reason}, given up after {row.tries} tries")
        return Fate(state=Delivery.QUEUED, failure=error.reason, again=True)
    except Permanent as error:
        return Fate(state=Delivery.FAILED, failure=error.reason)
    except UnknownFate as error:
        return Fate(state=Delivery.UNKNOWN, failure=error.reason)
    return Fate(state=Delivery.SENT, provider_id=accepted.provider_id)


@needs(Permission.OUTBOX_DELIVER)
def settle(unit: WriteUnit, row: Claimed, fate: Fate, observers: Sequence[SendObserver], tally: Tally) -> None:
    """Write down how an attempt ended, if the row is still ours by its fence."""
    values: dict[str, Any] = {"state": fate.state, "failure": fate.failure, "lease_until": None}
    if fate.again:
        values["due_at"] = unit.now + _backoff(row.tries)
    else:
        values |= {"settled_at": unit.now, "provider_id": fate.provider_id}
    ours = (_table.c.id == row.id) & (_table.c.fence == row.fence) & (_table.c.state == Delivery.SENDING)
    if unit.execute(update(_table).where(ours).values(values)).rowcount != 1:  # type: ignore[arg-type]
        return
    _count(tally, row, fate)
    if fate.again:
        return
    tags = {Delivery.SENT: Tag.MESSAGE_SENT, Delivery.FAILED: Tag.MESSAGE_FAILED, Delivery.UNKNOWN: Tag.MESSAGE_UNKNOWN}
    outcome = Outcome.DONE if fate.state is Delivery.SENT else Outcome.FAILED
    unit.audit(tags[fate.state], row.message_id, outcome=outcome)
    unit.changed(Topic.OUTBOX)
    unit.changed(Topic.INBOX)
    for observer in observers:
        observer.settled(unit, row.conversation_id, fate.state, fate.failure)


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


def _backoff(tries: int) -> timedelta:
    """30 s, 60 s, … at most an hour, ±10 % so that a crowd does not come back at once."""
    wait: timedelta = min(FIRST_RETRY * 2.0 ** (tries - 1), LONGEST_RETRY)
    return wait * random.uniform(0.9, 1.1)  # noqa: S311 - jitter, no secret
