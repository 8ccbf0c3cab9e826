"""A conversation's states, the verbs that move it, and what a person is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from crm_core.channels.attachments import AttachmentView
from crm_core.channels.model import Delivery, Direction, MessageKind, Report, Screened
from crm_core.vault.sealed import Shown
from crm_core.words import Channel, Priority

END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
"""The order key of an item on which no clock runs: after everything that is due."""

DANGER_URGENCY = 0
STAT_URGENCY = 1


class State(StrEnum):
    """Where a conversation is; only `closed` is an end."""

    NEW = "new"
    OPEN = "open"
    WAITING_PATIENT = "waiting_patient"
    WAITING_OTHER = "waiting_other"
    SNOOZED = "snoozed"
    CLOSED = "closed"


class Verb(StrEnum):
    """What was done to a conversation; each is one step of its history."""

    ARRIVED = "arrived"
    RECEIVED = "received"
    REOPENED = "reopened"
    ALARMED = "alarmed"
    ACKNOWLEDGED = "acknowledged"
    TAKEN = "taken"
    RELEASED = "released"
    ASSIGNED = "assigned"
    REPLIED = "replied"
    CALLED = "called"
    NOTED = "noted"
    LINKED = "linked"
    MOVED = "moved"
    ESCALATED = "escalated"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    CLOSED = "closed"
    UNDONE = "undone"
    MERGED = "merged"
    SPLIT = "split"
    RELINKED = "relinked"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    RECLASSIFIED = "reclassified"


class Turn(StrEnum):
    """What a step was to the response clocks: the patient asked something, or a person answered."""

    ASKED = "asked"
    ANSWERED = "answered"


class ClockKind(StrEnum):
    """The clocks of a conversation (domain.md, Clocks)."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


class Mark(StrEnum):
    """What is recorded of a clock, once each: that it runs out soon, and that it has run out."""

    WARNED = "warned"
    BREACHED = "breached"


def urgency_of(priority: Priority, *, danger: bool = False, unscreened: bool = False, late: bool = False) -> int:
    """The first key of the working order (see tables.py); what could not be screened stands with `stat`."""
    if danger:
        return DANGER_URGENCY
    if unscreened:
        return STAT_URGENCY
    return max(STAT_URGENCY, priority.rank + 1 - (1 if late else 0))


@dataclass(frozen=True, kw_only=True)
class LaneCount:
    """One lane's figures: everything not closed, of that unowned, of that past its due time."""

    lane: str
    title: str
    open: int
    unowned: int
    overdue: int
    next_due: datetime | None


@dataclass(frozen=True, kw_only=True)
class QueueItem:
    """One line of a queue. `patient_name` is None for an unknown sender.

    `escalated_by_me`: whoever looks has escalated it, and nobody has accepted it yet.
    """

    conversation_id: int
    patient_id: int | None
    patient_name: Shown | None
    category: str
    channel: Channel
    priority: Priority
    urgency: int
    lane: str
    state: State
    owner_id: int | None
    owner: str | None
    danger: bool
    unscreened: bool
    due_at: datetime | None
    waiting_since: datetime
    escalated_by_me: bool = False


@dataclass(frozen=True, kw_only=True)
class MessageView:
    """One message or note of a thread, opened.

    `folds` are the lines of the body that only quote older letters, as (first, after the last).
    `failure` says why a delivery is as it is, `reported` what the provider said of it later. `apart`:
    it lies in no conversation, and is shown where the same patient writes about it.
    """

    id: int
    kind: MessageKind | None
    direction: Direction | None
    channel: Channel | None
    at: datetime
    author: str | None
    body: Shown
    subject: Shown | None
    delivery: Delivery | None
    why: tuple[str, ...]
    screened: Screened
    hidden: int
    attachments: int
    call_outcome: str | None
    files: tuple[AttachmentView, ...] = ()
    folds: tuple[tuple[int, int], ...] = ()
    call_reason: str | None = None
    next_call_at: datetime | None = None
    failure: str | None = None
    reported: Report | None = None
    apart: bool = False

    @property
    def internal(self) -> bool:
        """Whether this is a note."""
        return self.kind is None


@dataclass(frozen=True, kw_only=True)
class AlarmView:
    """One danger, as it may be told to anyone: no patient in it."""

    alarm_id: int
    conversation_id: int
    lane: str
    raised_at: datetime
    ack_due_at: datetime
    holder: str


@dataclass(frozen=True, kw_only=True)
class ConversationView:
    """A conversation with its thread, opened for one person.

    One of `owner` and `lane` always says who is next; `next_action` what; `clock_at` by when
    (`clock` names it: a due clock, a snooze's end, a follow-up date, an answer that goes by
    itself at `sends_at`). `newest_message_id` is
    given back with an answer: something newer then refuses it (answering/newest.py).
    """

    id: int
    patient_id: int | None
    contact_point_id: int | None
    channel: Channel
    category: str
    reason: str
    priority: Priority
    lane: str
    lane_title: str
    owner_id: int | None
    owner: str | None
    state: State
    danger: bool
    unscreened: bool
    opened_at: datetime
    waiting_since: datetime
    due_at: datetime | None
    first_response_at: datetime | None
    snoozed_until: datetime | None
    snooze_holds: bool
    follow_up_at: datetime | None
    sends_at: datetime | None
    outcome: str | None
    closed_at: datetime | None
    next_owner: str
    next_action: Shown | None
    clock: str
    clock_at: datetime | None
    version: int
    follows_id: int | None
    merged_into_id: int | None
    newest_message_id: int | None
    messages: tuple[MessageView, ...]
    escalated_by_me: bool = False
