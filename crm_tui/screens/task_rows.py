"""Tasks as values that widgets draw; nothing here asks or knows a widget."""

from __future__ import annotations

from datetime import tzinfo

from textual.content import Content

from crm_tui.desk.tasks import TaskItem, TaskView
from crm_tui.ids import Kind, show_id
from crm_tui.screens.showing import conversation_name, first_name, moment
from crm_tui.terminal import one_line, plain
from crm_tui.widgets.queue_row import QueueRow

_LABEL = 13


def task_name(task_id: int) -> str:
    """`T-12`, as staff say it."""
    return str(show_id(Kind.TASK, task_id))


def task_row(item: TaskItem) -> QueueRow:
    """A task as the list draws it (see TaskPainter); the item itself is the row's key."""
    return QueueRow(
        id=item.task_id,
        patient=item.title,
        category=item.patient_name or "",
        state=item.kind.value,
        owner=first_name(item.owner) or whose(item),
        due_at=item.due_at,
        badge="DECEASED" if item.deceased else "",
        key=(item,),
    )


def task_item(row: QueueRow) -> TaskItem:
    """The desk's item behind a row."""
    item = row.key[0]
    assert isinstance(item, TaskItem)
    return item


def whose(item: TaskItem) -> str:
    """For whom it waits where nobody owns it: a role's word, or a lane's."""
    word = item.role.value if item.role is not None else item.lane or ""
    return f"any {word}".replace("_", " ") if word else ""


def task_text(view: TaskView, zone: tzinfo) -> Content:
    """All that a task says, a line a fact."""
    facts = [
        ("to do", view.title),
        ("details", view.details),
        ("due", moment(view.due_at, zone)),
        ("whose", view.owner or whose(view)),
        ("about", view.patient_name),
        ("from", conversation_name(view.conversation_id) if view.conversation_id is not None else None),
        ("kind", view.kind.value.replace("_", " ")),
        ("state", view.state.value),
        ("added", f"{moment(view.created_at, zone)} by {view.created_by or 'the system'}"),
    ]
    facts += [(key.replace("_", " "), view.filled.get(key, "still to be filled in")) for key in view.required]
    if view.ended_at is not None:
        facts.append(("ended", f"{moment(view.ended_at, zone)} by {view.ended_by or 'the system'}"))
        facts.append(("outcome", view.outcome))
    return Content("\n").join(
        Content.assemble(plain(f"{label:<{_LABEL}}", "$quiet"), plain(one_line(said))) for label, said in facts if said
    )
