"""A filter's terms as conditions on the conversation's own columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select, true

from crm_core.access.tables import STAFF
from crm_core.inbox.lists.filters import STATES, BadFilter, FieldTerm, Filter, Is, Name, SpanTerm
from crm_core.inbox.model import Mark, State
from crm_core.inbox.rules import InboxRules
from crm_core.inbox.tables import ClockMark, Conversation
from crm_core.patients.tables import PATIENT
from crm_core.work.units import ReadUnit

ME = "me"
NOBODY = ("none", "nobody")
"""What is typed for an owner that is not there: the word of the language, and the one that lists show."""

_people = PATIENT.alias()
"""Not the patients of the lines that are shown."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks, when, and the numbers of the accounts that the filter names."""

    me: int
    now: datetime
    logins: Mapping[str, int]

    def person(self, value: str) -> int:
        """`me` or a login, as an account's number."""
        return self.me if value == ME else self.logins[value]


def conditions(unit: ReadUnit, sought: Filter, rules: InboxRules) -> list[ColumnElement[bool]]:
    """A condition for each term that the columns answer; BadFilter for a lane, category or login that is not there."""
    _known(unit, sought, rules)
    asking = Asking(me=unit.actor.staff_id, now=unit.now, logins=_logins(unit, sought))
    return [_condition(term, asking) for term in sought.structural]


def _known(unit: ReadUnit, sought: Filter, rules: InboxRules) -> None:
    allowed = {Name.LANE: sorted(rules.visible(unit.actor)), Name.CATEGORY: sorted(rules.categories.category)}
    for term in sought.structural:
        if not isinstance(term, FieldTerm) or term.name not in allowed:
            continue
        for value in term.values:
            if value not in allowed[term.name]:
                raise BadFilter(
                    problem=f"{term.name}: cannot be {value}", remedy=f"it may be {', '.join(allowed[term.name])}"
                )


def _logins(unit: ReadUnit, sought: Filter) -> dict[str, int]:
    """The numbers of the accounts named; one statement where there are any."""
    people = (Name.OWNER, Name.ESCALATED)
    named = [
        value
        for term in sought.structural
        if isinstance(term, FieldTerm) and term.name in people
        for value in term.values
        if value != ME and not (value in NOBODY and term.name is Name.OWNER)
    ]
    if not named:
        return {}
    found = {
        row.login: row.id for row in unit.execute(select(STAFF.c.login, STAFF.c.id).where(STAFF.c.login.in_(named)))
    }
    for login in named:
        if login not in found:
            raise BadFilter(problem=f"There is no account {login}", remedy="`crm staff list` shows the logins")
    return found


def _condition(term: FieldTerm | SpanTerm, asking: Asking) -> ColumnElement[bool]:
    asked = _span(term, asking) if isinstance(term, SpanTerm) else _FIELDS[term.name](term.values, asking)
    # What the column does not say counts as no, so that a term and its negation share out everything.
    return asked.is_not(true()) if term.negated else asked


def _span(term: SpanTerm, asking: Asking) -> ColumnElement[bool]:
    if term.name is Name.DUE:
        column, at = Conversation.due_at, asking.now + term.span
        return column < at if term.less else column > at
    since = asking.now - term.span
    return Conversation.waiting_since > since if term.less else Conversation.waiting_since < since


def _owner(values: tuple[str, ...], asking: Asking) -> ColumnElement[bool]:
    people = [asking.person(value) for value in values if value not in NOBODY]
    unowned = [Conversation.owner_id.is_(None)] if set(values) & set(NOBODY) else []
    return or_(*unowned, Conversation.owner_id.in_(people))


def _escalated(values: tuple[str, ...], asking: Asking) -> ColumnElement[bool]:
    return and_(_UNACCEPTED, Conversation.escalated_by.in_([asking.person(value) for value in values]))


def _states(values: tuple[str, ...], _: Asking) -> ColumnElement[bool]:
    return Conversation.state.in_([state for value in values for state in STATES[value]])


def _is(values: tuple[str, ...], asking: Asking) -> ColumnElement[bool]:
    return or_(*(_QUALITIES[Is(value)](asking) for value in values))


def _patient(values: tuple[str, ...], _: Asking) -> ColumnElement[bool]:
    """The record of that number, or the one it was merged into."""
    numbers = [_number(value) for value in values]
    merged = select(_people.c.merged_into_id).where(_people.c.id.in_(numbers), _people.c.merged_into_id.is_not(None))
    return or_(Conversation.patient_id.in_(numbers), Conversation.patient_id.in_(merged))


def _language(values: tuple[str, ...], _: Asking) -> ColumnElement[bool]:
    """`es` is es-MX too, as the patient's record has it."""
    spoken = or_(*(or_(_people.c.language == one, _people.c.language.ilike(f"{one}-%")) for one in values))
    return exists(select(_people.c.id).where(_people.c.id == Conversation.patient_id, spoken))


def _warned(_: Asking) -> ColumnElement[bool]:
    return exists(
        select(ClockMark.id).where(
            ClockMark.conversation_id == Conversation.id,
            ClockMark.mark == Mark.WARNED,
            ClockMark.clock == Conversation.due_clock,
            ClockMark.due_at == Conversation.due_at,
        )
    )


def _number(value: str) -> int:
    return int(value.partition("-")[2])


_UNACCEPTED = and_(Conversation.escalated_by.is_not(None), Conversation.accepted_at.is_(None))
"""An escalation is its asker's until it is accepted (console.md)."""

_QUALITIES: Mapping[Is, Callable[[Asking], ColumnElement[bool]]] = {
    Is.DANGER: lambda _: Conversation.danger.is_(true()),
    Is.UNSCREENED: lambda _: Conversation.unscreened.is_(true()),
    Is.OVERDUE: lambda asking: Conversation.due_order < asking.now,
    Is.SNOOZED: lambda _: Conversation.state == State.SNOOZED,
    Is.ESCALATED: lambda _: _UNACCEPTED,
    Is.UNOWNED: lambda _: Conversation.owner_id.is_(None),
    Is.WARNED: _warned,
}

_FIELDS: Mapping[Name, Callable[[tuple[str, ...], Asking], ColumnElement[bool]]] = {
    Name.OWNER: _owner,
    Name.LANE: lambda values, _: Conversation.lane.in_(values),
    Name.STATE: _states,
    Name.PRIORITY: lambda values, _: Conversation.priority.in_(values),
    Name.CATEGORY: lambda values, _: Conversation.category.in_(values),
    Name.CHANNEL: lambda values, _: Conversation.channel.in_(values),
    Name.IS: _is,
    Name.ESCALATED: _escalated,
    Name.PATIENT: _patient,
    Name.LANGUAGE: _language,
    Name.CONVERSATION: lambda values, _: Conversation.id.in_([_number(value) for value in values]),
}
