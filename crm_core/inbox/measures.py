"""What the inbox did in a span of time, by channel, lane or owner: derived from messages and steps, kept nowhere.

First-contact resolution: closed as resolved after one staff contact (a text that was not stopped,
or a call that reached), and never reopened; a reopening takes it away, whenever it comes.
Response: of what began in the span, the working time to a person's first answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

from sqlalchemy import func, or_, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.channels.model import Delivery, Direction, MessageKind
from crm_core.channels.tables import Message, Outbox
from crm_core.errors import NotPermitted
from crm_core.hours.arithmetic import between
from crm_core.inbox.model import Mark, Verb
from crm_core.inbox.rules import InboxRules, inbox_rules
from crm_core.inbox.tables import CLOSED, ClockMark, Conversation, Step
from crm_core.words import Priority
from crm_core.work.units import ReadUnit

NOBODY = "nobody"
_MINUTE = timedelta(minutes=1)
_DID_NOT_LEAVE = (Delivery.TAKEN_BACK, Delivery.SUPPRESSED, Delivery.FAILED, Delivery.EXPIRED)


class By(StrEnum):
    """What the figures are told apart by."""

    CHANNEL = "channel"
    LANE = "lane"
    STAFF = "staff"


@dataclass(frozen=True, kw_only=True)
class Span:
    """From when (aware) until just before when."""

    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One group's figures; times are working minutes, None where nothing was answered.

    `closed` is still closed now, `resolved` of it with an outcome that resolves, `first_contact`
    of that at the first contact. `answered` is of what was `opened`, `in_time` of that within the
    first-response target.
    """

    group: str
    opened: int
    closed: int
    resolved: int
    first_contact: int
    answered: int
    in_time: int
    median_minutes: float | None
    p90_minutes: float | None
    warned: int
    breached: int

    @property
    def first_contact_share(self) -> float | None:
        """The share of what was resolved that one contact resolved."""
        return self.first_contact / self.resolved if self.resolved else None

    @property
    def in_time_share(self) -> float | None:
        """The share of the first answers that came within their target."""
        return self.in_time / self.answered if self.answered else None


@needs(Permission.PLAYBOOK_READ)
def week_of(unit: ReadUnit, day: date | None) -> Span:
    """The week, Monday to Sunday in the clinic's time, that holds `day`; this one where None."""
    zone = inbox_rules(unit).clinic.zone
    of = day or unit.now.astimezone(zone).date()
    monday = of - timedelta(days=of.weekday())
    return Span(
        since=datetime.combine(monday, time(), zone), until=datetime.combine(monday + timedelta(days=7), time(), zone)
    )


@needs(Permission.LANE_READ)
def measured(unit: ReadUnit, span: Span, by: By | None = None) -> tuple[Figures, ...]:
    """The figures of the lanes I may see: the whole first, then each group by name; three statements.

    Colleagues are told apart only for who may assign to them.
    """
    if by is By.STAFF and not unit.actor.may(Permission.CONVERSATION_ASSIGN):
        raise NotPermitted(action="see figures by person", permission=Permission.CONVERSATION_ASSIGN.value)
    rules = inbox_rules(unit)
    lanes = sorted(rules.visible(unit.actor))
    opened, closed, marks = _opened(unit, span, lanes), _closed(unit, span, lanes), _marks(unit, span, lanes)
    whole = _figures("all", rules, opened, closed, marks)
    if by is None:
        return (whole,)
    names = _names(unit) if by is By.STAFF else {}

    def group(row: Any) -> str:
        if by is By.STAFF:
            return names.get(row.owner_id, NOBODY)
        return str(row.channel.value if by is By.CHANNEL else row.lane)

    def of(rows: Iterable[Any], name: str) -> list[Any]:
        return [row for row in rows if group(row) == name]

    found = sorted({group(row) for rows in (opened, closed, marks) for row in rows})
    return (whole, *(_figures(name, rules, of(opened, name), of(closed, name), of(marks, name)) for name in found))


def _opened(unit: ReadUnit, span: Span, lanes: list[str]) -> list[Any]:
    return list(
        unit.execute(
            select(
                Conversation.channel, Conversation.lane, Conversation.owner_id, Conversation.priority,
                Conversation.opened_at, Conversation.first_response_at,
            ).where(
                Conversation.opened_at >= span.since,
                Conversation.opened_at < span.until,
                Conversation.lane.in_(lanes),
                Conversation.merged_into_id.is_(None),
            )
        )
    )  # fmt: skip


def _closed(unit: ReadUnit, span: Span, lanes: list[str]) -> list[Any]:
    contacts = (
        select(func.count())
        .select_from(Message)
        .outerjoin(Outbox, Outbox.message_id == Message.id)
        .where(
            Message.conversation_id == Conversation.id,
            or_(
                (Message.kind == MessageKind.TEXT)
                & (Message.direction == Direction.OUT)
                & (Outbox.state.is_(None) | Outbox.state.not_in(_DID_NOT_LEAVE)),
                (Message.kind == MessageKind.CALL) & Message.reached.is_(True),
            ),
        )
        .correlate(Conversation)
        .scalar_subquery()
    )
    reopened = (
        select(func.count())
        .select_from(Step)
        .where(Step.conversation_id == Conversation.id, Step.verb == Verb.REOPENED)
        .correlate(Conversation)
        .scalar_subquery()
    )
    return list(
        unit.execute(
            select(
                Conversation.channel, Conversation.lane, Conversation.owner_id, Conversation.outcome,
                contacts.label("contacts"), reopened.label("reopened"),
            ).where(
                CLOSED,
                Conversation.closed_at >= span.since,
                Conversation.closed_at < span.until,
                Conversation.lane.in_(lanes),
                Conversation.merged_into_id.is_(None),
            )
        )
    )  # fmt: skip


def _marks(unit: ReadUnit, span: Span, lanes: list[str]) -> list[Any]:
    return list(
        unit.execute(
            select(ClockMark.mark, ClockMark.lane, ClockMark.owner_id, Conversation.channel)
            .join(Conversation, Conversation.id == ClockMark.conversation_id)
            .where(ClockMark.marked_at >= span.since, ClockMark.marked_at < span.until, ClockMark.lane.in_(lanes))
        )
    )


def _names(unit: ReadUnit) -> Mapping[int | None, str]:
    return {row.id: row.name for row in unit.execute(select(Staff.id, Staff.name))}


def _figures(name: str, rules: InboxRules, opened: list[Any], closed: list[Any], marks: list[Any]) -> Figures:
    took = [(between(rules.calendar(row.lane), row.opened_at, row.first_response_at), _target(rules, row))
            for row in opened if row.first_response_at is not None]  # fmt: skip
    minutes = sorted(spent / _MINUTE for spent, _ in took)
    ends = rules.outcomes.close
    resolved = [row for row in closed if row.outcome in ends and ends[row.outcome].resolves]
    return Figures(
        group=name,
        opened=len(opened),
        closed=len(closed),
        resolved=len(resolved),
        first_contact=sum(row.contacts == 1 and not row.reopened for row in resolved),
        answered=len(took),
        in_time=sum(spent <= target for spent, target in took),
        median_minutes=_rounded(minutes, median),
        p90_minutes=_rounded(minutes, lambda sorted_: sorted_[math.ceil(0.9 * len(sorted_)) - 1]),
        warned=sum(row.mark is Mark.WARNED for row in marks),
        breached=sum(row.mark is Mark.BREACHED for row in marks),
    )


def _target(rules: InboxRules, row: Any) -> timedelta:
    return rules.targets(row.lane, Priority(row.priority)).first_response


def _rounded(minutes: list[float], of: Callable[[list[float]], float]) -> float | None:
    return round(of(minutes), 1) if minutes else None
