"""What a prompt is: one question, about which things, and how it was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from crm_core.work.units import WriteUnit

KIND = "prompt"
"""The kind of a prompt's timer, by which it expires."""


class PromptKind(StrEnum):
    """What a prompt asks: to confirm, or which of those who share a number wrote."""

    CONFIRMATION = "confirmation"
    WHICH = "which"


class PromptState(StrEnum):
    """Where a prompt is; `superseded` lost its subject to a change, `withdrawn` never left or is over."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    ANSWERED = "answered"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Answer(StrEnum):
    """What a reply to a prompt says."""

    CONFIRM = "confirm"
    DECLINE = "decline"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One thing that a prompt asks about: its code in its own room, when it takes place, the notice behind it."""

    code: str
    at: datetime | None
    notice_id: int | None


@dataclass(frozen=True, kw_only=True)
class NewPrompt:
    """A question that a message asks of a patient at a number, about one thing or several."""

    message_id: int
    patient_id: int
    contact_point_id: int
    about: tuple[Asked, ...]


class PromptObserver(Protocol):
    """A room whose things are asked about; told in the unit that reads the reply."""

    def answered(self, unit: WriteUnit, patient_id: int, codes: Sequence[str], answer: Answer) -> None:
        """These things were confirmed or declined by the patient."""

    def unanswered(self, unit: WriteUnit, patient_id: int, codes: Sequence[str]) -> None:
        """Nobody answered in time."""
