"""Handing a shift over: what I own is offered to a colleague, and theirs once they accept it, item by item."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError, NotFound, UsageError
from crm_core.inbox.model import Verb
from crm_core.inbox.record import HeldForClinicians, change, current, still_open
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.sharing.colleagues import may_have_danger, worker
from crm_core.inbox.sharing.escalation import accepted
from crm_core.inbox.steps import write_step
from crm_core.inbox.tables import ON_OFFER, Conversation, Handover
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.work.units import WriteUnit

DECLINED = "declined"
WITHDRAWN = "withdrawn"
"""The coded reasons of a step that ends an offer."""


class NotYoursToOffer(CrmError):
    """C-{conversation_id} is not yours to hand over; claim it first, or leave it to its owner."""

    exit_code = 3


class OfferedAlready(CrmError):
    """C-{conversation_id} is on offer to {name} already; withdraw that first."""


class NoLongerFits(CrmError):
    """C-{conversation_id} lies in {lane}, which you do not work; decline it and say so."""


@needs(Permission.CONVERSATION_WORK)
def offer(unit: WriteUnit, conversation_id: int, to_id: int, *, words: str | None = None) -> int:
    """Offer what I own to a colleague; mine until they accept. Returns the offer's id.

    To someone active and here who works its lane, and, while it holds a danger, a clinician.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "hand over")
    if conversation.owner_id != unit.actor.staff_id:
        raise NotYoursToOffer(conversation_id=conversation_id)
    if to_id == unit.actor.staff_id:
        raise UsageError(problem="It is yours already", remedy="hand it over to someone else")
    on_offer = unit.scalar(
        select(Staff.name)
        .join(Handover, Handover.to_id == Staff.id)
        .where(Handover.conversation_id == conversation_id, ON_OFFER)
    )
    if on_offer is not None:
        raise OfferedAlready(conversation_id=conversation_id, name=on_offer)
    to = worker(unit, conversation, to_id)
    if to.absent_until is not None:
        problem = f"{to.name} is absent until {to.absent_until:%Y-%m-%d %H:%M}Z"
        raise UsageError(problem=problem, remedy="hand it over to someone who is here")
    if conversation.danger and not may_have_danger(to):
        raise HeldForClinicians(conversation_id=conversation_id, action="own")
    said = (words or "").strip() or None
    offer_id = unit.new_id("handover")
    row = {
        "id": offer_id,
        "conversation_id": conversation_id,
        "from_id": unit.actor.staff_id,
        "to_id": to_id,
        "offered_at": unit.now,
        "words_sealed": unit.seal(Field.HANDOVER_WORDS, offer_id, said),
    }
    unit.execute(insert(Handover.__table__), [row])  # type: ignore[arg-type]
    _note(unit, dict(conversation.row), None, f"to {to.name}" + (f": {said}" if said else ""))
    return offer_id


@needs(Permission.CONVERSATION_WORK)
def accept(unit: WriteUnit, conversation_id: int) -> None:
    """Take what was offered to me: mine from now on, as it is. However much I hold: I chose it."""
    found = _on_offer(unit, conversation_id, Handover.to_id)
    row = _row(unit, conversation_id)
    if row["lane"] not in inbox_rules(unit).visible(unit.actor):
        raise NoLongerFits(conversation_id=conversation_id, lane=row["lane"])
    conversation = current(unit, conversation_id)
    if conversation.danger and not unit.actor.may(Permission.DANGER_ACT):
        raise HeldForClinicians(conversation_id=conversation_id, action="own")
    _end(unit, found.id, accepted_at=unit.now)
    values = {
        **accepted(unit, conversation.row, unit.actor.staff_id),
        "owner_id": unit.actor.staff_id,
        "taken_at": None,
    }
    change(unit, conversation, Verb.ACCEPTED, values)


@needs(Permission.CONVERSATION_WORK)
def decline(unit: WriteUnit, conversation_id: int, words: str) -> None:
    """Leave what was offered to me with its owner, who is told why."""
    if not words.strip():
        raise UsageError(problem="Declining needs a reason", remedy="say in a few words why you cannot take it")
    found = _on_offer(unit, conversation_id, Handover.to_id)
    said = unit.seal(Field.HANDOVER_WORDS, found.id, words.strip())
    _end(unit, found.id, declined_at=unit.now, words_sealed=said)
    _note(unit, _row(unit, conversation_id), DECLINED, words.strip())


@needs(Permission.CONVERSATION_WORK)
def withdraw(unit: WriteUnit, conversation_id: int) -> None:
    """Take my offer back: I keep it after all."""
    found = _on_offer(unit, conversation_id, Handover.from_id)
    _end(unit, found.id, withdrawn_at=unit.now)
    _note(unit, _row(unit, conversation_id), WITHDRAWN, None)


def _row(unit: WriteUnit, conversation_id: int) -> dict[str, Any]:
    """The conversation's columns, locked for change on Postgres, whatever lane it is in; NotFound."""
    statement = select(Conversation.__table__).where(Conversation.id == conversation_id)
    if unit.dialect == "postgresql":
        statement = statement.with_for_update()
    found = unit.execute(statement).mappings().one_or_none()
    if found is None:
        raise NotFound(kind="hand-over of", id=f"C-{conversation_id}")
    return dict(found)


def _end(unit: WriteUnit, offer_id: int, **values: Any) -> None:
    unit.execute(update(Handover).where(Handover.id == offer_id).values(**values))
    unit.changed(Topic.HANDOVER)


def _note(unit: WriteUnit, row: dict[str, Any], reason: str | None, words: str | None) -> None:
    """One step of the offer's life; the conversation stays as it is, and so does its version."""
    me = unit.actor.staff_id
    write_step(unit, row, Verb.OFFERED, actor_id=me, to_owner=row["owner_id"], reason=reason, words=words)
    unit.audit(Tag.CONVERSATION_OFFERED, row["id"], why=reason)
    unit.changed(Topic.HANDOVER)


def _on_offer(unit: WriteUnit, conversation_id: int, party: Any) -> Any:
    """The open offer of that conversation to (or from) me; NotFound."""
    found = unit.execute(
        select(Handover.id, Handover.from_id, Handover.to_id).where(
            Handover.conversation_id == conversation_id, ON_OFFER, party == unit.actor.staff_id
        )
    ).one_or_none()
    if found is None:
        raise NotFound(kind="hand-over of", id=f"C-{conversation_id}")
    return found
