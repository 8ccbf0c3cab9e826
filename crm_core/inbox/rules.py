"""The inbox's part of the playbook in force, compiled once per version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_core.access.model import Actor
from crm_core.errors import NotFound, UsageError
from crm_core.hours.calendar import Calendar
from crm_core.hours.arithmetic import add
from crm_core.inbox.model import END_OF_TIME, urgency_of
from crm_core.inbox.routing import Rules, compile_rules
from crm_core.inbox.section import (
    CategoriesSection,
    Category,
    Lane,
    LanesSection,
    OutcomesSection,
    RoutingSection,
    WordsSection,
)
from crm_core.playbook.calendars import CalendarsSection
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.loader import Playbook
from crm_core.playbook.service import in_force
from crm_core.words import Priority
from crm_core.work.units import ReadUnit

DANGER_LANE = "clinical_triage"
PHYSICIAN_LANE = "physician_review"
ACKNOWLEDGE_WITHIN = timedelta(minutes=15)
"""Round the clock (domain.md, Danger first)."""
FOLLOW_UP_AFTER = timedelta(hours=16)
"""Working time after which a conversation that waits on someone comes back: two working days."""
REOPEN_WITHIN = timedelta(hours=40)
"""Working time within which a new text reopens a closed conversation: five working days."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """When an answer is due, and when it is overdue by a full target."""

    due_at: datetime
    late_at: datetime


@dataclass(frozen=True, kw_only=True)
class InboxRules:
    """Lanes, categories, outcomes, compiled routing rules and calendars of one playbook version."""

    version: int
    clinic: ClinicSection
    lanes: LanesSection
    categories: CategoriesSection
    outcomes: OutcomesSection
    routing: Rules
    calendars: dict[str, Calendar]

    def lane(self, key: str) -> Lane:
        """The lane of that key; NotFound otherwise."""
        found = self.lanes.lane.get(key)
        if found is None:
            raise NotFound(kind="lane", id=key)
        return found

    def category(self, key: str) -> Category:
        """The category of that key; NotFound otherwise."""
        found = self.categories.category.get(key)
        if found is None:
            raise NotFound(kind="category", id=key)
        return found

    def calendar(self, lane: str) -> Calendar:
        """The calendar in which that lane's clocks run."""
        return self.calendars[self.lane(lane).calendar]

    def response_clock(self, lane: str, priority: Priority, since: datetime) -> Clock:
        """The response clock of a text that came at `since`."""
        calendar, target = self.calendar(lane), self.lane(lane).target(priority)
        due_at = add(calendar, since, target)
        return Clock(due_at=due_at, late_at=add(calendar, due_at, target))

    def follow_up(self, lane: str, since: datetime) -> datetime:
        """When a conversation that began to wait on someone at `since` comes back."""
        return add(self.calendar(lane), since, FOLLOW_UP_AFTER)

    def reopens_until(self, lane: str, closed_at: datetime) -> datetime:
        """Until when a new text reopens what was closed at `closed_at`."""
        return add(self.calendar(lane), closed_at, REOPEN_WITHIN)

    def visible(self, actor: Actor) -> frozenset[str]:
        """The lanes this actor may see: those of its roles, narrowed to the lanes it works."""
        if actor.staff_id == 0:
            return frozenset(self.lanes.lane)
        by_role = self.lanes.visible_to(actor.roles)
        return by_role if actor.lanes is None else by_role & actor.lanes


def clock_columns(clock: Clock | None) -> dict[str, datetime | None]:
    """The three columns that hold a conversation's running clock, or none."""
    if clock is None:
        return {"due_at": None, "late_at": None, "due_order": END_OF_TIME}
    return {"due_at": clock.due_at, "late_at": clock.late_at, "due_order": clock.due_at}


def urgency_at(priority: Priority, late_at: datetime | None, now: datetime, *, danger: bool = False) -> int:
    """The working order's first key at `now`."""
    return urgency_of(priority, danger=danger, late=late_at is not None and late_at <= now)


def coded(table: dict[str, object], code: str, what: str) -> str:
    """`code`, if the playbook lists it; a usage error that names the choices otherwise."""
    if code not in table:
        raise UsageError(problem=f"{code} is not a {what} of this playbook", remedy="choose one of " + ", ".join(table))
    return code


def inbox_rules(unit: ReadUnit) -> InboxRules:
    """The rules of the playbook in force; compiled at its first use in this process."""
    playbook = in_force(unit)
    cached: InboxRules | None = unit.shared.get("inbox.rules")
    if cached is None or cached.version != playbook.version:
        cached = compile_inbox(playbook)
        unit.shared["inbox.rules"] = cached
    return cached


def compile_inbox(playbook: Playbook) -> InboxRules:
    """The inbox's rules of a checked playbook."""
    categories = playbook.section(CategoriesSection)
    calendars = playbook.section(CalendarsSection)
    lanes = playbook.section(LanesSection)
    return InboxRules(
        version=playbook.version,
        clinic=playbook.section(ClinicSection),
        lanes=lanes,
        categories=categories,
        outcomes=playbook.section(OutcomesSection),
        routing=compile_rules(playbook.section(WordsSection), categories, playbook.section(RoutingSection)),
        calendars={lane.calendar: calendars.named(lane.calendar) for lane in lanes.lane.values()},
    )
