"""Taking back the last thing I did, while nothing has happened since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.outbox import take_back
from crm_core.channels.tables import Message
from crm_core.errors import CrmError
from crm_core.inbox.answering.drafts import my_draft, save_draft
from crm_core.inbox.answering.macros import MACRO, TASK
from crm_core.inbox.complaints import rests_on
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import change, current, restored
from crm_core.inbox.tables import Undo
from crm_core.inbox.threads.merging import unmerge
from crm_core.inbox.threads.relinking import relink_back
from crm_core.inbox.threads.splitting import unsplit
from crm_core.library.tables import Template, TemplateVersion
from crm_core.patients.service import unlink_contact
from crm_core.tasks.model import TaskState
from crm_core.tasks.service import cancel
from crm_core.tasks.tables import Task
from crm_core.work.units import WriteUnit

_UNANSWERED = (
    "state", "owner_id", "taken_at", "due_at", "due_order", "late_at", "urgency", "waiting_since", "first_response_at",
    "follow_up_at", "snoozed_until", "next_action_sealed",
)  # fmt: skip
"""What an answer set and its taking back puts back, where other things have happened since."""
_OWED_AGAIN = ("waiting_since", "first_response_at")
"""Of that, what it puts back where the patient has written meanwhile."""

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
        mine = mine.where(Undo.conversation_id == conversation_id)
    row = (
        unit.execute(mine.with_only_columns(*Undo.__table__.c).order_by(Undo.at.desc(), Undo.id.desc()).limit(1))
        .mappings()
        .first()
    )
    if row is None:
        raise NothingToUndo
    return put_back(unit, dict(row))


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
            undone.append(_put_back_one(unit, each))
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


def _put_back_one(unit: WriteUnit, row: Mapping[str, Any]) -> tuple[int, Verb]:
    conversation = current(unit, row["conversation_id"])
    unchanged = conversation.row["version"] == row["version_after"]
    if row["message_id"] is not None:
        if rests_on(unit, row["message_id"]):
            raise TooLate(conversation_id=conversation.id, why="it was closed as a grievance with this reply")
        if not take_back(unit, row["message_id"]):
            raise TooLate(conversation_id=conversation.id, why="the message has left")
        _leave_draft(unit, conversation.id, row["message_id"])
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
    if not unchanged:
        waits = State.WAITING_OTHER if row["verb"] is Verb.SCHEDULED else State.WAITING_PATIENT
        answered = _UNANSWERED if conversation.state is waits else _OWED_AGAIN
        values = {name: values[name] for name in answered}
    # Where some of it stays, whose turn it made does too.
    undoes = None if stays else row["step_id"]
    change(unit, conversation, Verb.UNDONE, {**values, **stays}, undoes=undoes, reason=row["verb"])
    unit.execute(update(Undo).where(Undo.id == row["id"]).values(undone_at=unit.now))
    if unchanged:
        _open_the_way_further_back(unit, conversation.id, row["version_after"])
    return conversation.id, Verb(row["verb"])


def _leave_draft(unit: WriteUnit, conversation_id: int, message_id: int) -> None:
    """What was taken back is my draft again, unless I have begun another."""
    if my_draft(unit, conversation_id) is not None:
        return
    sent = unit.execute(
        select(Message.body, Template.key.label("template"))
        .outerjoin(TemplateVersion, TemplateVersion.id == Message.template_version_id)
        .outerjoin(Template, Template.id == TemplateVersion.template_id)
        .where(Message.id == message_id)
    ).one()
    save_draft(unit, conversation_id, unit.open(sent.body) or "", template_key=sent.template)


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
