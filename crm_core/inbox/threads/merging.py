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
from crm_core.inbox.threads.moving import move_all, move_back
from crm_core.inbox.threads.unread import unread
from crm_core.inbox.timing.counting import life_of
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed
from crm_core.work.units import ReadUnit, WriteUnit

DUPLICATE = "duplicate"
"""The outcome of what was merged."""
MERGED_ACTION = "Read what was merged into it, then answer"
_OPEN = {"state": State.OPEN, "snoozed_until": None, "snooze_holds": False, "follow_up_at": None}


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

    The one that is kept has the higher priority of both, began when the earlier did, and waits
    since the earlier text that nobody has answered; where either is in clinical triage, it is.
    What the other was escalated for is still asked, of whoever it was asked. Both must be open and one
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
    waited, own = (life_of(unit, each.id, each.row["opened_at"]).owed_since for each in (other, kept))
    owed = min((since for since in (waited, own) if since is not None), default=None)
    if _complains(other) and not _complains(kept):
        raise HoldsAComplaint(other_id=other_id)
    moved = move_all(unit, other_id, conversation_id)
    before = columns_kept(other.row)
    step_id = change(unit, other, Verb.MERGED, _closed(unit, other, kept.id), reason=f"C-{conversation_id}")
    change(
        unit,
        kept,
        Verb.MERGED,
        _joined(unit, kept, other, waited, owed),
        turn=Turn.ASKED if owed is not None else None,
        turn_at=owed,
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


def unmerge(unit: WriteUnit, also: Mapping[str, Any]) -> dict[str, Any] | None:
    """Put back exactly what `merge` moved, and open the other again; None where that has changed since."""
    other = current(unit, also["other"])
    if other.row["version"] != also["version"]:
        return None
    move_back(unit, also["rows"], other.id)
    change(unit, other, Verb.UNDONE, columns_restored(also["before"]), undoes=also["step"], reason=Verb.MERGED)
    return {}


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


def _joined(
    unit: WriteUnit, kept: Current, other: Current, waited: datetime | None, owed: datetime | None
) -> dict[str, Any]:
    """The columns of the one that is kept; what waits on someone is open again where the other `waited` for an answer.

    `owed` is since when either does. What could not be screened stays so: merging is not reading.
    """
    row = kept.row
    first_responses = [each.row["first_response_at"] for each in (kept, other) if each.row["first_response_at"]]
    lane = DANGER_LANE if DANGER_LANE in (kept.lane, other.lane) else kept.lane
    values: dict[str, Any] = {
        "lane": lane,
        "priority": min(kept.priority, other.priority, key=lambda each: each.rank),
        "unscreened": kept.unscreened or other.unscreened,
        "opened_at": _began(kept, other),
        "first_response_at": min(first_responses, default=None),
        "last_message_at": max(row["last_message_at"], other.row["last_message_at"]),
    }
    if lane != kept.lane:
        values |= {"owner_id": None, "taken_at": None}
    if waited is not None:
        values["waiting_since"] = owed
        if kept.state not in (State.NEW, State.OPEN):
            values |= next_action(unit, kept.id, MERGED_ACTION) | _OPEN
    values |= _still_asked(unit, kept, other)
    if other.unscreened:
        values |= unread(unit, kept.rules, kept.id, lane=lane, priority=values["priority"])
    both = _complains(kept) and _complains(other)
    if both or (values["lane"] != kept.lane and _complains(kept)):
        # Wherever it goes to be read, it still ends as a complaint does, and came when the first of both did.
        values["category"] = COMPLAINT_CATEGORY
    return values


def _complains(conversation: Current) -> bool:
    return is_complaint(conversation.row["category"], conversation.lane)


def _began(kept: Current, other: Current) -> datetime:
    """When the earlier began; a complaint came on its own day, whatever else of the patient's lay there before."""
    own: datetime = kept.row["opened_at"]
    return own if _complains(kept) and not _complains(other) else min(own, other.row["opened_at"])


def _still_asked(unit: WriteUnit, kept: Current, other: Current) -> dict[str, Any]:
    """The columns of an escalation that was the other's: who it is with, who waits for it, and the question.

    One that the kept one holds itself goes first; and what nurses have stays with its nurse.
    """
    row = other.row
    if row["escalated_by"] is None or (kept.row["escalated_by"] is not None and kept.row["accepted_at"] is None):
        return {}
    values: dict[str, Any] = {"escalated_by": row["escalated_by"], "accepted_at": row["accepted_at"]}
    if other.state is State.WAITING_PATIENT:
        return values
    if not (kept.lane == DANGER_LANE != other.lane):
        values |= {"owner_id": other.owner_id, "taken_at": row["taken_at"]}
    question = unit.open(Sealed(Field.NEXT_ACTION, other.id, row["next_action_sealed"]))
    return values | next_action(unit, kept.id, question or MERGED_ACTION) | _OPEN
