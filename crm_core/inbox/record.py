"""One conversation as a use case sees it, and the one way a use case changes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError, NotFound, Stale, UsageError
from crm_core.inbox.model import State, Turn, Verb
from crm_core.inbox.rules import InboxRules, inbox_rules
from crm_core.inbox.sharing.offers import leaves_its_owner, withdraw_offer
from crm_core.inbox.tables import STANDS, Alarm, Complaint, Conversation, Step, Undo
from crm_core.inbox.timing.clocks import STANDS_STILL, Event
from crm_core.inbox.timing.counting import counted, life_of, record_breaches
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.words import Channel, Priority
from crm_core.work.units import ReadUnit, WriteUnit


class HeldForClinicians(CrmError):
    """C-{conversation_id} holds a danger and only a clinician may {action} it; press ! to see whom to fetch."""

    exit_code = 3


class NotAcknowledged(CrmError):
    """C-{conversation_id} holds a danger that nobody has acknowledged; press A first."""


_KEPT = (
    "patient_id", "category", "priority", "urgency", "lane", "owner_id", "taken_at", "state", "waiting_since",
    "due_at", "due_order", "due_clock", "late_at", "mark_at", "first_response_at", "snoozed_until", "snooze_holds",
    "follow_up_at", "escalated_by", "accepted_at", "outcome", "closed_at", "unscreened", "next_action_sealed",
    "opened_at", "last_message_at", "merged_into_id",
)  # fmt: skip
"""The columns that an undo puts back."""

LINKED_CONTACT = "linked_contact"
"""Beside them: the contact point that linking gave to the patient."""

_table = Conversation.__table__
_CHANGE = update(_table).where(  # type: ignore[arg-type]
    _table.c.id == bindparam("of_id"), _table.c.version == bindparam("of_version")
)
"""Sets the columns that are given as parameters."""
_VOID = (
    update(Complaint.__table__)  # type: ignore[arg-type]
    .where(Complaint.conversation_id == bindparam("of_id"), STANDS)
    .values(void_at=bindparam("at"))
)
_ADD_STEP = insert(Step.__table__)  # type: ignore[arg-type]
_ADD_UNDO = insert(Undo.__table__)  # type: ignore[arg-type]

STEP_TAGS = {
    Verb.RECEIVED: Tag.CONVERSATION_RECEIVED,
    Verb.REOPENED: Tag.CONVERSATION_REOPENED,
    Verb.ALARMED: Tag.CONVERSATION_ALARMED,
    Verb.ACKNOWLEDGED: Tag.CONVERSATION_ACKNOWLEDGED,
    Verb.TAKEN: Tag.CONVERSATION_TAKEN,
    Verb.RELEASED: Tag.CONVERSATION_RELEASED,
    Verb.ASSIGNED: Tag.CONVERSATION_ASSIGNED,
    Verb.REPLIED: Tag.CONVERSATION_REPLIED,
    Verb.CALLED: Tag.CONVERSATION_CALLED,
    Verb.NOTED: Tag.CONVERSATION_NOTED,
    Verb.LINKED: Tag.CONVERSATION_LINKED,
    Verb.MOVED: Tag.CONVERSATION_MOVED,
    Verb.ESCALATED: Tag.CONVERSATION_ESCALATED,
    Verb.SNOOZED: Tag.CONVERSATION_SNOOZED,
    Verb.WOKEN: Tag.CONVERSATION_WOKEN,
    Verb.CLOSED: Tag.CONVERSATION_CLOSED,
    Verb.UNDONE: Tag.CONVERSATION_UNDONE,
    Verb.ARRIVED: Tag.CONVERSATION_CREATED,
    Verb.MERGED: Tag.CONVERSATION_MERGED,
    Verb.SPLIT: Tag.CONVERSATION_SPLIT,
    Verb.RELINKED: Tag.CONVERSATION_RELINKED,
    Verb.OFFERED: Tag.CONVERSATION_OFFERED,
    Verb.ACCEPTED: Tag.CONVERSATION_ACCEPTED,
    Verb.SCHEDULED: Tag.CONVERSATION_SCHEDULED,
    Verb.RECLASSIFIED: Tag.CONVERSATION_RECLASSIFIED,
}


@dataclass(frozen=True, kw_only=True)
class Current:
    """The stored columns of one conversation, and the rules it is judged by."""

    id: int
    row: Mapping[str, Any]
    rules: InboxRules

    @property
    def state(self) -> State:
        """Its state."""
        return State(self.row["state"])

    @property
    def lane(self) -> str:
        """Its lane's key."""
        return str(self.row["lane"])

    @property
    def priority(self) -> Priority:
        """Its priority."""
        return Priority(self.row["priority"])

    @property
    def channel(self) -> Channel:
        """The channel on which it began."""
        return Channel(self.row["channel"])

    @property
    def owner_id(self) -> int | None:
        """Who owns it."""
        owner: int | None = self.row["owner_id"]
        return owner

    @property
    def danger(self) -> bool:
        """Whether an alarm in it is unacknowledged."""
        return bool(self.row["danger"])

    @property
    def unscreened(self) -> bool:
        """Whether it holds a text that nobody could screen, and no person has dealt with yet."""
        return bool(self.row["unscreened"])


def current(unit: ReadUnit, conversation_id: int, *, lock: bool = True) -> Current:
    """The conversation, locked for change on Postgres; NotFound outside the actor's lanes.

    The system itself sees every lane, even one that a newer playbook has dropped: what is
    received must find its thread.
    """
    rules = inbox_rules(unit)
    table = Conversation.__table__
    statement = select(table).where(table.c.id == conversation_id)
    if lock and unit.dialect == "postgresql":
        statement = statement.with_for_update()
    found = unit.execute(statement).mappings().one_or_none()
    hidden = found is not None and unit.actor.staff_id != 0 and found["lane"] not in rules.visible(unit.actor)
    if found is None or hidden:
        raise NotFound(kind="conversation", id=f"C-{conversation_id}")
    return Current(id=conversation_id, row=dict(found), rules=rules)


def stored(unit: ReadUnit, conversation_id: int) -> Current:
    """The conversation, in whatever lane: for the other side of what was just done to one that the actor sees."""
    table = Conversation.__table__
    row = unit.execute(select(table).where(table.c.id == conversation_id)).mappings().one()
    return Current(id=conversation_id, row=dict(row), rules=inbox_rules(unit))


@needs(Permission.CONVERSATION_READ)
def resolved(unit: ReadUnit, conversation_id: int) -> int:
    """The conversation that an id stands for today: the one into which it was merged, or itself."""
    found, seen = conversation_id, set[int]()
    while found not in seen:
        seen.add(found)
        found = unit.scalar(select(Conversation.merged_into_id).where(Conversation.id == found)) or found
    return found


def still_open(conversation: Current, action: str) -> None:
    """Refuse what only makes sense before the end."""
    merged_into: int | None = conversation.row["merged_into_id"]
    if merged_into is not None:
        raise UsageError(
            problem=f"C-{conversation.id} was merged into C-{merged_into}, so you cannot {action} it",
            remedy=f"work on C-{merged_into}",
        )
    if conversation.state is State.CLOSED:
        raise UsageError(
            problem=f"C-{conversation.id} is closed, so you cannot {action} it",
            remedy="undo the closing, or wait for the patient's next message",
        )


def held_for_clinicians(unit: ReadUnit, conversation: Current, action: str) -> None:
    """Danger first: what holds an alarm is snoozed, moved and closed by clinicians, after acknowledging it."""
    if not may_put_aside(unit, conversation):
        raise HeldForClinicians(conversation_id=conversation.id, action=action)
    if conversation.danger:
        raise NotAcknowledged(conversation_id=conversation.id)


def may_put_aside(unit: ReadUnit, conversation: Current) -> bool:
    """Whether this actor may put the conversation off: what has ever alarmed only a clinician may."""
    if unit.actor.may(Permission.DANGER_ACT):
        return True
    return not conversation.danger and (
        unit.scalar(select(Alarm.id).where(Alarm.conversation_id == conversation.id).limit(1)) is None
    )


def unclaimed_danger(unit: ReadUnit, conversation: Current, action: str) -> None:
    """An unacknowledged danger belongs to no one but a clinician, so that every clinician is still handed it."""
    if conversation.danger and not unit.actor.may(Permission.DANGER_ACT):
        raise HeldForClinicians(conversation_id=conversation.id, action=action)


def change(
    unit: WriteUnit,
    conversation: Current,
    verb: Verb,
    values: Mapping[str, Any],
    *,
    turn: Turn | None = None,
    turn_at: datetime | None = None,
    undoes: int | None = None,
    reason: str | None = None,
    words: str | None = None,
    undoable: bool = False,
    message_id: int | None = None,
    linked_contact: int | None = None,
    also: Mapping[str, Any] | None = None,
) -> int:
    """Set columns, count the clocks, write the step and the audit row; returns the step's id.

    `turn` says that the patient asked, or a person answered, at `turn_at` (now). `undoes` is the
    step that this one takes back, `message_id` the message that made it. `undoable` keeps the way
    back; `linked_contact` is a contact point that was given to the patient by the way, for an undo
    to take back, and `also` is what else the verb's own room must put back. Raises Stale if
    someone else changed the conversation since it was read.
    """
    row, version = conversation.row, conversation.row["version"]
    turn_at = (turn_at or unit.now) if turn else None
    if _moves_a_clock(row, values, verb, turn):
        after = {**row, **values}
        event = Event(at=unit.now, state=State(after["state"]), turn=turn, turn_at=turn_at, anew=verb is Verb.MERGED)
        life = life_of(unit, conversation.id, after["opened_at"], without=undoes).then(event)
        values = {**values, **counted(conversation.rules, after, life, unit.now)}
        record_breaches(unit, conversation.rules, row, life)
    asked = {"of_id": conversation.id, "of_version": version, **values, "version": version + 1}
    changed = unit.execute(_CHANGE, asked)
    if changed.rowcount != 1:
        raise Stale(id=f"C-{conversation.id}")
    after = {**row, **values}
    if row["state"] == State.CLOSED != after["state"]:
        # Undone or reopened: how a complaint ended stays as history and counts no more.
        unit.execute(_VOID, {"of_id": conversation.id, "at": unit.now})
    told = {"reason": reason, "turn": turn, "turn_at": turn_at, "message_id": message_id, "undoes_id": undoes}
    step_id = _add_step(unit, verb, row, after, words, told)
    if undoable and unit.actor.staff_id:
        before = columns_kept(row)
        if linked_contact is not None:
            before[LINKED_CONTACT] = linked_contact
        way_back = {
            "verb": verb,
            "version_after": version + 1,
            "message_id": message_id,
            "step_id": step_id,
            "batch_id": unit.batch_id,
            "also": None if also is None else json.dumps(also),
        }
        _keep_way_back(unit, conversation.id, before, way_back)
    if leaves_its_owner(row, values):
        withdraw_offer(unit, conversation.id)
    unit.audit(STEP_TAGS[verb], conversation.id, why=reason)
    unit.changed(Topic.INBOX)
    return step_id


def _add_step(  # noqa: PLR0917 - what was, what is, and what is told of it
    unit: WriteUnit,
    verb: Verb,
    row: Mapping[str, Any],
    after: Mapping[str, Any],
    words: str | None,
    told: Mapping[str, Any],
) -> int:
    """Write one step of the history, from `row` to `after`; returns its id."""
    step_id = unit.new_id("step")
    step = {
        "id": step_id,
        "conversation_id": row["id"],
        "at": unit.now,
        "actor_id": unit.actor.staff_id,
        "verb": verb,
        "from_state": row["state"],
        "to_state": after["state"],
        "from_lane": row["lane"],
        "to_lane": after["lane"],
        "from_owner": row["owner_id"],
        "to_owner": after["owner_id"],
        **told,
        "words_sealed": unit.seal(Field.STEP_TEXT, step_id, words),
    }
    unit.execute(_ADD_STEP, [step])
    return step_id


def _moves_a_clock(row: Mapping[str, Any], values: Mapping[str, Any], verb: Verb, turn: Turn | None) -> bool:
    """Whether what is counted, or by which measure, is different afterwards.

    An unacknowledged danger has a clock of its own, which its alarm has set.
    """
    after = {**row, **values}
    if after["danger"]:
        return False
    if turn is not None or verb is Verb.UNDONE:
        return True
    still_before, still_after = State(row["state"]) in STANDS_STILL, State(after["state"]) in STANDS_STILL
    measured_by = ("lane", "priority", "danger", "unscreened", "opened_at")
    return still_before != still_after or any(row[name] != after[name] for name in measured_by)


def next_action(unit: WriteUnit, conversation_id: int, words: str) -> dict[str, bytes | None]:
    """The column that holds what happens next, sealed."""
    return {"next_action_sealed": unit.seal(Field.NEXT_ACTION, conversation_id, words)}


def in_lane(lane: str, priority: Priority) -> dict[str, Any]:
    """The columns of a conversation that a person puts into `lane`: its clocks follow the new targets.

    A person has read it, so nothing in it counts as unscreened any more.
    """
    return {"lane": lane, "priority": priority, "unscreened": False}


def _keep_way_back(
    unit: WriteUnit, conversation_id: int, before: Mapping[str, Any], way_back: Mapping[str, Any]
) -> None:
    unit.execute(
        _ADD_UNDO,
        [
            {
                "id": unit.new_id("undo"),
                "conversation_id": conversation_id,
                "staff_id": unit.actor.staff_id,
                "at": unit.now,
                "before": json.dumps(before),
                **way_back,
            }
        ],
    )


def columns_kept(row: Mapping[str, Any]) -> dict[str, Any]:
    """What an undo puts back of these columns, as JSON can hold it."""
    return {name: _plain(row[name]) for name in _KEPT}


def _plain(value: Any) -> Any:
    """A column's value as JSON can hold it: times as ISO text, sealed bytes as hex."""
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, bytes | memoryview):
        return {"sealed": bytes(value).hex()}
    return value.value if isinstance(value, StrEnum) else value


def restored(stored: str) -> tuple[dict[str, Any], int | None]:
    """The columns that `columns_kept` gave, and the contact point to take from the patient again."""
    values: dict[str, Any] = json.loads(stored)
    linked_contact: int | None = values.pop(LINKED_CONTACT, None)
    return columns_restored(values), linked_contact


def columns_restored(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that `columns_kept` gave, as the store takes them."""
    values = dict(kept)
    for name, value in values.items():
        if isinstance(value, dict):
            values[name] = datetime.fromisoformat(value["at"]) if "at" in value else bytes.fromhex(value["sealed"])
    values["state"], values["priority"] = State(values["state"]), Priority(values["priority"])
    return values
