"""One conversation opened: its thread, who is next, what happens next, and why it is here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.channels.attachments import AttachmentView, attachments_of
from crm_core.channels.model import Delivery, Direction, Screened
from crm_core.channels.outbox import why_sentences
from crm_core.channels.quoting import folds
from crm_core.channels.tables import Message, Outbox
from crm_core.inbox.answering.newest import NEWEST, newest_of
from crm_core.inbox.model import ClockKind, ConversationView, MessageView, State
from crm_core.inbox.record import Current, current
from crm_core.inbox.routing.deciding import explain, trace_of
from crm_core.inbox.sharing.escalation import is_raised_by
from crm_core.inbox.tables import Conversation, Note, Step
from crm_core.inbox.threads.apart import said_apart
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit

_ROW = (
    Conversation.trace, Conversation.next_action, Staff.name.label("owner"), Conversation.owner_id, Conversation.state,
    Conversation.escalated_by, Conversation.accepted_at, *NEWEST,
)  # fmt: skip

_MESSAGE: tuple[Any, ...] = (
    Message.id, Message.kind, Message.direction, Message.channel, Message.at, Message.body, Message.subject,
    Message.screened, Message.hidden, Message.attachments, Message.call_outcome, Staff.name.label("author"),
    Outbox.state, Outbox.why, Outbox.failure, Message.call_reason, Message.next_call_at, Outbox.planned_at,
    Outbox.reported,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StepView:
    """One step of a conversation's life."""

    at: datetime
    verb: str
    by: str
    from_lane: str | None
    to_lane: str
    to_state: str
    reason: str | None
    words: Shown | None


@needs(Permission.CONVERSATION_READ)
def conversation(unit: ReadUnit, conversation_id: int) -> ConversationView:
    """The conversation with its thread, opened and so audited; six statements however long it is.

    In the thread stands, too, what went by itself to the patient at that number and lies in no
    conversation (threads/apart.py).
    """
    found = current(unit, conversation_id, lock=False)
    row = found.row
    more = unit.execute(
        select(*_ROW).outerjoin(Staff, Staff.id == Conversation.owner_id).where(Conversation.id == conversation_id)
    ).one()
    sends_at, thread = _thread(unit, conversation_id, row)
    clock, clock_at = _clock(row, sends_at)
    return ConversationView(
        id=conversation_id,
        patient_id=row["patient_id"],
        contact_point_id=row["contact_point_id"],
        channel=found.channel,
        category=row["category"],
        reason=row["reason"],
        priority=found.priority,
        lane=found.lane,
        lane_title=found.rules.lane(found.lane).title,
        owner_id=found.owner_id,
        owner=more.owner,
        state=found.state,
        danger=found.danger,
        unscreened=bool(row["unscreened"]),
        opened_at=row["opened_at"],
        waiting_since=row["waiting_since"],
        due_at=row["due_at"],
        first_response_at=row["first_response_at"],
        snoozed_until=row["snoozed_until"],
        snooze_holds=found.state is State.SNOOZED and bool(row["snooze_holds"]),
        follow_up_at=row["follow_up_at"],
        sends_at=sends_at,
        outcome=row["outcome"],
        closed_at=row["closed_at"],
        next_owner=_next_owner(found, more.owner),
        next_action=unit.open(more.next_action),
        clock=clock,
        clock_at=clock_at,
        version=row["version"],
        follows_id=row["follows_id"],
        merged_into_id=row["merged_into_id"],
        newest_message_id=newest_of(more),
        messages=thread,
        escalated_by_me=is_raised_by(unit.actor.staff_id, more),
    )


@needs(Permission.CONVERSATION_READ)
def why_here(unit: ReadUnit, conversation_id: int, zone: tzinfo | None = None) -> list[str]:
    """Why it lies where it lies: the routing's trace, then every step since, as sentences; times in `zone`, or UTC."""
    current(unit, conversation_id, lock=False)
    trace = unit.scalar(select(Conversation.trace).where(Conversation.id == conversation_id))
    stored = unit.open(trace)
    lines = explain(trace_of(stored)) if stored else []
    for step in _steps(unit, conversation_id):
        moved = f" {step.from_lane} → {step.to_lane}" if step.from_lane and step.from_lane != step.to_lane else ""
        reason = f", {step.reason}" if step.reason else ""
        words = f": {step.words}" if step.words else ""
        at = f"{step.at:%Y-%m-%d %H:%M}Z" if zone is None else f"{step.at.astimezone(zone):%Y-%m-%d %H:%M}"
        lines.append(f"{at} {step.verb} by {step.by}{moved}{reason}{words}")
    return lines


def _steps(unit: ReadUnit, conversation_id: int) -> list[StepView]:
    rows = unit.execute(
        select(Step.at, Step.verb, Step.from_lane, Step.to_lane, Step.to_state, Step.reason, Step.words, Staff.name)
        .outerjoin(Staff, Staff.id == Step.actor_id)
        .where(Step.conversation_id == conversation_id)
        .order_by(Step.id)
    )
    return [
        StepView(
            at=row.at,
            verb=row.verb,
            by=row.name or "the system",
            from_lane=row.from_lane,
            to_lane=row.to_lane,
            to_state=row.to_state,
            reason=row.reason,
            words=unit.open(row.words),
        )
        for row in rows
    ]


def _thread(unit: ReadUnit, conversation_id: int, row: Any) -> tuple[datetime | None, tuple[MessageView, ...]]:
    """When an answer is set to go, and the thread by the time of each."""
    messages = unit.execute(_messages(Message.conversation_id == conversation_id)).all()
    first_at = min((message.at for message in messages), default=row["opened_at"])
    beside = unit.execute(_messages(said_apart(row, first_at, unit.now))).all()
    notes = unit.execute(
        select(Note.id, Note.at, Note.body, Staff.name.label("author"))
        .join(Staff, Staff.id == Note.author_id)
        .where(Note.conversation_id == conversation_id)
    )
    files = attachments_of(unit, [message.id for message in messages if message.attachments])
    views = [
        *(_message_view(unit, message, files.get(message.id, ())) for message in messages),
        *(_message_view(unit, message, (), apart=True) for message in beside),
        *(_note_view(unit, note) for note in notes),
    ]
    planned = (one.planned_at for one in messages if one.state is Delivery.QUEUED and one.planned_at is not None)
    return min(planned, default=None), tuple(sorted(views, key=lambda view: (view.at, view.internal, view.id)))


def _messages(which: ColumnElement[bool]) -> Select[Any]:
    return (
        select(*_MESSAGE)
        .outerjoin(Staff, Staff.id == Message.author_id)
        .outerjoin(Outbox, Outbox.message_id == Message.id)
        .where(which)
    )


def _message_view(unit: ReadUnit, row: Any, files: tuple[AttachmentView, ...], *, apart: bool = False) -> MessageView:
    body = unit.open(row.body) or Shown("")
    return MessageView(
        id=row.id,
        kind=row.kind,
        direction=row.direction,
        channel=row.channel,
        at=row.at,
        author=row.author,
        body=body,
        subject=unit.open(row.subject),
        delivery=row.state,
        why=why_sentences(row.why, row.failure, row.reported) if row.why else (),
        screened=row.screened,
        hidden=row.hidden,
        attachments=row.attachments,
        call_outcome=row.call_outcome,
        files=files,
        folds=folds(body) if row.direction is Direction.IN else (),
        call_reason=row.call_reason,
        next_call_at=row.next_call_at,
        failure=row.failure,
        reported=row.reported,
        apart=apart,
    )


def _note_view(unit: ReadUnit, row: Any) -> MessageView:
    return MessageView(
        id=row.id,
        kind=None,
        direction=None,
        channel=None,
        at=row.at,
        author=row.author,
        body=unit.open(row.body) or Shown(""),
        subject=None,
        delivery=None,
        why=(),
        screened=Screened.NOT_NEEDED,
        hidden=0,
        attachments=0,
        call_outcome=None,
    )


def _next_owner(found: Current, owner: str | None) -> str:
    if found.state is State.CLOSED:
        return "nobody"
    if found.state is State.WAITING_PATIENT:
        return "the patient"
    return owner or f"anyone in {found.rules.lane(found.lane).title}"


def _clock(row: Any, sends_at: datetime | None) -> tuple[str, datetime | None]:
    """The one clock or date that says when this comes up again."""
    match State(row["state"]):
        case State.CLOSED:
            return "closed", row["closed_at"]
        case State.SNOOZED:
            held = ", even if they reply," if row["snooze_holds"] else ""
            return f"snoozed{held} until", row["snoozed_until"]
        case State.WAITING_OTHER if sends_at is not None:
            return "sends", sends_at
        case State.WAITING_PATIENT | State.WAITING_OTHER:
            return "follow up", row["follow_up_at"]
    resolution = row["due_clock"] == ClockKind.RESOLUTION
    dates = [("resolve by" if resolution else "answer due", row["due_at"]), ("follow up", row["follow_up_at"])]
    stated = [(name, at) for name, at in dates if at is not None]
    return min(stated, key=lambda each: each[1], default=("waiting since", row["waiting_since"]))
