"""The inbox's part of the playbook in force, compiled once per version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property

from crm_core.access.model import Actor, Permission
from crm_core.access.needs import needs
from crm_core.errors import NotFound, UsageError
from crm_core.hours.arithmetic import next_open
from crm_core.hours.calendar import Calendar
from crm_core.inbox.playbook.section import (
    CategoriesSection,
    Category,
    Lane,
    LanesSection,
    OutcomesSection,
    RoutingSection,
    SegmentsSection,
    WordsSection,
)
from crm_core.inbox.routing.deciding import Rules, compile_rules
from crm_core.inbox.timing.clocks import Targets
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
FOLLOW_UP_DAYS = 2
"""Working days after which a conversation that waits on someone comes back."""
REOPEN_DAYS = 5
"""Working days within which a new text reopens a closed conversation (domain.md, Reopening)."""
_READ_IT = "Read it, then answer or move it to its lane"


@dataclass(frozen=True, kw_only=True)
class InboxRules:
    """Lanes, categories, outcomes, routing rules and calendars of one playbook version."""

    version: int
    clinic: ClinicSection
    lanes: LanesSection
    categories: CategoriesSection
    outcomes: OutcomesSection
    calendars: dict[str, Calendar]
    playbook: Playbook

    @cached_property
    def routing(self) -> Rules:
        """The compiled routing rules; made when a text is first routed, as a console that shows a queue needs none."""
        words, routing = self.playbook.section(WordsSection), self.playbook.section(RoutingSection)
        return compile_rules(words, self.categories, routing, self.playbook.section(SegmentsSection))

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

    def first_action(self, category: str) -> str:
        """What someone should do first about a conversation of that category, even of one no longer listed."""
        found = self.categories.category.get(category)
        return found.next_action if found else _READ_IT

    def calendar(self, lane: str) -> Calendar:
        """The calendar in which that lane's clocks run."""
        return self.calendars[self._lane_or_catch_all(lane).calendar]

    def _lane_or_catch_all(self, key: str) -> Lane:
        """A newer playbook may have dropped the lane in which a conversation still lies."""
        return self.lanes.lane.get(key, self.lanes.catch_all)

    def targets(self, lane: str, priority: Priority) -> Targets:
        """The working time within which that lane's clocks are to end."""
        return self._lane_or_catch_all(lane).targets(priority)

    def follow_up(self, lane: str, since: datetime) -> datetime:
        """When a conversation that began to wait on someone at `since` comes back."""
        return working_days_after(self.calendar(lane), since, FOLLOW_UP_DAYS)

    def reopens_until(self, lane: str, closed_at: datetime) -> datetime:
        """Until when a new text reopens what was closed at `closed_at`."""
        return working_days_after(self.calendar(lane), closed_at, REOPEN_DAYS)

    def visible(self, actor: Actor) -> frozenset[str]:
        """The lanes this actor may see: those of its roles, narrowed to the lanes it works."""
        if actor.staff_id == 0:
            return frozenset(self.lanes.lane)
        by_role = self.lanes.visible_to(actor.roles)
        return by_role if actor.lanes is None else by_role & actor.lanes


def working_days_after(calendar: Calendar, start: datetime, days: int) -> datetime:
    """The same time of day, `days` working days on, however long each of them is.

    What starts outside working hours starts when they next begin: five days from a Saturday end
    when the Monday after the next begins.
    """
    begin = next_open(calendar, start).astimezone(calendar.zone)
    day = begin
    for _ in range(days):
        midnight = datetime.combine(day.date() + timedelta(days=1), time(), calendar.zone)
        day = next_open(calendar, midnight).astimezone(calendar.zone)
    return datetime.combine(day.date(), begin.timetz()).astimezone(UTC)


def coded(table: dict[str, object], code: str, what: str) -> str:
    """`code`, if the playbook lists it; a usage error that names the choices otherwise."""
    if code not in table:
        raise UsageError(problem=f"This playbook has no {what} {code}", remedy="choose one of " + ", ".join(table))
    return code


@needs(Permission.PLAYBOOK_READ)
def inbox_rules(unit: ReadUnit) -> InboxRules:
    """The rules of the playbook in force; compiled at its first use in this process."""
    playbook = in_force(unit)
    cached: InboxRules | None = unit.shared.get("inbox.rules")
    # By the object, not the number: a unit may have compiled a version of its own and rolled back.
    if cached is None or cached.playbook is not playbook:
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
        calendars={lane.calendar: calendars.named(lane.calendar) for lane in lanes.lane.values()},
        playbook=playbook,
    )
