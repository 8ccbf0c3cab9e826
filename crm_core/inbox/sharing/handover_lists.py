"""What I would hand over, what was handed to me: read for the panel and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import aliased

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.inbox.model import QueueItem, State
from crm_core.inbox.queries import WORKING_ORDER, lines, opened
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import ON_OFFER, STILL_OPEN, Conversation, Handover
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit

MOST_LISTED = 500
"""Conversations of one person that a list shows; nobody hands over more by hand."""

_MORE = (Conversation.next_action, Conversation.follow_up_at, Conversation.snoozed_until)


@dataclass(frozen=True, kw_only=True)
class Mine:
    """A conversation that I own. `unfinished`: nothing was decided about what happens next, and when.

    `offered_to` is the colleague who has it on offer; `declined_by` who did not want it, with `words`.
    """

    item: QueueItem
    next_action: Shown | None
    comes_back_at: datetime | None
    unfinished: bool
    offered_to: str | None
    declined_by: str | None
    words: Shown | None


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A conversation that a colleague offers me, and what they said about it."""

    item: QueueItem
    next_action: Shown | None
    giver: str
    offered_at: datetime
    words: Shown | None


@needs(Permission.CONVERSATION_READ)
def mine_unfinished(unit: ReadUnit) -> tuple[Mine, ...]:
    """What I own: first what is open without a date to come back to, then the rest; opened as one listing."""
    visible = sorted(inbox_rules(unit).visible(unit.actor))
    owned = (STILL_OPEN, Conversation.owner_id == unit.actor.staff_id, Conversation.lane.in_(visible))
    rows = unit.execute(lines().add_columns(*_MORE).where(*owned).order_by(*WORKING_ORDER).limit(MOST_LISTED)).all()
    offers = _newest_offers(unit, [row.id for row in rows])
    with unit.listing("hand-over", "owner"):
        found = [_mine(unit, row, item, offers.get(row.id)) for row, item in zip(rows, opened(unit, rows), strict=True)]
    return tuple(sorted(found, key=lambda one: not one.unfinished))


@needs(Permission.CONVERSATION_READ)
def handed_to_me(unit: ReadUnit) -> tuple[Handed, ...]:
    """What is on offer to me, in working order; opened as one listing."""
    giver = aliased(Staff)
    visible = sorted(inbox_rules(unit).visible(unit.actor))
    statement = (
        lines()
        .add_columns(*_MORE, Handover.words, Handover.offered_at, giver.name.label("giver"))
        .join(Handover, Handover.conversation_id == Conversation.id)
        .join(giver, giver.id == Handover.from_id)
        .where(Handover.id.in_(_waiting(unit).correlate(None)), Conversation.lane.in_(visible))
    )
    rows = unit.execute(statement.order_by(*WORKING_ORDER).limit(MOST_LISTED)).all()
    with unit.listing("hand-over", "receiver"):
        return tuple(
            Handed(
                item=item,
                next_action=unit.open(row.next_action),
                giver=row.giver,
                offered_at=row.offered_at,
                words=unit.open(row.words),
            )
            for row, item in zip(rows, opened(unit, rows), strict=True)
        )


@needs(Permission.LANE_READ)
def offers_to_me(unit: ReadUnit) -> frozenset[int]:
    """The numbers of the offers that wait for my answer: one look-up, and nothing is opened."""
    return frozenset(unit.scalars(_waiting(unit)))


def _waiting(unit: ReadUnit) -> Select[int]:
    """The offers to me, by the partial index: its condition's text would be ambiguous in a join."""
    return select(Handover.id).where(ON_OFFER, Handover.to_id == unit.actor.staff_id)


def _newest_offers(unit: ReadUnit, numbers: Sequence[int]) -> dict[int, Any]:
    """Of each of these conversations of mine, the newest offer that is open or was declined."""
    ended = or_(Handover.accepted_at.is_not(None), Handover.withdrawn_at.is_not(None))
    rows = unit.execute(
        select(Handover.conversation_id, Handover.declined_at, Handover.words, Staff.name.label("receiver"))
        .join(Staff, Staff.id == Handover.to_id)
        .where(Handover.from_id == unit.actor.staff_id, Handover.conversation_id.in_(numbers), ~ended)
        .order_by(Handover.offered_at, Handover.id)
    )
    return {row.conversation_id: row for row in rows}


def _mine(unit: ReadUnit, row: Any, item: QueueItem, newest: Any) -> Mine:
    comes_back = row.snoozed_until or row.follow_up_at
    declined = newest is not None and newest.declined_at is not None
    return Mine(
        item=item,
        next_action=unit.open(row.next_action),
        comes_back_at=comes_back,
        unfinished=item.state in (State.NEW, State.OPEN) and (comes_back is None or comes_back <= unit.now),
        offered_to=newest.receiver if newest is not None and not declined else None,
        declined_by=newest.receiver if declined else None,
        words=unit.open(newest.words) if newest is not None else None,
    )
