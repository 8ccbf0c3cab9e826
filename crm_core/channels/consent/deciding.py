"""A number that may want no more messages: what is queued to it waits until a person has decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.consent.ledger import NewEntry, append
from crm_core.channels.consent.model import About, Decision, How, SaidBy
from crm_core.channels.model import Delivery, Direction
from crm_core.channels.outbox import SendObserver, suppress_where
from crm_core.channels.tables import Message, Outbox
from crm_core.errors import UsageError
from crm_core.patients.contacts import last_four
from crm_core.patients.service import decide_number, hold_number, release_number
from crm_core.patients.tables import HELD, LINK, PATIENT, ROOT, ContactPoint
from crm_core.store.feed import Topic
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

OPTED_OUT = "opted out"
"""What a row says that a number's opt-out stopped."""

WAITS = "may want no more texts: held until staff decide"
"""What a row says that waits."""


@dataclass(frozen=True, kw_only=True)
class HeldNumber:
    """A number about which somebody must decide: since when, what waits, and the text that asked (its conversation)."""

    contact_point_id: int
    ends: str | None
    held_at: datetime
    patient_ids: tuple[int, ...]
    waiting: int
    message_id: int | None
    conversation_id: int | None


@needs(Permission.MESSAGE_RECEIVE)
def hold(unit: WriteUnit, contact_point_id: int, evidence: str) -> int:
    """Let nothing leave for the number until staff decide; returns how many messages wait. `evidence` is a code."""
    hold_number(unit, contact_point_id, evidence)
    held = sorted(
        unit.execute(
            update(Outbox)
            .where(Outbox.contact_point_id == contact_point_id, Outbox.state == Delivery.QUEUED)
            .values(state=Delivery.HELD, failure=WAITS)
            .returning(Outbox.message_id)
        ).scalars()
    )
    if held:
        unit.audit(Tag.MESSAGE_HELD, *held, why=evidence)
        unit.changed(Topic.OUTBOX)
    return len(held)


@needs(Permission.CONSENT_RECORD)
def decide(
    unit: WriteUnit, contact_point_id: int, *, stop: bool, evidence: str, observers: Sequence[SendObserver] = ()
) -> int:
    """Opt the number out, or let what waits go on; returns how many messages that stopped or queued again.

    What goes on passes the contact gate once more before it leaves. UsageError where the number is
    not held, so that nobody decides twice.
    """
    held = next((one for one in held_numbers(unit) if one.contact_point_id == contact_point_id), None)
    if held is None:
        raise UsageError(problem="Nobody has to decide about this number", remedy="see `crm consent held`")
    words = " ".join(evidence.split())
    if stop and not words:
        raise UsageError(problem="The words are missing", remedy="say what the decision rests on")
    decide_number(unit, contact_point_id, out=stop, evidence=f"M-{held.message_id}" if held.message_id else "staff")
    if not stop:
        return _let_go(unit, contact_point_id)
    stopped = suppress_where(unit, Outbox.contact_point_id == contact_point_id, OPTED_OUT, observers)
    entry = NewEntry(
        contact_point_id=contact_point_id,
        channel=Channel.SMS,
        about=About.EVERYTHING,
        decision=Decision.WITHDRAWN,
        said_by=SaidBy.STAFF,
        how=How.TEXT,
        message_id=held.message_id,
        evidence=words,
    )
    append(unit, entry)
    return len(stopped)


@needs(Permission.MESSAGE_RECEIVE)
def go_on(unit: WriteUnit, contact_point_id: int, evidence: str) -> int:
    """The number itself said that it wants messages: what was held goes on; returns how many. `evidence` is a code."""
    if not release_number(unit, contact_point_id, evidence):
        return 0
    return _let_go(unit, contact_point_id)


def _let_go(unit: WriteUnit, contact_point_id: int) -> int:
    """Queue what waits for the number again, at its own time or at once."""
    waiting = (Outbox.contact_point_id == contact_point_id, Outbox.state == Delivery.HELD)
    unit.execute(update(Outbox).where(*waiting, Outbox.due_at < unit.now).values(due_at=unit.now))
    again = update(Outbox).where(*waiting).values(state=Delivery.QUEUED, failure=None).returning(Outbox.message_id)
    queued = sorted(unit.execute(again).scalars())
    if queued:
        unit.audit(Tag.MESSAGE_QUEUED, *queued, why="no longer held")
        unit.changed(Topic.OUTBOX)
    return len(queued)


@needs(Permission.CONSENT_READ)
def held_numbers(unit: ReadUnit) -> tuple[HeldNumber, ...]:
    """Every number about which somebody must decide, the longest held first; four statements for any number."""
    points = unit.execute(
        select(ContactPoint.id, ContactPoint.kind, ContactPoint.value, ContactPoint.held_at)
        .where(HELD)
        .order_by(ContactPoint.held_at, ContactPoint.id)
    ).all()
    ids = [point.id for point in points]
    patients: dict[int, set[int]] = {}
    of_them = LINK.c.contact_point_id.in_(ids)
    joined = select(LINK.c.contact_point_id, ROOT.label("root")).join(PATIENT, PATIENT.c.id == LINK.c.patient_id)
    for row in unit.execute(joined.where(of_them)):
        patients.setdefault(row.contact_point_id, set()).add(row.root)
    counted = (
        select(Outbox.contact_point_id, func.count().label("many"))
        .where(Outbox.contact_point_id.in_(ids), Outbox.state == Delivery.HELD)
        .group_by(Outbox.contact_point_id)
    )
    waiting = {row.contact_point_id: row.many for row in unit.execute(counted)}
    asked = _texts_that_asked(unit, ids)
    with unit.listing("numbers", "held"):
        return tuple(
            HeldNumber(
                contact_point_id=point.id,
                ends=last_four(point.kind, unit.open(point.value)) if unit.actor.may(Permission.PATIENT_READ) else None,
                held_at=point.held_at,
                patient_ids=tuple(sorted(patients.get(point.id, ()))),
                waiting=waiting.get(point.id, 0),
                message_id=asked.get(point.id, (None, None))[0],
                conversation_id=asked.get(point.id, (None, None))[1],
            )
            for point in points
        )


def _texts_that_asked(unit: ReadUnit, points: Sequence[int]) -> dict[int, tuple[int, int | None]]:
    """By number, the last text that had come when it was held, and that text's conversation."""
    rows = unit.execute(
        select(Message.contact_point_id, Message.id, Message.conversation_id)
        .join(ContactPoint, ContactPoint.id == Message.contact_point_id)
        .where(
            Message.contact_point_id.in_(points),
            Message.direction == Direction.IN,
            Message.recorded_at <= ContactPoint.held_at,
        )
        .order_by(Message.recorded_at, Message.id)
    )
    return {row.contact_point_id: (row.id, row.conversation_id) for row in rows}
