"""Merging two conversations of one person: everything goes to the one that is kept, and its old id leads there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.errors import CrmError, UsageError
from crm_core.inbox.answering.scheduling import planned_in
from crm_core.inbox.complaints import COMPLAINT_CATEGORY, is_complaint
from crm_core.inbox.model import State, Turn, Verb
from crm_core.inbox.record import (
    Current,
    change,
    columns_kept,
    columns_restored,
    current,
    held_for_clinicians,
    next_action,
    still_open,
)
from crm_core.inbox.rules import DANGER_LANE, PHYSICIAN_LANE
from crm_core.inbox.tables import Conversation
from crm_core.inbox.threads.moving import move_all, move_back
from crm_core.inbox.threads.unread import unread
from crm_core.inbox.timing.counting import life_of
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.work.units import ReadUnit, WriteUnit

DUPLICATE = "duplicate"
"""The outcome of what was merged."""
MERGED_ACTION = "Read what was merged into it, then answer"


class NotTheSamePerson(CrmError):
    """C-{conversation_id} and C-{other_id} are not known to be one person's; link both first, or close one."""


class HoldsAComplaint(CrmError):
    """C-{other_id} is a complaint and would end without an answer; merge the other into it instead."""


class GoesLater(CrmError):
    """An answer is set to go later in C-{conversation_id}; take it back or wait until it has gone, then go on."""


class WithAPhysician(CrmError):
    """C-{conversation_id} waits for a physician's answer; merge or split it once that has come."""


@needs(Permission.CONVERSATION_WORK)
def merge(unit: WriteUnit, conversation_id: int, other_id: int) -> None:
    """Move all that lies in `other_id` to `conversation_id`, and close the other as its duplicate.

    The one that is kept has the higher priority of both, and waits since the earlier text that
    nobody has answered; where either is in clinical triage, it is. Both must be open and one
    person's: of one patient, or unlinked and from one number. A danger is merged by clinicians.
    What nobody could screen takes the whole to the top of the catch-all lane, nobody's, until it
    has been read. Raises GoesLater while an answer is planned in either.
    """
    if conversation_id == other_id:
        raise UsageError(problem=f"C-{other_id} cannot be merged into itself", remedy="name another conversation")
    locked = {each: current(unit, each) for each in sorted((conversation_id, other_id))}
    kept, other = locked[conversation_id], locked[other_id]
    for each in (other, kept):
        still_open(each, "merge")
        held_for_clinicians(unit, each, "merge")
        if each.lane == PHYSICIAN_LANE:
            raise WithAPhysician(conversation_id=each.id)
        nothing_planned(unit, each.id)
    if not same_person(unit, kept.row, other.row):
        raise NotTheSamePerson(conversation_id=conversation_id, other_id=other_id)
    waited = life_of(unit, other_id, other.row["opened_at"]).owed_since
    complaints = [is_complaint(each.row["category"], each.lane) for each in (kept, other)]
    if complaints == [False, True]:
        raise HoldsAComplaint(other_id=other_id)
    moved = move_all(unit, other_id, conversation_id)
    before = columns_kept(other.row)
    step_id = change(unit, other, Verb.MERGED, _closed(unit, other, kept.id), reason=f"C-{conversation_id}")
    change(
        unit,
        kept,
        Verb.MERGED,
        _joined(unit, kept, other, waited),
        turn=Turn.ASKED if waited is not None else None,
        turn_at=waited,
        reason=f"C-{other_id}",
        undoable=True,
        also={
            "other": other_id,
            "version": other.row["version"] + 1,
            "step": step_id,
            "before": before,
            "rows": moved,
        },
    )


def unmerge(unit: WriteUnit, also: Mapping[str, Any]) -> bool:
    """Put back exactly what `merge` moved, and open the other again; False where that has changed since."""
    other = current(unit, also["other"])
    if other.row["version"] != also["version"]:
        return False
    move_back(unit, also["rows"], other.id)
    change(unit, other, Verb.UNDONE, columns_restored(also["before"]), undoes=also["step"], reason=Verb.MERGED)
    return True


@needs(Permission.CONVERSATION_READ)
def resolved(unit: ReadUnit, conversation_id: int) -> int:
    """The conversation that an id stands for today: the one into which it was merged, or itself."""
    found, seen = conversation_id, set[int]()
    while found not in seen:
        seen.add(found)
        found = unit.scalar(select(Conversation.merged_into_id).where(Conversation.id == found)) or found
    return found


def nothing_planned(unit: ReadUnit, conversation_id: int) -> None:
    """Refuse to part or join what waits for its own planned answer: it was written for the thread as it is."""
    if planned_in(unit, conversation_id):
        raise GoesLater(conversation_id=conversation_id)


def same_person(unit: ReadUnit, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two conversations are of one patient, or unlinked and from one number."""
    if one["patient_id"] is None or other["patient_id"] is None:
        unlinked = one["patient_id"] is None and other["patient_id"] is None
        return unlinked and one["contact_point_id"] is not None and one["contact_point_id"] == other["contact_point_id"]
    both = (one["patient_id"], other["patient_id"])
    return len(set(unit.scalars(select(ROOT).where(PATIENT.c.id.in_(both))))) == 1


def _closed(unit: WriteUnit, other: Current, into_id: int) -> dict[str, Any]:
    return {
        "state": State.CLOSED,
        "outcome": DUPLICATE,
        "closed_at": unit.now,
        "merged_into_id": into_id,
        "owner_id": other.owner_id or unit.actor.staff_id,
        "taken_at": None,
        "snoozed_until": None,
        "snooze_holds": False,
        "follow_up_at": None,
        "unscreened": False,
    }


def _joined(unit: WriteUnit, kept: Current, other: Current, waited: datetime | None) -> dict[str, Any]:
    """The columns of the one that is kept; what waits on someone is open again where the other `waited` for an answer.

    What could not be screened stays so: merging is not reading.
    """
    row = kept.row
    lane = DANGER_LANE if DANGER_LANE in (kept.lane, other.lane) else kept.lane
    values: dict[str, Any] = {
        "lane": lane,
        "priority": min(kept.priority, other.priority, key=lambda each: each.rank),
        "unscreened": kept.unscreened or other.unscreened,
        "last_message_at": max(row["last_message_at"], other.row["last_message_at"]),
    }
    if lane != kept.lane:
        values |= {"owner_id": None, "taken_at": None}
    if waited is not None:
        own = life_of(unit, kept.id, row["opened_at"]).owed_since
        values["waiting_since"] = min(row["waiting_since"], waited) if own is not None else waited
        if kept.state not in (State.NEW, State.OPEN):
            values |= next_action(unit, kept.id, MERGED_ACTION)
            values |= {"state": State.OPEN, "snoozed_until": None, "snooze_holds": False, "follow_up_at": None}
    if other.unscreened:
        values |= unread(unit, kept.rules, kept.id, lane=lane, priority=values["priority"])
    if values["lane"] != kept.lane and is_complaint(row["category"], kept.lane):
        # Wherever it goes to be read, it still ends as a complaint does.
        values["category"] = COMPLAINT_CATEGORY
    return values
