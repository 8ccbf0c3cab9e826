"""Splitting: some of a conversation's messages become a conversation of their own, about another need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError, NotFound, UsageError
from crm_core.inbox.answering.answers import AWAIT_ANSWER
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import Current, change, current, held_for_clinicians, next_action, still_open, stored
from crm_core.inbox.rules import DANGER_LANE, PHYSICIAN_LANE
from crm_core.inbox.tables import Alarm, Conversation, Note, Step
from crm_core.inbox.threads.merging import DUPLICATE, WithAPhysician, nothing_planned
from crm_core.inbox.threads.moving import move_all, move_messages
from crm_core.inbox.threads.parting import (
    Said,
    answered_at,
    holds_unread,
    owed_since,
    routed_anew,
    said_in,
    steps_of,
)
from crm_core.inbox.threads.unread import unread
from crm_core.inbox.timing.clocks import Life
from crm_core.inbox.timing.counting import counted, recount
from crm_core.words import Priority
from crm_core.work.units import WriteUnit


class NothingLeft(CrmError):
    """Nothing would be left in C-{conversation_id}; choose fewer messages, or move or reclassify the whole of it."""


class AlarmStaysWithClinicians(CrmError):
    """One of these messages raised an alarm and stays in clinical triage; choose that lane, or leave it where it is."""


class UnreadStaysInView(CrmError):
    """One of these could not be screened and stays in {lane} until it is read; choose that lane, or read it first."""


@needs(Permission.CONVERSATION_WORK)
def split(
    unit: WriteUnit,
    conversation_id: int,
    *,
    from_message: int | None = None,
    message_ids: Sequence[int] = (),
    lane: str | None = None,
) -> int:
    """Make a new conversation of the same patient out of these messages; returns its id.

    Either `from_message` and all that came after it, notes too, or the `message_ids` chosen. It
    goes to `lane`, or where the rules would send what was said in it. Their own steps go with
    them, so that both clocks count as if it had been two from the beginning. What nobody could
    screen stays at the top of the catch-all lane. Raises GoesLater while an answer is planned.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "split")
    held_for_clinicians(unit, conversation, "split")
    if PHYSICIAN_LANE in (conversation.lane, lane):
        raise WithAPhysician(conversation_id=conversation_id)
    nothing_planned(unit, conversation_id)
    going, staying = _parted(conversation_id, said_in(unit, conversation_id), from_message, message_ids)
    new_id = _begun(unit, conversation, going, lane)
    notes = _notes_from(unit, conversation_id, going[0].recorded_at) if from_message is not None else []
    moved = move_messages(unit, [each.id for each in going], notes, new_id)
    steps = steps_of(unit, conversation_id, going, staying)
    unit.execute(update(Step).where(Step.id.in_(steps)).values(conversation_id=new_id))
    new = stored(unit, new_id)
    change(unit, new, Verb.SPLIT, {}, reason=f"C-{conversation_id}")
    also = {"old": conversation_id, "new": new_id, "version": new.row["version"] + 1, "steps": steps, "rows": moved}
    change(
        unit,
        conversation,
        Verb.SPLIT,
        _left(unit, conversation, going, staying),
        reason=f"C-{new_id}",
        undoable=True,
        also=also,
    )
    recount(unit, [conversation_id, new_id])
    return new_id


def unsplit(unit: WriteUnit, also: Mapping[str, Any]) -> dict[str, Any] | None:
    """Put everything back where it was and close the new one, whose id leads back; None where that has changed."""
    new = stored(unit, also["new"])
    if new.row["version"] != also["version"]:
        return None
    move_all(unit, new.id, also["old"])
    unit.execute(update(Step).where(Step.id.in_(also["steps"])).values(conversation_id=also["old"]))
    closed = {
        "state": State.CLOSED,
        "outcome": DUPLICATE,
        "closed_at": unit.now,
        "merged_into_id": also["old"],
        "owner_id": new.owner_id or unit.actor.staff_id,
        "taken_at": None,
        "follow_up_at": None,
        "unscreened": False,
    }
    change(unit, new, Verb.UNDONE, closed, reason=Verb.SPLIT)
    return {}


def _parted(
    conversation_id: int, thread: Sequence[Said], from_message: int | None, chosen: Sequence[int]
) -> tuple[list[Said], list[Said]]:
    """The messages that go and those that stay, each by the time they were sent."""
    known = [each.id for each in thread]
    for number in (*chosen, *(() if from_message is None else (from_message,))):
        if number not in known:
            raise NotFound(kind="message", id=number)
    picked = set(chosen) if from_message is None else set(known[known.index(from_message) :])
    going = [each for each in thread if each.id in picked]
    staying = [each for each in thread if each.id not in picked]
    if not going:
        raise UsageError(problem="No message is chosen", remedy="say from which message on, or which ones")
    if not staying:
        raise NothingLeft(conversation_id=conversation_id)
    return going, staying


def _begun(unit: WriteUnit, conversation: Current, going: Sequence[Said], lane: str | None) -> int:
    """The new conversation, still without a message."""
    rules, row = conversation.rules, conversation.row
    alarmed = bool(unit.scalar(select(Alarm.id).where(Alarm.message_id.in_([each.id for each in going])).limit(1)))
    if alarmed and lane not in (None, DANGER_LANE):
        raise AlarmStaysWithClinicians
    new_id = unit.new_id("conversation")
    decided = routed_anew(unit, conversation, going, new_id)
    owed, heard = owed_since(going), answered_at(going)
    category, to = decided["category"], rules.lane(lane or (DANGER_LANE if alarmed else decided["lane"])).key
    begun: dict[str, Any] = {
        **decided,
        **next_action(unit, new_id, rules.first_action(category) if owed else AWAIT_ANSWER),
        "id": new_id,
        "patient_id": row["patient_id"],
        "contact_point_id": going[0].contact_point_id or row["contact_point_id"],
        "follows_id": conversation.id,
        "channel": going[0].channel,
        "priority": Priority.STAT if alarmed else decided["priority"],
        "lane": to,
        "state": State.NEW if owed else State.WAITING_PATIENT,
        "owner_id": None if owed else unit.actor.staff_id,
        "unscreened": False,
        "opened_at": going[0].at,
        "waiting_since": owed or going[-1].at,
        "last_message_at": max(each.recorded_at for each in going),
        "first_response_at": heard,
        "follow_up_at": None if owed else rules.follow_up(to, unit.now),
        "playbook_version": rules.version,
    }
    if conversation.unscreened and holds_unread(going):
        begun |= _still_unread(unit, conversation, begun, lane)
    begun |= counted(rules, begun, Life(opened_at=begun["opened_at"]), unit.now)
    unit.execute(insert(Conversation.__table__), [begun])  # type: ignore[arg-type]
    unit.audit(Tag.CONVERSATION_CREATED, new_id, why=begun["reason"])
    return new_id


def _still_unread(
    unit: WriteUnit, conversation: Current, begun: Mapping[str, Any], asked: str | None
) -> dict[str, Any]:
    """The columns of a new one that nobody has read; UnreadStaysInView where it was to go out of sight."""
    rules = conversation.rules
    lane = DANGER_LANE if conversation.lane == DANGER_LANE else begun["lane"]
    columns = unread(unit, rules, begun["id"], lane=lane, priority=begun["priority"])
    if asked not in (None, columns["lane"]):
        raise UnreadStaysInView(lane=rules.lane(columns["lane"]).title)
    return columns


def _left(unit: WriteUnit, conversation: Current, going: Sequence[Said], staying: Sequence[Said]) -> dict[str, Any]:
    """The columns of what stays: nobody waits in it any more where only what goes was not answered."""
    row, owed = conversation.row, owed_since(staying)
    values: dict[str, Any] = {"last_message_at": max(each.recorded_at for each in staying)}
    if going[0].at < staying[0].at:
        values["opened_at"] = staying[0].at
    if conversation.unscreened and not holds_unread(staying):
        values["unscreened"] = False
    if owed is not None:
        return values | {"waiting_since": owed}
    if owed_since(sorted((*going, *staying), key=lambda each: (each.at, each.id))) is not None:
        values |= next_action(unit, conversation.id, AWAIT_ANSWER)
        values |= {
            "state": State.WAITING_PATIENT,
            "owner_id": conversation.owner_id or unit.actor.staff_id,
            "taken_at": None,
            "snoozed_until": None,
            "snooze_holds": False,
            "waiting_since": unit.now,
            "follow_up_at": conversation.rules.follow_up(conversation.lane, unit.now),
        }
    return values if row["state"] != State.CLOSED else {}


def _notes_from(unit: WriteUnit, conversation_id: int, since: datetime) -> list[int]:
    return unit.scalars(select(Note.id).where(Note.conversation_id == conversation_id, Note.at >= since))
