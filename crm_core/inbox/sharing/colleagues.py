"""The people among whom work is shared out: which lanes they work, whether they are there, how much they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from crm_core.access.model import Actor, Permission, Role
from crm_core.access.needs import needs
from crm_core.access.tables import Staff, StaffAbsence, StaffLane, StaffRole
from crm_core.errors import CrmError, NotFound, UsageError
from crm_core.inbox.record import Current
from crm_core.inbox.rules import InboxRules, inbox_rules
from crm_core.inbox.tables import STILL_OPEN, Conversation
from crm_core.work.units import ReadUnit, WriteUnit


class Full(CrmError):
    """{name} holds {open} of {capacity} open conversations; choose another, or give it anyway."""


class Away(CrmError):
    """{name} is absent until {until}{substitute}; choose another, or give it anyway."""


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """One account as the sharing out of work sees it; `absent_until` None for who is there."""

    id: int
    name: str
    active: bool
    actor: Actor
    capacity: int | None
    absent_until: datetime | None
    substitute_id: int | None

    def works(self, rules: InboxRules, lane: str) -> bool:
        """Whether this person, by roles and lanes, works that lane."""
        return lane in rules.visible(self.actor)

    def is_full(self, held: int) -> bool:
        """Whether nothing more may be given to who holds so many."""
        return self.capacity is not None and held >= self.capacity


@dataclass(frozen=True, kw_only=True)
class ColleagueView:
    """One person to whom something may be given; `works` where all the lanes in question are theirs."""

    id: int
    name: str
    works: bool
    held: int
    capacity: int | None
    absent_until: datetime | None

    @property
    def is_full(self) -> bool:
        """Whether they hold as much as may be given to them."""
        return self.capacity is not None and self.held >= self.capacity


@needs(Permission.STAFF_READ)
def who_may_take(unit: ReadUnit, lanes: Collection[str]) -> list[ColleagueView]:
    """The active accounts with what they hold, by name: first those who work all of these lanes."""
    rules = inbox_rules(unit)
    active = {number: one for number, one in colleagues(unit).items() if one.active}
    held = held_by(unit, active)
    views = [
        ColleagueView(
            id=one.id,
            name=one.name,
            works=all(one.works(rules, lane) for lane in lanes),
            held=held[one.id],
            capacity=one.capacity,
            absent_until=one.absent_until,
        )
        for one in active.values()
    ]
    return sorted(views, key=lambda one: (not one.works, one.name.casefold(), one.id))


def colleagues(unit: ReadUnit, among: Collection[int] | None = None) -> dict[int, Colleague]:
    """The accounts of these ids, or all, by id. Four statements."""

    def those(statement: Any, column: Any) -> Any:
        return statement if among is None else statement.where(column.in_(sorted(among)))

    roles: defaultdict[int, set[Role]] = defaultdict(set)
    for row in unit.execute(those(select(StaffRole.staff_id, StaffRole.role), StaffRole.staff_id)):
        roles[row.staff_id].add(Role(row.role))
    lanes: defaultdict[int, set[str]] = defaultdict(set)
    for row in unit.execute(those(select(StaffLane.staff_id, StaffLane.lane), StaffLane.staff_id)):
        lanes[row.staff_id].add(row.lane)
    now = select(StaffAbsence.staff_id, StaffAbsence.ends_at, StaffAbsence.substitute_id).where(
        StaffAbsence.ends_at > unit.now, StaffAbsence.starts_at <= unit.now
    )
    away = {row.staff_id: row for row in unit.execute(those(now, StaffAbsence.staff_id))}
    accounts = those(select(Staff.id, Staff.name, Staff.active, Staff.capacity).order_by(Staff.id), Staff.id)
    return {
        row.id: Colleague(
            id=row.id,
            name=row.name,
            active=row.active,
            actor=Actor.with_roles(row.id, row.name, frozenset(roles[row.id]), frozenset(lanes[row.id]) or None),
            capacity=row.capacity,
            absent_until=away[row.id].ends_at if row.id in away else None,
            substitute_id=away[row.id].substitute_id if row.id in away else None,
        )
        for row in unit.execute(accounts)
    }


def held_by(unit: ReadUnit, among: Collection[int]) -> dict[int, int]:
    """How many open conversations each of these people owns; what waits or is snoozed counts, as in the lanes."""
    counted = unit.execute(
        select(Conversation.owner_id, func.count().label("held"))
        .where(STILL_OPEN, Conversation.owner_id.in_(sorted(among)))
        .group_by(Conversation.owner_id)
    )
    found = {row.owner_id: row.held for row in counted}
    return {staff_id: found.get(staff_id, 0) for staff_id in among}


def lock_accounts(unit: WriteUnit, people: Iterable[Colleague]) -> None:
    """Hold these accounts, in the order of their ids, until the unit ends: what they hold is counted after that.

    SQLite has one writer at a time and needs none of it.
    """
    if unit.dialect == "postgresql":
        numbers = sorted(one.id for one in people)
        held = select(Staff.id).where(Staff.id.in_(numbers)).order_by(Staff.id)
        unit.execute(held.with_for_update(key_share=True))


def worker(unit: ReadUnit, conversation: Current, staff_id: int) -> Colleague:
    """That person, if active and working the conversation's lane; says which of the two is not so."""
    found = colleagues(unit, [staff_id]).get(staff_id)
    if found is None:
        raise NotFound(kind="staff account", id=staff_id)
    if not found.active:
        raise UsageError(problem="That account is not active", remedy="choose someone who works here")
    if not found.works(conversation.rules, conversation.lane):
        problem = f"That account does not work lane {conversation.lane}"
        raise UsageError(problem=problem, remedy="choose someone who does")
    return found


def room_for_one_more(unit: WriteUnit, person: Colleague) -> None:
    """Refuse to give something to who is absent or holds as much as they may: Away, Full."""
    if person.absent_until is not None:
        instead = colleagues(unit, [person.substitute_id]) if person.substitute_id else {}
        names = "".join(f", {one.name} stands in" for one in instead.values())
        raise Away(name=person.name, until=f"{person.absent_until:%Y-%m-%d %H:%M}Z", substitute=names)
    lock_accounts(unit, [person])
    held = held_by(unit, [person.id])[person.id]
    if person.is_full(held):
        raise Full(name=person.name, open=held, capacity=person.capacity)


def may_have_danger(person: Colleague) -> bool:
    """Whether an unacknowledged danger may be this person's."""
    return person.actor.may(Permission.DANGER_ACT)
