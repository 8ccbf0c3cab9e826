"""Mode 4 as the console sees it: a list of tasks by pages, one task, what is done with them and taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.inbox.tasks import task_from
from crm_core.tasks import queries, service
from crm_core.tasks.model import NewTask, TaskItem, TaskKind, TaskPage, TaskView
from crm_core.tasks.service import Before
from crm_core.work.units import WriteUnit

__all__ = ["TaskDesk", "TaskItem", "TaskPage", "TaskView"]


class TaskDesk:
    """What one signed-in person asks of tasks; it remembers what was done here, to take it back."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor
        self._done: list[Before] = []

    def page(self, *, mine: bool, limit: int, offset: int = 0, after: TaskItem | None = None) -> TaskPage:
        """A page of the open tasks, due first."""
        with self._crm.read(self._actor) as unit:
            return queries.tasks(unit, mine=mine, limit=limit, offset=offset, after=after)

    def overdue(self, *, mine: bool) -> int:
        """How many of them are past their due time; none is opened."""
        with self._crm.read(self._actor) as unit:
            return queries.count_overdue(unit, mine=mine)

    def task(self, task_id: int) -> TaskView:
        """One task, opened; audited."""
        with self._crm.read(self._actor) as unit:
            return queries.task(unit, task_id)

    def add(self, title: str, due_at: datetime, conversation_id: int | None = None) -> int:
        """Add a task of mine, out of a conversation where one is named."""
        kind = TaskKind.OTHER if conversation_id is None else TaskKind.FOLLOW_UP
        asked = NewTask(kind=kind, title=title, due_at=due_at, owner_id=self._actor.staff_id)
        with self._crm.write(self._actor) as unit:
            if conversation_id is None:
                return service.create_task(unit, asked)
            return task_from(unit, conversation_id, asked)

    def finish(self, task_id: int, words: str | None, known: Mapping[str, str]) -> None:
        """Say that it is done."""
        self._do(lambda unit: service.finish(unit, task_id, words=words, known=known))

    def cancel(self, task_id: int, why: str) -> None:
        """End it undone."""
        self._do(lambda unit: service.cancel(unit, task_id, why))

    def assign(self, task_id: int, staff_id: int) -> None:
        """Make it a person's."""
        self._do(lambda unit: service.assign_task(unit, task_id, staff_id))

    def claim_or_release(self, task_id: int, *, mine: bool) -> None:
        """Give it back to its role or lane where it is mine, else make it mine."""
        self._do(lambda unit: service.assign_task(unit, task_id, None if mine else self._actor.staff_id))

    def put_off(self, task_id: int, until: datetime) -> None:
        """Let it be due at another time."""
        self._do(lambda unit: service.put_off(unit, task_id, until))

    @property
    def can_undo(self) -> bool:
        """Whether something was done here that was not taken back."""
        return bool(self._done)

    def undo(self) -> int:
        """Take back what I did last to a task, and return which; what cannot be taken back is forgotten."""
        before = self._done.pop()
        with self._crm.write(self._actor) as unit:
            service.undo(unit, before)
        # Undoing made two changes of one: what was done to this task before moves by as much.
        self._done = [
            replace(one, version=one.version + 2) if one.task_id == before.task_id else one for one in self._done
        ]
        return before.task_id

    def _do(self, change: Callable[[WriteUnit], Before]) -> None:
        with self._crm.write(self._actor) as unit:
            before = change(unit)
        self._done.append(before)
