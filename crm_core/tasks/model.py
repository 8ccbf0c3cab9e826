"""What a task is, and what a person is shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crm_core.access.model import Role
from crm_core.vault.sealed import Shown


class TaskKind(StrEnum):
    """What a task is about; a word, once stored, keeps its meaning."""

    DELIVERY_FAILED = "delivery_failed"
    CALL_BACK = "call_back"
    MAY_WANT_TO_CANCEL = "may_want_to_cancel"
    FOLLOW_UP = "follow_up"
    FIND_NUMBER = "find_number"
    HAND_OVER = "hand_over"
    REVIEW = "review"
    CALL = "call"
    OTHER = "other"


class TaskState(StrEnum):
    """Where a task is; `done` and `cancelled` are ends."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """A task to be added; it needs an owner, a role or a lane.

    `due_at` is aware, None for at once. `required` are the keys of what must be filled in before
    it is done, such as `new_number`: letters, digits and underscores, since they are not sealed.
    `dedup_key` holds codes and ids only: of tasks with the same key there is ever one.
    """

    kind: TaskKind
    title: str
    details: str | None = None
    patient_id: int | None = None
    conversation_id: int | None = None
    owner_id: int | None = None
    role: Role | None = None
    lane: str | None = None
    due_at: datetime | None = None
    required: tuple[str, ...] = ()
    dedup_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class TaskItem:
    """One line of a list of tasks. `patient_name` is None where it is about no known patient."""

    task_id: int
    kind: TaskKind
    title: Shown
    patient_id: int | None
    patient_name: Shown | None
    deceased: bool
    conversation_id: int | None
    owner_id: int | None
    owner: str | None
    role: Role | None
    lane: str | None
    due_at: datetime
    state: TaskState
    required: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TaskView(TaskItem):
    """One task, opened. `filled` is what is known of what it requires; `outcome` what came of it."""

    details: Shown | None
    filled: Mapping[str, Shown]
    outcome: Shown | None
    created_at: datetime
    created_by: str | None
    ended_at: datetime | None
    ended_by: str | None

    @property
    def missing(self) -> tuple[str, ...]:
        """What must still be filled in before it is done."""
        return tuple(key for key in self.required if key not in self.filled)


@dataclass(frozen=True, kw_only=True)
class TaskPage:
    """Some tasks, those due first on top, and how many there are in all."""

    items: tuple[TaskItem, ...]
    total: int
