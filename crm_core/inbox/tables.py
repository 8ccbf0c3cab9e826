"""Conversations, their history, notes, drafts, alarms and what can be undone.

`urgency` is the working order's first key: 0 unacknowledged danger, 1 stat, 2 asap, 3 urgent,
4 routine, lowered by one step (never below 1) once overdue by a full target. `due_order` is
`due_at`, or the end of time where no clock runs, so that one index gives the order on both stores.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.inbox.model import ClockKind, Mark, State, Turn, Verb
from crm_core.store.base import Base, Id, Utc, sealed, word
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed
from crm_core.words import Channel, Priority

TAKEABLE = text("taken_at IS NULL AND state IN ('new', 'open')")
STILL_OPEN = text("state <> 'closed'")
GROWING_LATE = text("late_at IS NOT NULL AND urgency > 1 AND state IN ('new', 'open')")
SNOOZED = text("state = 'snoozed'")
WAITING = text("state IN ('waiting_patient', 'waiting_other')")
UNMARKED = text("mark_at IS NOT NULL AND state <> 'closed'")
CLOSED = text("state = 'closed'")
UNACKNOWLEDGED = text("acknowledged_at IS NULL")
SHARED = text("shared")
RAISED = text("escalated_by IS NOT NULL AND accepted_at IS NULL AND state <> 'closed'")
ON_OFFER = text("accepted_at IS NULL AND declined_at IS NULL AND withdrawn_at IS NULL")
STANDS = text("void_at IS NULL")
"""The partial indexes' conditions: a query repeats them to the letter, or SQLite scans."""

_ORDER = ("urgency", "due_order", "waiting_since", "id")


def _partial(name: str, where: TextClause, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


class Conversation(Base):
    """One thread with one patient, or an unknown sender, about one need."""

    __tablename__ = "conversation"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"), index=True)
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    channel: Mapped[Channel] = mapped_column(word(Channel, "channel"))
    category: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(80))
    priority: Mapped[Priority] = mapped_column(word(Priority, "priority"))
    urgency: Mapped[int] = mapped_column(Integer)
    lane: Mapped[str] = mapped_column(String(40))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    taken_at: Mapped[datetime | None] = mapped_column(Utc)
    state: Mapped[State] = mapped_column(word(State, "state"))
    danger: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    unscreened: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    opened_at: Mapped[datetime] = mapped_column(Utc, index=True)
    waiting_since: Mapped[datetime] = mapped_column(Utc)
    due_at: Mapped[datetime | None] = mapped_column(Utc)
    due_order: Mapped[datetime] = mapped_column(Utc)
    due_clock: Mapped[ClockKind | None] = mapped_column(word(ClockKind, "due_clock"))
    late_at: Mapped[datetime | None] = mapped_column(Utc)
    mark_at: Mapped[datetime | None] = mapped_column(Utc)
    first_response_at: Mapped[datetime | None] = mapped_column(Utc)
    last_message_at: Mapped[datetime] = mapped_column(Utc)
    snoozed_until: Mapped[datetime | None] = mapped_column(Utc)
    snooze_holds: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    follow_up_at: Mapped[datetime | None] = mapped_column(Utc)
    escalated_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    accepted_at: Mapped[datetime | None] = mapped_column(Utc)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    outcome: Mapped[str | None] = mapped_column(String(40))
    closed_at: Mapped[datetime | None] = mapped_column(Utc)
    playbook_version: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    trace_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    next_action_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    trace: Mapped[Sealed] = sealed(Field.ROUTE_TRACE, "id", "trace_sealed")
    next_action: Mapped[Sealed] = sealed(Field.NEXT_ACTION, "id", "next_action_sealed")

    __table_args__ = (
        CheckConstraint("urgency BETWEEN 0 AND 4", name="urgency"),
        CheckConstraint(
            "(state = 'closed') = (outcome IS NOT NULL AND closed_at IS NOT NULL)", name="closed_has_outcome"
        ),
        CheckConstraint("state <> 'snoozed' OR snoozed_until IS NOT NULL", name="snooze_ends"),
        CheckConstraint("state = 'closed' OR next_action_sealed IS NOT NULL", name="open_has_next_action"),
        CheckConstraint(
            "state = 'closed' OR due_at IS NOT NULL OR follow_up_at IS NOT NULL OR snoozed_until IS NOT NULL",
            name="open_has_a_date",
        ),
        CheckConstraint("merged_into_id <> id", name="not_merged_into_itself"),
        CheckConstraint("NOT danger OR state IN ('new', 'open')", name="danger_is_open"),
        _partial("ix_conversation_takeable", TAKEABLE, *_ORDER),
        _partial("ix_conversation_takeable_lane", TAKEABLE, "lane", *_ORDER),
        # With the owner in it the lanes' figures are counted from the index alone.
        _partial("ix_conversation_lane_open", STILL_OPEN, "lane", *_ORDER, "owner_id"),
        _partial("ix_conversation_owner_open", STILL_OPEN, "owner_id"),
        _partial("ix_conversation_raised", RAISED, "escalated_by"),
        _partial("ix_conversation_late", GROWING_LATE, "late_at"),
        _partial("ix_conversation_snoozed", SNOOZED, "snoozed_until"),
        _partial("ix_conversation_waiting", WAITING, "follow_up_at"),
        _partial("ix_conversation_unmarked", UNMARKED, "mark_at"),
        _partial("ix_conversation_closed", CLOSED, "closed_at"),
        _partial("ix_conversation_merged", text("merged_into_id IS NOT NULL"), "merged_into_id"),
    )


class Step(Base):
    """One change in a conversation's life: who did what, from where to where, with which coded reason.

    `message_id` is the message that made it, where one did: the step goes where that message goes.
    """

    __tablename__ = "step"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    at: Mapped[datetime] = mapped_column(Utc)
    actor_id: Mapped[int] = mapped_column(Id)
    verb: Mapped[Verb] = mapped_column(word(Verb, "verb"))
    from_state: Mapped[State | None] = mapped_column(word(State, "from_state"))
    to_state: Mapped[State] = mapped_column(word(State, "to_state"))
    from_lane: Mapped[str | None] = mapped_column(String(40))
    to_lane: Mapped[str] = mapped_column(String(40))
    from_owner: Mapped[int | None] = mapped_column(Id)
    to_owner: Mapped[int | None] = mapped_column(Id)
    reason: Mapped[str | None] = mapped_column(String(80))
    turn: Mapped[Turn | None] = mapped_column(word(Turn, "turn"))
    turn_at: Mapped[datetime | None] = mapped_column(Utc)
    message_id: Mapped[int | None] = mapped_column(Id)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"))
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    words: Mapped[Sealed] = sealed(Field.STEP_TEXT, "id", "words_sealed")

    __table_args__ = (
        CheckConstraint("(turn IS NULL) = (turn_at IS NULL)", name="turn_has_a_time"),
        _partial("ix_step_assigned", text("verb = 'assigned'"), "to_owner", "at"),
    )


class ClockMark(Base):
    """That a clock was about to run out, or has run out: once each, and kept for the figures.

    `since` is when that run of the clock began, so that a clock that begins anew is marked anew.
    """

    __tablename__ = "clock_mark"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    clock: Mapped[ClockKind] = mapped_column(word(ClockKind, "clock"))
    since: Mapped[datetime] = mapped_column(Utc)
    mark: Mapped[Mark] = mapped_column(word(Mark, "mark"))
    due_at: Mapped[datetime] = mapped_column(Utc)
    marked_at: Mapped[datetime] = mapped_column(Utc, index=True)
    lane: Mapped[str] = mapped_column(String(40))
    owner_id: Mapped[int | None] = mapped_column(Id)

    __table_args__ = (UniqueConstraint("conversation_id", "clock", "since", "mark"),)


class Note(Base):
    """An internal remark; never a response, never sent."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime] = mapped_column(Utc)
    body_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[Sealed] = sealed(Field.NOTE_BODY, "id", "body_sealed")


class Draft(Base):
    """What one author has begun to write in one conversation, to whom; it appears nowhere else."""

    __tablename__ = "draft"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    internal: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    template_key: Mapped[str | None] = mapped_column(String(80))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    updated_at: Mapped[datetime] = mapped_column(Utc)
    body_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[Sealed] = sealed(Field.DRAFT_BODY, "id", "body_sealed")

    __table_args__ = (Index("uq_draft_conversation_id_author_id", "conversation_id", "author_id", unique=True),)


class Alarm(Base):
    """A danger found in an inbound message, and who acknowledged it."""

    __tablename__ = "alarm"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    raised_at: Mapped[datetime] = mapped_column(Utc)
    ack_due_at: Mapped[datetime] = mapped_column(Utc)
    terms: Mapped[str] = mapped_column(Text)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Utc)
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    __table_args__ = (
        CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="acknowledged_by_someone"),
        _partial("ix_alarm_unacknowledged", UNACKNOWLEDGED, "raised_at"),
    )


class Complaint(Base):
    """How a complaint ended, once for each time it was closed; `void_at` once it is open again.

    `reply_id` is the written reply of a grievance: what was not settled on the day it came.
    """

    __tablename__ = "complaint"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("step.id"))
    category: Mapped[str] = mapped_column(String(40))
    came_at: Mapped[datetime] = mapped_column(Utc)
    answered_on: Mapped[date] = mapped_column(Date)
    grievance: Mapped[bool] = mapped_column(Boolean)
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), index=True)
    outcome: Mapped[str] = mapped_column(String(40))
    void_at: Mapped[datetime | None] = mapped_column(Utc)
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    words: Mapped[Sealed] = sealed(Field.COMPLAINT_WORDS, "conversation_id", "words_sealed")

    __table_args__ = (
        CheckConstraint("grievance = (reply_id IS NOT NULL)", name="grievance_is_answered_in_writing"),
        Index(
            "uq_complaint_conversation_id", "conversation_id", unique=True,
            sqlite_where=STANDS, postgresql_where=STANDS,
        ),
    )  # fmt: skip


class Undo(Base):
    """How to put a conversation back as it was before one verb of one person.

    `before` holds codes, ids and times as JSON; a sealed value in it stays sealed (hex).
    It works while the conversation's version is still `version_after`. `step_id` is the step that
    it takes back, `batch_id` is shared by what was done to several at once, `also` holds what else
    the verb's own room must put back, as JSON.
    """

    __tablename__ = "undo"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime] = mapped_column(Utc)
    verb: Mapped[Verb] = mapped_column(word(Verb, "verb"))
    before: Mapped[str] = mapped_column(Text)
    version_after: Mapped[int] = mapped_column(Integer)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    step_id: Mapped[int | None] = mapped_column(Id)
    batch_id: Mapped[int | None] = mapped_column(Id, index=True)
    also: Mapped[str | None] = mapped_column(Text)
    undone_at: Mapped[datetime | None] = mapped_column(Utc)

    __table_args__ = (Index("ix_undo_staff_id_at", "staff_id", "at"),)


class SavedView(Base):
    """A filter that somebody keeps under a name. People put patients into both, so both are sealed."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    owner_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    shared: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    position: Mapped[int] = mapped_column(Integer)
    saved_at: Mapped[datetime] = mapped_column(Utc)
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    filter_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[Sealed] = sealed(Field.VIEW_NAME, "id", "name_sealed")
    filter: Mapped[Sealed] = sealed(Field.VIEW_FILTER, "id", "filter_sealed")

    __table_args__ = (_partial("ix_saved_view_shared", SHARED, "position"),)


class Handover(Base):
    """One conversation offered by its owner to a colleague: the giver's until it is accepted.

    `words` are the giver's, or the receiver's once it was declined.
    """

    __tablename__ = "handover"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    from_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    offered_at: Mapped[datetime] = mapped_column(Utc)
    accepted_at: Mapped[datetime | None] = mapped_column(Utc)
    declined_at: Mapped[datetime | None] = mapped_column(Utc)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Utc)
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    words: Mapped[Sealed] = sealed(Field.HANDOVER_WORDS, "id", "words_sealed")

    __table_args__ = (
        CheckConstraint("from_id <> to_id", name="to_another"),
        CheckConstraint(
            "(accepted_at IS NULL AND declined_at IS NULL) OR (accepted_at IS NULL AND withdrawn_at IS NULL)"
            " OR (declined_at IS NULL AND withdrawn_at IS NULL)",
            name="ends_once",
        ),
        Index(
            "uq_handover_conversation_id_on_offer",
            "conversation_id",
            unique=True,
            sqlite_where=ON_OFFER,
            postgresql_where=ON_OFFER,
        ),
        _partial("ix_handover_to_id_on_offer", ON_OFFER, "to_id"),
    )


class Presence(Base):
    """That somebody has a conversation on their screen; fades by itself, and is not audited."""

    __tablename__ = "presence"

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Utc)
    writing: Mapped[bool] = mapped_column(Boolean)
