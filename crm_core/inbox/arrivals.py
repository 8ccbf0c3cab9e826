"""Threading: which conversation a new text belongs to, and where a new need goes.

A text joins the sender's open conversation. On a closed one a mere "thanks" leaves it closed;
anything else within five working days reopens it; later it begins a new one, linked. A number
that several patients share, or nobody is known by, threads by the number, unlinked, until a
person says whose it is.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, insert, or_, select

from crm_core.audit.tags import Tag
from crm_core.channels.danger import Verdict
from crm_core.channels.inbound import Arrival, Placement
from crm_core.channels.model import Handled
from crm_core.hours.arithmetic import is_open
from crm_core.inbox.alarms import raise_alarm
from crm_core.inbox.model import STAT_URGENCY, State, Verb, urgency_of
from crm_core.inbox.record import Current, change, current, next_action
from crm_core.inbox.routing import Decision, explain, route, trace_json
from crm_core.inbox.conditions import Facts
from crm_core.inbox.rules import DANGER_LANE, InboxRules, clock_columns, inbox_rules, urgency_at
from crm_core.inbox.tables import STILL_OPEN, Conversation
from crm_core.inbox.thanks import is_mere_thanks
from crm_core.patients.tables import Patient
from crm_core.vault.fields import Field
from crm_core.words import Priority
from crm_core.work.units import ReadUnit, WriteUnit

UNSCREENED_ACTION = "Read it now: it could not be screened for danger"


class InboxThreads:
    """The inbox, as the inbound pipeline sees it."""

    def place(self, unit: WriteUnit, arrival: Arrival) -> Placement:
        """Join, reopen or begin a conversation."""
        rules = inbox_rules(unit)
        open_one = _newest(unit, arrival, STILL_OPEN)
        if open_one is not None:
            return _join(unit, current(unit, open_one), arrival)
        closed = _newest(unit, arrival, Conversation.state == State.CLOSED)
        if closed is not None:
            conversation = current(unit, closed)
            if is_mere_thanks(arrival.text):
                change(unit, conversation, Verb.RECEIVED, {"last_message_at": unit.now}, reason="thanks")
                return _placement(conversation, conversation.row, Handled.CONVERSATION, ("thanks leaves it closed",))
            if arrival.at <= rules.reopens_until(conversation.lane, conversation.row["closed_at"]):
                return _reopen(unit, conversation, arrival)
        return _begin(unit, rules, arrival, follows_id=closed)

    def attach(self, unit: WriteUnit, arrival: Arrival) -> Placement | None:
        """The open conversation of that sender, unmoved."""
        open_one = _newest(unit, arrival, STILL_OPEN)
        return self.describe(unit, open_one) if open_one is not None else None

    def alarm(self, unit: WriteUnit, arrival: Arrival, placement: Placement) -> Placement:
        """Danger first: see alarms.py."""
        raise_alarm(unit, current(unit, placement.conversation_id), arrival.message_id, arrival.screening.terms)
        after = current(unit, placement.conversation_id, lock=False)
        reasons = ("danger: " + ", ".join(arrival.screening.terms), *placement.why)
        return _placement(after, after.row, placement.handled_by, reasons)

    def describe(self, unit: ReadUnit, conversation_id: int) -> Placement:
        """Where it is now."""
        conversation = current(unit, conversation_id, lock=False)
        return _placement(conversation, conversation.row, Handled.CONVERSATION, ())


def _newest(unit: ReadUnit, arrival: Arrival, which: Any) -> int | None:
    """The sender's newest conversation of that kind, by patient where that is certain, else by number."""
    patients, point = arrival.contact.patient_ids, arrival.contact.contact_point_id
    if len(patients) == 1:
        whose = or_(
            Conversation.patient_id == patients[0],
            and_(Conversation.patient_id.is_(None), Conversation.contact_point_id == point),
        )
    elif point is not None:
        whose = Conversation.contact_point_id == point
        if patients:
            # Several share the number: only a thread that staff await an answer on, or an unlinked one, is certain.
            whose = and_(whose, or_(Conversation.patient_id.is_(None), Conversation.state == State.WAITING_PATIENT))
    else:
        return None
    found = select(Conversation.id).where(whose, which)
    newest: int | None = unit.scalar(
        found.order_by(Conversation.last_message_at.desc(), Conversation.id.desc()).limit(1)
    )
    return newest


def _join(unit: WriteUnit, conversation: Current, arrival: Arrival) -> Placement:
    """The patient has spoken: it is open again, in its owner's hands no longer, and a clock runs."""
    row = conversation.row
    values: dict[str, Any] = {"last_message_at": unit.now}
    reasons: tuple[str, ...] = (f"joins C-{conversation.id}, the sender's open conversation",)
    decision = _decide(unit, conversation.rules, arrival)
    lane, priority = conversation.lane, conversation.priority
    if decision.priority.rank < priority.rank or (row["owner_id"] is None and _more_clinical(decision, lane)):
        priority = min(priority, decision.priority, key=lambda each: each.rank)
        if row["owner_id"] is None and lane != decision.lane:
            lane = decision.lane
            values |= _routed(unit, conversation.id, decision)
            reasons += tuple(explain(decision.trace)[-1:])
    if conversation.state is not State.NEW:
        values |= {"state": State.OPEN, "snoozed_until": None, "follow_up_at": None, "taken_at": None}
        values |= next_action(unit, conversation.id, conversation.rules.category(row["category"]).next_action)
    since = row["waiting_since"]
    if row["due_at"] is None:
        since = arrival.at
    clock = conversation.rules.response_clock(lane, priority, since)
    values |= {
        **clock_columns(clock),
        "waiting_since": since,
        "lane": lane,
        "priority": priority,
        "urgency": urgency_at(priority, clock.late_at, unit.now, danger=conversation.danger),
    }
    if conversation.danger:
        values |= {name: row[name] for name in ("due_at", "late_at", "due_order", "lane", "priority", "urgency")}
    change(unit, conversation, Verb.RECEIVED, values)
    return _placement(conversation, {**row, **values}, Handled.CONVERSATION, reasons)


def _more_clinical(decision: Decision, lane: str) -> bool:
    return decision.lane == DANGER_LANE and lane != DANGER_LANE


def _reopen(unit: WriteUnit, conversation: Current, arrival: Arrival) -> Placement:
    row = conversation.row
    clock = conversation.rules.response_clock(conversation.lane, conversation.priority, arrival.at)
    values: dict[str, Any] = {
        **clock_columns(clock),
        **next_action(unit, conversation.id, conversation.rules.category(row["category"]).next_action),
        "state": State.OPEN,
        "outcome": None,
        "closed_at": None,
        "taken_at": None,
        "waiting_since": arrival.at,
        "last_message_at": unit.now,
        "urgency": urgency_at(conversation.priority, clock.late_at, unit.now),
    }
    change(unit, conversation, Verb.REOPENED, values)
    reasons = (f"reopens C-{conversation.id}, closed less than five working days ago",)
    return _placement(conversation, {**row, **values}, Handled.CONVERSATION, reasons)


def _begin(unit: WriteUnit, rules: InboxRules, arrival: Arrival, *, follows_id: int | None) -> Placement:
    decision = _decide(unit, rules, arrival)
    lane, priority = decision.lane, decision.priority
    unscreened = arrival.screening.verdict is Verdict.UNSCREENED
    if unscreened:
        lane, priority = rules.lanes.catch_all.key, min(priority, Priority.ASAP, key=lambda each: each.rank)
    clock = rules.response_clock(lane, priority, arrival.at)
    conversation_id = unit.new_id("conversation")
    patients = arrival.contact.patient_ids
    row: dict[str, Any] = {
        **clock_columns(clock),
        **_routed(unit, conversation_id, decision),
        "id": conversation_id,
        "patient_id": patients[0] if len(patients) == 1 else None,
        "contact_point_id": arrival.contact.contact_point_id,
        "follows_id": follows_id,
        "channel": arrival.channel,
        "priority": priority,
        "urgency": STAT_URGENCY if unscreened else urgency_of(priority, late=clock.late_at <= unit.now),
        "lane": lane,
        "state": State.NEW,
        "unscreened": unscreened,
        "opened_at": arrival.at,
        "waiting_since": arrival.at,
        "last_message_at": unit.now,
        "playbook_version": rules.version,
    }
    if unscreened:
        row |= next_action(unit, conversation_id, UNSCREENED_ACTION)
    unit.execute(insert(Conversation.__table__), [row])  # type: ignore[arg-type]
    unit.audit(Tag.CONVERSATION_CREATED, conversation_id, why=decision.reason)
    why = tuple(explain(decision.trace))
    if unscreened:
        why = ("could not be screened for danger, so it stands at the top of the catch-all lane", *why)
    return Placement(
        conversation_id=conversation_id,
        patient_id=row["patient_id"],
        lane=lane,
        category=decision.category,
        priority=priority.value,
        handled_by=Handled.ROUTING,
        why=why,
    )


def _decide(unit: ReadUnit, rules: InboxRules, arrival: Arrival) -> Decision:
    patients = arrival.contact.patient_ids
    language = None
    if len(patients) == 1:
        language = unit.scalar(select(Patient.language).where(Patient.id == patients[0]))
    local = arrival.at.astimezone(rules.clinic.zone)
    text = f"{arrival.subject}\n{arrival.text}" if arrival.subject else arrival.text
    facts = Facts(
        text=text,
        channel=arrival.channel,
        sender_known=bool(patients),
        language=language,
        local_time=local.time(),
        in_hours=is_open(rules.calendar(rules.lanes.catch_all.key), arrival.at),
    )
    return route(rules.routing, facts)


def _routed(unit: WriteUnit, conversation_id: int, decision: Decision) -> dict[str, Any]:
    """The columns that say what was decided, and why."""
    return {
        **next_action(unit, conversation_id, inbox_rules(unit).category(decision.category).next_action),
        "category": decision.category,
        "reason": decision.reason,
        "trace_sealed": unit.seal(Field.ROUTE_TRACE, conversation_id, trace_json(decision.trace)),
    }


def _placement(conversation: Current, row: Any, handled: Handled, why: tuple[str, ...]) -> Placement:
    return Placement(
        conversation_id=conversation.id,
        patient_id=row["patient_id"],
        lane=row["lane"],
        category=row["category"],
        priority=Priority(row["priority"]).value,
        handled_by=handled,
        why=why,
    )
