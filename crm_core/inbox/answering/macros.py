"""Macros: what a template does in its conversation besides being sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.gate import Gate
from crm_core.errors import CrmError, Stale
from crm_core.inbox import handling
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.record import current
from crm_core.inbox.tables import Undo
from crm_core.library.macro import Then, ThenTask, span
from crm_core.library.queries import version
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.work.units import WriteUnit

MACRO, TASK = "macro", "task"
"""In `undo.also`: the message whose template it was, which all of its ways back share, and the task that it made."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A queued answer, and what its template did besides: `done` and `not_done` are sentences for its author."""

    message_id: int
    done: tuple[str, ...] = ()
    not_done: tuple[str, ...] = ()


@needs(Permission.MESSAGE_SEND)
def answer(
    unit: WriteUnit,
    gate: Gate,
    conversation_id: int,
    text: str,
    *,
    subject: str | None = None,
    template_version_id: int | None = None,
    hold: timedelta = timedelta(0),
    seen_message_id: int | None = None,
    seen_patient_id: int | None = None,
) -> Answered:
    """Queue an answer as `answers.reply` does, then do what its template says, in the same unit.

    What may not be done in this conversation is left undone and said: the answer goes all the same.
    """
    message_id = reply(
        unit,
        gate,
        conversation_id,
        text,
        subject=subject,
        template_version_id=template_version_id,
        hold=hold,
        seen_message_id=seen_message_id,
        seen_patient_id=seen_patient_id,
    )
    then = version(unit, template_version_id).then if template_version_id is not None else None
    if then is None:
        return Answered(message_id=message_id)
    done, not_done = [], []
    also: dict[str, int] = {MACRO: message_id}
    try:
        if then.close is not None or then.snooze is not None:
            _close_or_snooze(unit, conversation_id, then)
            done.append(str(Then(close=then.close, snooze=then.snooze)))
    except Stale:
        raise
    except CrmError as refused:
        not_done.append(refused.message)
    if then.task is not None:
        also[TASK] = _make_task(unit, conversation_id, then.task)
        done.append(str(Then(task=then.task)))
    _together(unit, conversation_id, message_id, json.dumps(also))
    return Answered(message_id=message_id, done=tuple(done), not_done=tuple(not_done))


def _close_or_snooze(unit: WriteUnit, conversation_id: int, then: Then) -> None:
    if then.close is not None:
        handling.close(unit, conversation_id, outcome=then.close)
    elif then.snooze is not None:
        handling.snooze(unit, conversation_id, until=unit.now + span(then.snooze))


def _make_task(unit: WriteUnit, conversation_id: int, task: ThenTask) -> int:
    """The task is the answering person's."""
    patient_id = current(unit, conversation_id, lock=False).row["patient_id"]
    return add_task(
        unit,
        NewTask(
            kind=TaskKind.FOLLOW_UP,
            title=task.title,
            patient_id=patient_id,
            conversation_id=conversation_id,
            owner_id=unit.actor.staff_id,
            due_at=unit.now + span(task.due),
        ),
    )


def _together(unit: WriteUnit, conversation_id: int, message_id: int, also: str) -> None:
    """Mark the ways back of the answer and of what has followed it as one."""
    answered = select(Undo.version_after).where(Undo.message_id == message_id).scalar_subquery()
    since = update(Undo).where(Undo.conversation_id == conversation_id, Undo.version_after >= answered)
    unit.execute(since.values(also=also))
