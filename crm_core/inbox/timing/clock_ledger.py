"""How a conversation's clocks were counted: every stretch of time, and why it did or did not count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.hours.calendar import Calendar
from crm_core.hours.ledger import Kind, Segment, segments
from crm_core.inbox.model import Mark
from crm_core.inbox.record import Current, current
from crm_core.inbox.rules import ACKNOWLEDGE_WITHIN
from crm_core.inbox.tables import UNACKNOWLEDGED, Alarm, ClockMark
from crm_core.inbox.timing.clocks import Run, runs
from crm_core.inbox.timing.counting import life_of
from crm_core.work.units import ReadUnit

ACKNOWLEDGE = "acknowledge"
"""The clock of an unacknowledged danger: round the clock, whatever the lane's hours."""


@dataclass(frozen=True, kw_only=True)
class ClockLedger:
    """One clock with its sum: the lengths of the counted segments add up to `counted`.

    `until` is when it ended, or now. `due_at` is None while the clock stands still. `warned_at`
    and `breached_at` say when that was recorded. `zone` is the calendar's, in which its hours
    are read.
    """

    clock: str
    calendar: str
    zone: ZoneInfo
    since: datetime
    until: datetime
    target: timedelta
    counted: timedelta
    running: bool
    met: bool
    due_at: datetime | None
    warned_at: datetime | None
    breached_at: datetime | None
    segments: tuple[Segment, ...]

    @property
    def left(self) -> timedelta:
        """Of the target; negative once it is overdue."""
        return self.target - self.counted


@needs(Permission.CONVERSATION_READ)
def clock_ledgers(unit: ReadUnit, conversation_id: int) -> list[ClockLedger]:
    """Every clock the conversation has had, in the order they began; three statements, nothing opened."""
    conversation = current(unit, conversation_id, lock=False)
    row, rules = conversation.row, conversation.rules
    life = life_of(unit, conversation.id, row["opened_at"])
    calendar, targets = rules.calendar(conversation.lane), rules.targets(conversation.lane, conversation.priority)
    marks = _marks(unit, conversation_id)
    told = [
        _ledger(unit, run, calendar, segments(calendar, run.since, run.ended_at or unit.now, life.pauses), marks)
        for run in runs(calendar, targets, life, ended=True)
    ]
    return [*_acknowledgement(unit, conversation), *told]


_Marks = dict[tuple[str, datetime, Mark], datetime]


def _marks(unit: ReadUnit, conversation_id: int) -> _Marks:
    rows = unit.execute(
        select(ClockMark.clock, ClockMark.since, ClockMark.mark, ClockMark.marked_at).where(
            ClockMark.conversation_id == conversation_id
        )
    )
    return {(row.clock, row.since, row.mark): row.marked_at for row in rows}


def _ledger(unit: ReadUnit, run: Run, calendar: Calendar, stretches: list[Segment], marks: _Marks) -> ClockLedger:
    return ClockLedger(
        clock=run.kind.value,
        calendar=calendar.name,
        zone=calendar.zone,
        since=run.since,
        until=run.ended_at or unit.now,
        target=run.target,
        counted=_sum(stretches),
        running=run.ended_at is None,
        met=run.met,
        due_at=run.due_at,
        warned_at=marks.get((run.kind, run.since, Mark.WARNED)),
        breached_at=marks.get((run.kind, run.since, Mark.BREACHED)),
        segments=tuple(stretches),
    )


def _acknowledgement(unit: ReadUnit, conversation: Current) -> list[ClockLedger]:
    """The oldest unacknowledged alarm's clock; nothing where there is none."""
    alarm = unit.execute(
        select(Alarm.raised_at, Alarm.ack_due_at)
        .where(Alarm.conversation_id == conversation.id, UNACKNOWLEDGED)
        .order_by(Alarm.raised_at)
        .limit(1)
    ).first()
    if alarm is None:
        return []
    always = Calendar.always(conversation.rules.clinic.zone)
    stretches = segments(always, alarm.raised_at, unit.now)
    return [
        ClockLedger(
            clock=ACKNOWLEDGE,
            calendar=always.name,
            zone=always.zone,
            since=alarm.raised_at,
            until=unit.now,
            target=ACKNOWLEDGE_WITHIN,
            counted=_sum(stretches),
            running=True,
            met=False,
            due_at=alarm.ack_due_at,
            warned_at=None,
            breached_at=None,
            segments=tuple(stretches),
        )
    ]


def _sum(stretches: list[Segment]) -> timedelta:
    return sum((each.length for each in stretches if each.kind is Kind.COUNTED), timedelta())
