"""What did not go and waits for a person: the unknown, the given up, the refused; and trying one again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import OutboxRow, SendObserver, outbox_rows
from crm_core.channels.tables import UNDELIVERED, Message, Outbox
from crm_core.errors import NotFound, Refused, UsageError
from crm_core.store.feed import Topic
from crm_core.timers.retrying import MOST_TRIES
from crm_core.work.units import ReadUnit, WriteUnit

FAILED_SINCE = timedelta(days=7)
"""How long a refused message is listed: what nobody has looked at by then has its task."""

_later, _sent = aliased(Message), aliased(Outbox)
_REACHED_SINCE = exists(
    select(_later.id)
    .outerjoin(_sent, _sent.message_id == _later.id)
    .where(
        _later.conversation_id == Message.conversation_id,
        # Ids come in blocks, so only the time says which is later.
        _later.recorded_at > Message.recorded_at,
        or_(_later.reached, _sent.state == Delivery.SENT),
    )
    .correlate(Message)
)
"""Whether a later message of its conversation has gone, or a call has reached: then nobody need see to it."""

_GIVEN_UP: ColumnElement[bool] = and_(Outbox.state == Delivery.FAILED, Outbox.tries >= MOST_TRIES)

_ANEW = dict.fromkeys(
    ("settled_at", "failure", "gateway", "begun_at", "provider_id", "reported", "reported_at", "report_code")
) | {"state": Delivery.QUEUED, "tries": 0}
"""The columns of a row as before its first attempt: what a provider still says of an earlier one is not of this."""


@dataclass(frozen=True, kw_only=True)
class Undelivered:
    """What did not go, newest first in each: nobody knows whether it went, given up after all tries, refused."""

    unknown: tuple[OutboxRow, ...]
    given_up: tuple[OutboxRow, ...]
    refused: tuple[OutboxRow, ...]


@needs(Permission.OUTBOX_READ)
def did_not_go(unit: ReadUnit, *, limit: int = 500) -> Undelivered:
    """What waits for a person, at most `limit` of each kind; refused ones of the last week only."""
    lately = Outbox.settled_at > unit.now - FAILED_SINCE
    refused = and_(Outbox.state == Delivery.FAILED, Outbox.tries < MOST_TRIES, lately)
    return Undelivered(
        unknown=_rows(unit, Outbox.state == Delivery.UNKNOWN, limit),
        given_up=given_up(unit, limit=limit),
        refused=_rows(unit, refused, limit),
    )


@needs(Permission.OUTBOX_READ)
def given_up(unit: ReadUnit, *, limit: int) -> tuple[OutboxRow, ...]:
    """The messages that were tried as often as any is, and whose patient has not been reached since; newest first."""
    return _rows(unit, and_(_GIVEN_UP, ~_REACHED_SINCE), limit)


@needs(Permission.OUTBOX_READ)
def waits_for_a_person(unit: ReadUnit) -> int:
    """How many messages are unknown, or given up and not settled otherwise since."""
    waits = or_(Outbox.state == Delivery.UNKNOWN, and_(_GIVEN_UP, ~_REACHED_SINCE))
    counted = select(func.count()).select_from(Outbox).join(Message, Message.id == Outbox.message_id)
    return int(unit.scalar(counted.where(UNDELIVERED, waits)) or 0)


def _rows(unit: ReadUnit, which: ColumnElement[bool], limit: int) -> tuple[OutboxRow, ...]:
    return tuple(outbox_rows(unit, UNDELIVERED, which, limit=limit))


@needs(Permission.OUTBOX_RESOLVE)
def retry(unit: WriteUnit, outbox_id: int, *, observers: Sequence[SendObserver] = ()) -> None:
    """Queue a failed message once more, now and with all its tries; the gate is asked again before it goes.

    Refused where its text went back to its author as a draft, and where the patient has had a
    later message of the same conversation, or a call: it would say what is settled by now.
    """
    row = unit.execute(
        select(Outbox.message_id, Outbox.planned_at, Message.conversation_id, _REACHED_SINCE.label("reached_since"))
        .join(Message, Message.id == Outbox.message_id)
        .where(Outbox.id == outbox_id)
    ).one_or_none()
    if row is None:
        raise NotFound(kind="outbox row", id=outbox_id)
    failed = update(Outbox).where(Outbox.id == outbox_id, Outbox.state == Delivery.FAILED)
    if unit.execute(failed.values({**_ANEW, "due_at": unit.now})).rowcount != 1:
        raise UsageError(problem="Only a failed row can be tried again", remedy="see `crm outbox --state failed`")
    if row.planned_at is not None:
        raise Refused(why="Its text went back to its author as a draft", remedy="send it from there")
    if row.reached_since:
        raise Refused(why="The patient has been reached since", remedy="write what is still to be said")
    unit.audit(Tag.OUTBOX_RETRIED, outbox_id)
    unit.changed(Topic.OUTBOX)
    for observer in observers:
        observer.settled(unit, row.conversation_id, Delivery.QUEUED, None, (row.message_id,))
