"""How a complaint ends: with its category, the date of the answer, and a written reply where it took longer than a day.

A complaint settled on the day on which it came is settled. One that is not is a grievance, and
its answer is in writing (domain.md, Complaints). Days are the clinic's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, insert, or_, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.model import Delivery, Direction, MessageKind
from crm_core.channels.tables import Message, Outbox
from crm_core.errors import CrmError, UsageError
from crm_core.inbox.record import Current, current
from crm_core.inbox.rules import coded
from crm_core.inbox.tables import STANDS, Complaint, Step
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Shown
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, WriteUnit

COMPLAINT_CATEGORY = "complaint"
COMPLAINT_LANE = "complaints"
_ON_ITS_WAY = (Delivery.QUEUED, Delivery.SENDING, Delivery.SENT)


class ComplaintUnsettled(CrmError):
    """C-{conversation_id} is a complaint and stays open: {missing}."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True)
class ComplaintEnd:
    """What a person says when they close a complaint: what it was about, and when it was answered."""

    category: str
    answered_on: date


@dataclass(frozen=True, kw_only=True)
class ComplaintView:
    """How a complaint ended, while it is closed."""

    category: str
    title: str
    came_on: date
    answered_on: date
    grievance: bool
    outcome: str
    words: Shown | None


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A complaint that may be closed; `reply_id` is the written answer that a grievance needs."""

    end: ComplaintEnd
    came_at: datetime
    grievance: bool
    reply_id: int | None


def is_complaint(category: str, lane: str) -> bool:
    """Whether a conversation of that category in that lane is one."""
    return category == COMPLAINT_CATEGORY or lane == COMPLAINT_LANE


def settled(unit: ReadUnit, conversation: Current, end: ComplaintEnd | None) -> Settled | None:
    """Judge whether this may be closed with `end`; None for what is no complaint.

    Raises ComplaintUnsettled, naming all that is missing, and UsageError for a date or a
    category that cannot be.
    """
    number, rules = conversation.id, conversation.rules
    if not is_complaint(conversation.row["category"], conversation.lane):
        if end is not None:
            raise UsageError(problem=f"C-{number} is no complaint", remedy="close it with its outcome alone")
        return None
    zone, came_at = rules.clinic.zone, _came_at(unit, conversation)
    came_on, today = came_at.astimezone(zone).date(), unit.now.astimezone(zone).date()
    grievance = today > came_on
    reply_id = _written_reply(unit, number, came_at) if grievance else None
    missing = []
    if end is None:
        missing.append("say what it was about and on which date it was answered")
    if grievance and reply_id is None:
        missing.append(f"it came on {came_on}, an earlier day than today, so send a written reply first")
    if end is not None:
        coded(dict(rules.outcomes.complaint), end.category, "complaint category")
        _answered_between(end.answered_on, came_on, today)
    if end is None or missing:
        raise ComplaintUnsettled(conversation_id=number, missing=", and ".join(missing))
    return Settled(end=end, came_at=came_at, grievance=grievance, reply_id=reply_id)


def keep(
    unit: WriteUnit, conversation: Current, how: Settled, *, step_id: int, outcome: str, words: str | None
) -> None:
    """Write down how a complaint ended, beside the step that closed it."""
    row = {
        "id": unit.new_id("complaint"),
        "conversation_id": conversation.id,
        "step_id": step_id,
        "category": how.end.category,
        "came_at": how.came_at,
        "answered_on": how.end.answered_on,
        "grievance": how.grievance,
        "reply_id": how.reply_id,
        "outcome": outcome,
        "words_sealed": unit.seal(Field.COMPLAINT_WORDS, conversation.id, words),
    }
    unit.execute(insert(Complaint.__table__), [row])  # type: ignore[arg-type]


def rests_on(unit: ReadUnit, message_id: int) -> bool:
    """Whether a closed grievance counts this message as its written reply."""
    held = select(Complaint.id).where(Complaint.reply_id == message_id, STANDS)
    return unit.scalar(held) is not None


@needs(Permission.CONVERSATION_READ)
def complaint_of(unit: ReadUnit, conversation_id: int) -> ComplaintView | None:
    """How this conversation ended as a complaint; None while it is open, or where it was none."""
    conversation = current(unit, conversation_id, lock=False)
    columns = (Complaint.category, Complaint.came_at, Complaint.answered_on, Complaint.grievance, Complaint.outcome)
    row = unit.execute(
        select(*columns, Complaint.words).where(Complaint.conversation_id == conversation_id, STANDS)
    ).one_or_none()
    if row is None:
        return None
    known = conversation.rules.outcomes.complaint.get(row.category)
    return ComplaintView(
        category=row.category,
        title=known.title if known is not None else row.category,
        came_on=row.came_at.astimezone(conversation.rules.clinic.zone).date(),
        answered_on=row.answered_on,
        grievance=row.grievance,
        outcome=row.outcome,
        words=unit.open(row.words),
    )


@needs(Permission.CONVERSATION_READ)
def complaint_sentences(unit: ReadUnit, conversation_id: int) -> Sequence[str]:
    """The same in words, for whoever asks why; none for what is no closed complaint."""
    found = complaint_of(unit, conversation_id)
    if found is None:
        return ()
    how = "a grievance, with a written reply" if found.grievance else "settled on the day it came"
    return (f"Complaint of {found.came_on}: {found.title}; answered {found.answered_on}, {how}",)


def _came_at(unit: ReadUnit, conversation: Current) -> datetime:
    """When the patient complained: with the first text, or the last before someone saw that it is a complaint."""
    opened_at: datetime = conversation.row["opened_at"]
    if conversation.row["category"] == COMPLAINT_CATEGORY:
        return opened_at
    seen_at = unit.scalar(
        select(func.min(Step.at)).where(
            Step.conversation_id == conversation.id, Step.to_lane == COMPLAINT_LANE, Step.from_lane != COMPLAINT_LANE
        )
    )
    if seen_at is None:
        return opened_at
    last = select(Message.at).where(
        Message.conversation_id == conversation.id, Message.direction == Direction.IN, Message.at <= seen_at
    )
    said_at: datetime | None = unit.scalar(last.order_by(Message.at.desc()).limit(1))
    return said_at or opened_at


def _written_reply(unit: ReadUnit, conversation_id: int, came_at: datetime) -> int | None:
    """The first text that a person wrote since, on a channel that is read, which has left or is leaving.

    What is set for later has not been said, and may be taken back until then.
    """
    written = (
        select(Message.id)
        .join(Outbox, Outbox.message_id == Message.id)
        .where(
            Message.conversation_id == conversation_id,
            Message.direction == Direction.OUT,
            Message.kind == MessageKind.TEXT,
            Message.author_id.is_not(None),
            Message.channel != Channel.VOICE,
            Message.at >= came_at,
            Outbox.state.in_(_ON_ITS_WAY),
            or_(Outbox.planned_at.is_(None), Outbox.state != Delivery.QUEUED),
        )
    )
    found: int | None = unit.scalar(written.order_by(Message.at, Message.id).limit(1))
    return found


def _answered_between(answered_on: date, came_on: date, today: date) -> None:
    if answered_on > today:
        raise UsageError(problem=f"{answered_on} has not come yet", remedy="give the date on which it was answered")
    if answered_on < came_on:
        raise UsageError(
            problem=f"On {answered_on} this complaint had not come yet", remedy=f"give a date from {came_on} on"
        )
