"""What a call list item is: a patient to be called, by whom nobody may be written to or who wants it so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crm_core.tasks.model import TaskItem
from crm_core.vault.sealed import Shown
from crm_core.words import Purpose


class CallState(StrEnum):
    """Where a call list item is; all but `waiting` are ends."""

    WAITING = "waiting"
    REACHED = "reached"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class NewCall:
    """A patient to be called at a number, and what is to be said to them, which is sealed.

    `dedup_key` comes from dedup.py. `due_at` is moved into the clinic's hours.
    """

    patient_id: int
    contact_point_id: int
    purpose: Purpose
    title: str
    say: str | None
    due_at: datetime
    dedup_key: str
    notice_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class CallLine(TaskItem):
    """One call to make. `number` is what to dial; None where `refused` says why the patient may not be called now."""

    attempts: int
    max_attempts: int
    number: Shown | None
    refused: str | None
    last_outcome: str | None


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What became of a call list item after one more call; `because` where it was cancelled instead."""

    task_id: int
    state: CallState
    attempts: int
    max_attempts: int
    next_at: datetime | None
    because: str | None = None
