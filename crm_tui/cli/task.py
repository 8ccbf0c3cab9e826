"""A task as the command line shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm_core.errors import NotFound
from crm_tui.ids import Kind, show_id

if TYPE_CHECKING:
    from crm_core.tasks.model import TaskItem, TaskView
    from crm_tui.cli.session import Session


def show_task(session: Session, task_id: int) -> None:
    """Print the task as it is now; its id alone where this person no longer sees it."""
    from crm_core.tasks import queries

    try:
        with session.reading() as unit:
            view = queries.task(unit, task_id)
    except NotFound:
        session.show({"task": show_id(Kind.TASK, task_id)})
        session.say("It is now in a lane that you do not see.")
        return
    session.show(document(view))


def line(item: TaskItem) -> dict[str, Any]:
    """The JSON form of one line of a list."""
    return {
        "task": show_id(Kind.TASK, item.task_id),
        "due_at": item.due_at,
        "kind": item.kind,
        "title": item.title,
        "patient": show_id(Kind.PATIENT, item.patient_id),
        "conversation": show_id(Kind.CONVERSATION, item.conversation_id),
        "owner": item.owner,
        "role": item.role,
        "lane": item.lane,
        "state": item.state,
    }


def document(view: TaskView) -> dict[str, Any]:
    """The JSON form of a task."""
    return {
        **line(view),
        "details": view.details,
        "requires": {key: view.filled.get(key) for key in view.required},
        "missing": list(view.missing),
        "created_at": view.created_at,
        "created_by": view.created_by,
        "ended_at": view.ended_at,
        "ended_by": view.ended_by,
        "outcome": view.outcome,
    }
