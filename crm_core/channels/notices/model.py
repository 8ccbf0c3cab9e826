"""What a notice is: what the house sends by itself, later, to one patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from crm_core.vault.sealed import Shown
from crm_core.words import Channel, Purpose
from crm_core.work.units import WriteUnit

KIND = "notice"
"""The kind of a notice's timer."""

BY_STAFF = "staff"
"""The source of what a person planned."""


class Asks(StrEnum):
    """What a notice asks of the patient."""

    NOTHING = "nothing"
    CONFIRMATION = "confirmation"


class NoticeState(StrEnum):
    """Where a notice is. `handed_over` is in the outbox, which knows the rest; `calling` became a call list item."""

    PLANNED = "planned"
    HANDED_OVER = "handed_over"
    CALLING = "calling"
    EXPIRED = "expired"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class About:
    """What a notice is about: `code` names it in its own room (`visit-12`), `at` is when it takes place.

    Two of one patient that take place less than half an hour apart share one question.
    """

    code: str
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class NewNotice:
    """A notice to be planned; of one patient, occasion and step there is ever one that was not cancelled.

    `occasion` is a code that names what it is about and, where that can change, its version
    (`visit-12-v3`); `step` tells a plan's notices of one occasion apart (`day_before`). `due_at`
    is aware; after `send_by` it is stale and does not go, where it asks to confirm something no
    later than that begins. `fields` are merge fields that only the
    planner knows, sealed. `source` is the room that plans it.
    """

    patient_id: int
    occasion: str
    step: str
    purpose: Purpose
    template_key: str
    due_at: datetime
    source: str
    send_by: datetime | None = None
    asks: Asks = Asks.NOTHING
    about: About | None = None
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class NoticeLine:
    """One notice as a list shows it.

    `fate` is a word for how it stands: its state, or what the outbox says of what was handed
    over; `because` says in a few words why. `next_at` is when it is looked at next.
    """

    notice_id: int
    patient_id: int
    patient_name: Shown
    occasion: str
    step: str
    purpose: Purpose
    template_key: str
    due_at: datetime
    send_by: datetime | None
    asks: Asks
    state: NoticeState
    fate: str
    because: str | None
    channel: Channel | None
    next_at: datetime | None
    answer: str | None


@dataclass(frozen=True, kw_only=True)
class NoticeView(NoticeLine):
    """One notice, opened. `why` are the ordered reasons of the last decision on it, as sentences.

    `replied` is the text, of `replied_at`, by which the patient answered its question.
    """

    fields: Mapping[str, Shown]
    source: str
    planned_by: str | None
    planned_at: datetime
    settled_at: datetime | None
    message_id: int | None
    task_id: int | None
    about_at: datetime | None
    why: tuple[str, ...]
    replied: Shown | None = None
    replied_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Became:
    """What became of a notice: its new state and why, as a code or a few words without a patient."""

    notice_id: int
    patient_id: int
    occasion: str
    step: str
    source: str
    state: NoticeState
    because: str | None


class NoticeObserver(Protocol):
    """A room that plans notices and wants to hear what became of them; told in the unit that settles them."""

    def became(self, unit: WriteUnit, notices: Sequence[Became]) -> None: ...
