"""Taking back the last thing I did, while nothing has happened since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.outbox import take_back
from crm_core.channels.tables import Message
from crm_core.errors import CrmError
from crm_core.inbox.answering.deliveries import open_again
from crm_core.inbox.answering.macros import MACRO, TASK
from crm_core.inbox.answering.never_left import ask_again, later_verbs, owed_without
from crm_core.inbox.answering.scheduling import keep_as_draft
from crm_core.inbox.complaints import rests_on
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import Current, change, next_action, resolved, restored, stored
from crm_core.inbox.tables import Undo
from crm_core.inbox.threads.merging import unmerge
from crm_core.inbox.threads.relinking import relink_back
from crm_core.inbox.threads.splitting import unsplit
from crm_core.inbox.timing.clocks import STANDS_STILL
from crm_core.patients.service import unlink_contact
from crm_core.tasks.model import TaskState
from crm_core.tasks.service import cancel
from crm_core.tasks.tables import Task
from crm_core.work.units import ReadUnit, WriteUnit

_UNANSWERED = (
    "state", "owner_id", "taken_at", "due_at", "due_order", "late_at", "urgency", "waiting_since", "first_response_at",
    "follow_up_at", "snoozed_until", "next_action_sealed",
)  # fmt: skip
"""What an answer set and its taking back puts back, where nothing but notes came since."""
_WAITS_ON = frozenset({Verb.NOTED, Verb.ASSIGNED, Verb.OFFERED, Verb.ACCEPTED, Verb.RECLASSIFIED})
"""What leaves a conversation waiting for the answer that is set for later, and sets nothing else to wait for."""

_PUT_BACK = {Verb.MERGED: unmerge, Verb.SPLIT: unsplit, Verb.RELINKED: relink_back}
"""What else a verb's own room puts back, and the columns that are not as before; None where that has changed since."""


ANSWER_TAKEN_BACK = "The answer it came with was taken back"


class NothingToUndo(CrmError):
    """There is nothing of yours to undo here."""


class TooLate(CrmError):
    """C-{conversation_id} cannot be put back: {why}."""


@needs(Permission.CONVERSATION_WORK)
def undo_last(unit: WriteUnit, conversation_id: int | None = None) -> tuple[int, Verb]:
    """Put back my last undoable verb (in one conversation, or anywhere); returns what was undone.

    A text that is still held comes back as my draft, whatever has happened since. Raises
    TooLate where the conversation has changed since, or the message has left.
    """
    mine = select(Undo).where(Undo.staff_id == unit.actor.staff_id, Undo.undone_at.is_(None))
    if conversation_id is not None:
        mine = mine.where(done_in(unit, conversation_id))
    row = (
        unit.execute(mine.with_only_columns(*Undo.__table__.c).order_by(Undo.at.desc(), Undo.id.desc()).limit(1))
        .mappings()
        .first()
    )
    if row is None:
        raise NothingToUndo
    return put_back(unit, dict(row))


def done_in(unit: ReadUnit, conversation_id: int) -> ColumnElement[bool]:
    """Which rows of `undo` are about a conversation: by the id that it had then, or by a message that lies in it."""
    now = resolved(unit, conversation_id)
    lying_in = select(Message.id).where(Message.conversation_id == now)
    return or_(Undo.conversation_id.in_((conversation_id, now)), Undo.message_id.in_(lying_in))


@needs(Permission.CONVERSATION_WORK)
def put_back(unit: WriteUnit, row: Mapping[str, Any]) -> tuple[int, Verb]:
    """Put back what one stored row of `undo` says; returns what was undone. Raises TooLate before any change.

    A macro is put back whole: what followed the answer, then the answer with the task it made. Of
    that, what may still be put back is; TooLate where nothing may.
    """
    undone: list[tuple[int, Verb]] = []
    late: list[TooLate] = []
    for each in _of_one_macro(unit, row):
        try:
            undone.append(_put_back_one(unit, _as_it_is(unit, each)))
        except TooLate as error:
            late.append(error)
    if not undone:
        raise late[0]
    return undone[-1]


def _of_one_macro(unit: WriteUnit, row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The row and those that are put back with it, the latest first."""
    if MACRO not in json.loads(row["also"] or "{}"):
        return [row]
    table = Undo.__table__
    shared = (table.c.conversation_id == row["conversation_id"]) & (table.c.also == row["also"])
    found = unit.execute(
        select(table).where(shared, table.c.undone_at.is_(None)).order_by(table.c.version_after.desc())
    )
    return [dict(each) for each in found.mappings()]


def _as_it_is(unit: WriteUnit, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row once what followed it has been put back, which may have opened its way."""
    version = unit.scalar(select(Undo.version_after).where(Undo.id == row["id"]))
    return {**row, "version_after": version}


def _put_back_one(unit: WriteUnit, row: Mapping[str, Any]) -> tuple[int, Verb]:
    """Put back one row, in whatever lane its own verb has put the conversation; what changed since is left alone."""
    conversation = stored(unit, _lies_in(unit, row))
    unchanged = (conversation.id, conversation.row["version"]) == (row["conversation_id"], row["version_after"])
    if row["message_id"] is not None:
        if rests_on(unit, row["message_id"]):
            raise TooLate(conversation_id=conversation.id, why="it was closed as a grievance with this reply")
        if not take_back(unit, row["message_id"]):
            raise TooLate(conversation_id=conversation.id, why="the message has left")
        keep_as_draft(unit, conversation.id, row["message_id"])
        _cancel_its_task(unit, json.loads(row["also"] or "{}").get(TASK))
    elif not unchanged:
        raise TooLate(conversation_id=conversation.id, why="something else happened since")
    room = _PUT_BACK.get(row["verb"])
    stays = {} if room is None else room(unit, json.loads(row["also"]))
    if stays is None:
        raise TooLate(conversation_id=conversation.id, why="something else happened since")
    values, linked_contact = restored(row["before"])
    if linked_contact is not None and conversation.row["patient_id"] is not None:
        unlink_contact(unit, conversation.row["patient_id"], linked_contact)
    if unchanged:
        # Where some of it stays, whose turn it made does too.
        undoes = None if stays else row["step_id"]
        change(unit, conversation, Verb.UNDONE, {**values, **stays}, undoes=undoes, reason=row["verb"])
    else:
        values = _owed_again(unit, conversation, row, values)
        ask_again(unit, conversation, Verb.UNDONE, values, (row["message_id"],), reason=row["verb"])
    unit.execute(update(Undo).where(Undo.id == row["id"]).values(undone_at=unit.now))
    if unchanged:
        _open_the_way_further_back(unit, conversation.id, row["version_after"])
    return conversation.id, Verb(row["verb"])


def _lies_in(unit: WriteUnit, row: Mapping[str, Any]) -> int:
    """Where it is to be put back: a message may have gone into another conversation, by merging or splitting."""
    if row["message_id"] is None:
        return int(row["conversation_id"])
    return int(unit.scalar(select(Message.conversation_id).where(Message.id == row["message_id"])) or 0)


def _owed_again(
    unit: WriteUnit, conversation: Current, row: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """What taking back an answer puts back of a conversation in which other things have happened since.

    Where nothing but notes came, what the answer set. Else it is open again where the patient is
    owed that answer: where everybody waits for the patient or it is closed, or where it waits for
    nothing but the answer's time.
    """
    since = later_verbs(unit, conversation, row["step_id"])
    planned = row["verb"] is Verb.SCHEDULED
    if since is not None and since <= {Verb.NOTED}:
        return {name: before[name] for name in _UNANSWERED}
    if planned:
        opens = conversation.state is State.WAITING_OTHER and since is not None and since <= _WAITS_ON
    else:
        opens = conversation.state in STANDS_STILL
        opens = opens and owed_without(unit, conversation, (row["message_id"],)) is not None
    if not opens or conversation.danger:
        return {}
    first = conversation.rules.first_action(conversation.row["category"])
    return open_again(conversation, unit.now) | next_action(unit, conversation.id, first)


def _cancel_its_task(unit: WriteUnit, task_id: int | None) -> None:
    """What the answer's template has made a task of need not be done, unless it has been."""
    if task_id is not None and unit.scalar(select(Task.state).where(Task.id == task_id)) is TaskState.OPEN:
        cancel(unit, task_id, ANSWER_TAKEN_BACK)


def _open_the_way_further_back(unit: WriteUnit, conversation_id: int, version: int) -> None:
    """The conversation is again as it was before this version: what was done just before may be undone next.

    Undoing made two steps of one, so every earlier way back moves by as much and keeps its
    distance; where someone else's change lies between, it still does.
    """
    earlier = update(Undo).where(Undo.conversation_id == conversation_id, Undo.version_after < version)
    unit.execute(earlier.values(version_after=Undo.version_after + 2))
