"""What the inbox has to do with tasks, a room below it: in which lanes they are seen, and those that come from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, exists

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.inbox.record import current
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import Conversation
from crm_core.tasks.model import NewTask
from crm_core.tasks.scope import Sight
from crm_core.tasks.service import create_task
from crm_core.work.units import ReadUnit, WriteUnit


@needs(Permission.PLAYBOOK_READ)
def inbox_in_sight(unit: ReadUnit) -> Sight:
    """The lanes that the unit's actor may see, and the conversations that lie in them."""
    lanes = inbox_rules(unit).visible(unit.actor)

    def conversation(column: Any) -> ColumnElement[bool]:
        return exists().where(Conversation.id == column, Conversation.lane.in_(sorted(lanes)))

    return Sight(lanes=lanes, conversation=conversation)


@needs(Permission.TASK_WORK)
def task_from(unit: WriteUnit, conversation_id: int, task: NewTask) -> int:
    """Add a task that comes from a conversation and is about its patient; NotFound outside the actor's lanes."""
    found = current(unit, conversation_id, lock=False)
    return create_task(unit, replace(task, conversation_id=conversation_id, patient_id=found.row["patient_id"]))
