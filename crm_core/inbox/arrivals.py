"""Threading: which conversation a new text belongs to, and where a new need goes.

A letter joins the conversation of the letter it answers, any other text the sender's open one.
On a closed one a mere "thanks" leaves it closed; anything else within five working days reopens
it; later it begins a new one, linked. A number that several patients share, or nobody is known
by, threads by the number, unlinked, until a person says whose it is; a chat by its session.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, TextClause, and_, insert, or_, select

from crm_core.audit.tags import Tag
from crm_core.channels.danger import Verdict
from crm_core.channels.inbound import Arrival, Placement
from crm_core.channels.keywords import Keyword
from crm_core.channels.model import Handled
from crm_core.channels.tables import Message
from crm_core.inbox.alarms import raise_alarm
from crm_core.inbox.complaints import COMPLAINT_CATEGORY
from crm_core.inbox.model import State, Turn, Verb
from crm_core.inbox.record import Current, change, current, next_action
from crm_core.inbox.routing.deciding import Decision, explain, route, trace_json
from crm_core.inbox.routing.facts import Asker, facts_of
from crm_core.inbox.routing.rule_assignment import given_by_rule
from crm_core.inbox.rules import (
    DANGER_LANE,
    PHYSICIAN_LANE,
    InboxRules,
    inbox_rules,
)
from crm_core.inbox.sharing.assignment import share_out
from crm_core.inbox.tables import STILL_OPEN, Conversation
from crm_core.inbox.threads.answered import answered_conversation
from crm_core.inbox.threads.thanks import asks_for_nothing, is_automatic
from crm_core.inbox.timing.clocks import Life
from crm_core.inbox.timing.counting import counted, life_of
from crm_core.vault.fields import Field
from crm_core.words import Priority
from crm_core.work.units import ReadUnit, WriteUnit

UNSCREENED_ACTION = "Read it now: it could not be screened for danger"
UNSCREENED_WHY = "could not be screened for danger, so it stands at the top of the catch-all lane"
WROTE_TO_PHYSICIAN = "The patient wrote while a physician was asked: read it, then ask again if still needed"
A_MACHINE = "a machine answered: nobody need answer it"
MAY_WANT_NO_MORE = "May want no more texts: nothing queued went out, ask before you write again"
_CLOSED = and_(Conversation.state == State.CLOSED, Conversation.merged_into_id.is_(None))
"""What was merged is reopened in the one that was kept, never by itself."""


class InboxThreads:
    """The inbox, as the inbound pipeline sees it."""

    def place(self, unit: WriteUnit, arrival: Arrival) -> Placement:
        """Join, reopen or begin a conversation."""
        rules = inbox_rules(unit)
        answered = answered_conversation(unit, rules, arrival)
        if answered is None or answered.is_open:
            open_one = answered.id if answered else _newest(unit, arrival, STILL_OPEN)
            while open_one is not None:
                conversation = current(unit, open_one)
                if conversation.state is not State.CLOSED:
                    return _join(unit, conversation, arrival)
                # A colleague closed or merged it between the look and the lock: look again.
                open_one = None if answered else _newest(unit, arrival, STILL_OPEN)
        closed = answered.id if answered else _newest(unit, arrival, _CLOSED)
        if closed is not None:
            conversation = current(unit, closed)
            if conversation.state is not State.CLOSED:
                # The end was undone at this very moment.
                return _join(unit, conversation, arrival)
            if _leaves_it_closed(unit, rules, arrival):
                change(unit, conversation, Verb.RECEIVED, {"last_message_at": unit.now}, reason="asks_for_nothing")
                asks_nothing = ("it asks for nothing, so what is closed stays closed",)
                return _placement(conversation, conversation.row, Handled.CONVERSATION, asks_nothing)
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


def _leaves_it_closed(unit: ReadUnit, rules: InboxRules, arrival: Arrival) -> bool:
    """Thanks and auto-responders; never a text with a picture, and never one that nobody could screen."""
    if arrival.attachments or arrival.screening.verdict is Verdict.UNSCREENED:
        return False
    return asks_for_nothing(arrival.said) or (arrival.automatic and _is_ordinary(unit, rules, arrival))


def _from_a_machine(unit: ReadUnit, rules: InboxRules, arrival: Arrival) -> bool:
    """Whether an auto-responder wrote it, as far as can be told, and nothing in it needs a person's eyes."""
    clear = arrival.screening.verdict is Verdict.CLEAR and not arrival.attachments and arrival.keyword is None
    if not clear or not (arrival.automatic or is_automatic(arrival.said)):
        return False
    return _is_ordinary(unit, rules, arrival)


def _is_ordinary(unit: ReadUnit, rules: InboxRules, arrival: Arrival) -> bool:
    """Whether routing finds nothing clinical and nothing urgent in it: a person may write what a machine sends."""
    decision = _decide(unit, rules, arrival)
    return decision.lane != DANGER_LANE and decision.priority is Priority.ROUTINE


def _newest(unit: ReadUnit, arrival: Arrival, which: ColumnElement[bool] | TextClause) -> int | None:
    """The sender's newest conversation of that kind, by patient where that is certain, else by number or session."""
    patients, point = arrival.contact.patient_ids, arrival.contact.contact_point_id
    unlinked = and_(Conversation.patient_id.is_(None), Conversation.contact_point_id == point)
    if len(patients) == 1:
        whose = or_(Conversation.patient_id == patients[0], unlinked)
    elif point is None:
        if arrival.handle_token is None:
            return None
        whose = Conversation.id.in_(select(Message.conversation_id).where(Message.handle_token == arrival.handle_token))
    elif patients:
        whose = or_(unlinked, Conversation.id == _only_awaited(unit, point))
    else:
        whose = Conversation.contact_point_id == point
    found = select(Conversation.id).where(whose, which)
    newest: int | None = unit.scalar(
        found.order_by(Conversation.last_message_at.desc(), Conversation.id.desc()).limit(1)
    )
    return newest


def _only_awaited(unit: ReadUnit, point: int) -> int | None:
    """Of a number that several share: the one conversation in which staff await an answer from it.

    With two, nobody can tell whose answer it is.
    """
    awaited = unit.scalars(
        select(Conversation.id)
        .where(Conversation.contact_point_id == point, Conversation.state == State.WAITING_PATIENT)
        .limit(2)
    )
    return int(awaited[0]) if len(awaited) == 1 else None


def _join(unit: WriteUnit, conversation: Current, arrival: Arrival) -> Placement:
    """The patient has spoken: it is open again, in its owner's hands no longer, and a clock runs.

    What holds an unacknowledged danger stays as urgent as it is. A machine that answers for the
    patient has asked nothing.
    """
    row = conversation.row
    joined = f"joins C-{conversation.id}, the sender's open conversation"
    if _from_a_machine(unit, conversation.rules, arrival):
        change(unit, conversation, Verb.RECEIVED, {"last_message_at": unit.now}, reason="automatic")
        return _placement(conversation, row, Handled.CONVERSATION, (joined, A_MACHINE))
    values: dict[str, Any] = {"last_message_at": unit.now}
    reasons: tuple[str, ...] = ()
    if not conversation.danger:
        asked, reasons = _asked_for(unit, conversation, arrival, free=row["owner_id"] is None)
        if _stays_away(unit, conversation, arrival):
            asked, reasons = {}, ("it stays put off until its date, as was asked for even if they write",)
        elif conversation.state is not State.NEW:
            values |= {"state": State.OPEN, "snoozed_until": None, "snooze_holds": False, "follow_up_at": None}
            values |= {"taken_at": None}
            values |= next_action(unit, conversation.id, conversation.rules.first_action(row["category"]))
        values |= asked | {"waiting_since": arrival.at if _spoke_last(unit, conversation) else row["waiting_since"]}
        if arrival.keyword is Keyword.SUSPECTED_STOP:
            values |= next_action(unit, conversation.id, MAY_WANT_NO_MORE)
    number = arrival.message_id
    change(unit, conversation, Verb.RECEIVED, values, turn=Turn.ASKED, turn_at=arrival.at, message_id=number)
    _shared_out(unit, conversation.id, arrival)
    return _placement(conversation, {**row, **values}, Handled.CONVERSATION, (joined, *reasons))


def _stays_away(unit: ReadUnit, conversation: Current, arrival: Arrival) -> bool:
    """Whether it was put off even if they write, and this text is no reason to look at it sooner.

    What cannot be screened, belongs in clinical triage, is more urgent, may ask us to stop, or
    comes while a physician is asked wakes it; danger does in any case (alarms.py).
    """
    if conversation.state is not State.SNOOZED or not conversation.row["snooze_holds"]:
        return False
    if arrival.screening.verdict is not Verdict.CLEAR or arrival.keyword is Keyword.SUSPECTED_STOP:
        return False
    decision = _decide(unit, conversation.rules, arrival)
    more_urgent = decision.priority.rank < conversation.priority.rank
    return not more_urgent and decision.lane != DANGER_LANE and conversation.lane != PHYSICIAN_LANE


def _reopen(unit: WriteUnit, conversation: Current, arrival: Arrival) -> Placement:
    """A new text on what was closed: its owner has it again, with a new response clock from that text."""
    asked, reasons = _asked_for(unit, conversation, arrival, free=True)
    values: dict[str, Any] = {
        **next_action(unit, conversation.id, conversation.rules.first_action(conversation.row["category"])),
        "state": State.OPEN,
        "outcome": None,
        "closed_at": None,
        "taken_at": None,
        "last_message_at": unit.now,
        "waiting_since": arrival.at,
        **asked,
    }
    number = arrival.message_id
    change(unit, conversation, Verb.REOPENED, values, turn=Turn.ASKED, turn_at=arrival.at, message_id=number)
    _shared_out(unit, conversation.id, arrival)
    reopened = f"reopens C-{conversation.id}, closed less than five working days ago"
    return _placement(conversation, {**conversation.row, **values}, Handled.CONVERSATION, (reopened, *reasons))


def _asked_for(
    unit: WriteUnit, conversation: Current, arrival: Arrival, *, free: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the new text asks for beyond what the conversation already is: a lane, a priority, other eyes.

    What nobody could screen goes to the top of the catch-all lane, unless nurses have it. A
    physician's lane takes no patient's text: it goes to the nurse who asked. What is `free` of
    an owner and turns out clinical goes where clinical things go, never the other way.
    """
    decision = _decide(unit, conversation.rules, arrival)
    priority = min(conversation.priority, decision.priority, key=lambda each: each.rank)
    asked: dict[str, Any] = {"lane": conversation.lane, "priority": priority}
    if arrival.screening.verdict is Verdict.UNSCREENED:
        asked["priority"] = min(priority, Priority.ASAP, key=lambda each: each.rank)
        if conversation.lane != DANGER_LANE:
            asked["lane"] = conversation.rules.lanes.catch_all.key
        asked |= {"unscreened": True, "owner_id": None, "taken_at": None}
        return asked | next_action(unit, conversation.id, UNSCREENED_ACTION), (UNSCREENED_WHY,)
    if conversation.lane == PHYSICIAN_LANE:
        asked |= {"lane": DANGER_LANE, "owner_id": conversation.row["escalated_by"], "taken_at": None}
        return asked | next_action(unit, conversation.id, WROTE_TO_PHYSICIAN), (
            "goes to the nurse, not to a physician",
        )
    if free and decision.lane == DANGER_LANE != conversation.lane:
        asked |= {"lane": DANGER_LANE, "owner_id": None, **routed(unit, conversation.id, decision)}
        if conversation.row["category"] == COMPLAINT_CATEGORY:
            # A complaint that turns clinical still ends as a complaint does.
            asked["category"] = COMPLAINT_CATEGORY
        return asked, tuple(explain(decision.trace)[:1])
    return asked, ()


def _spoke_last(unit: ReadUnit, conversation: Current) -> bool:
    """Whether staff spoke last, so that the patient waits only from this text on."""
    return life_of(unit, conversation.id, conversation.row["opened_at"]).owed_since is None


def _begin(unit: WriteUnit, rules: InboxRules, arrival: Arrival, *, follows_id: int | None) -> Placement:
    decision = _decide(unit, rules, arrival)
    lane, priority = decision.lane, decision.priority
    unscreened = arrival.screening.verdict is Verdict.UNSCREENED
    clear = arrival.screening.verdict is Verdict.CLEAR
    given = given_by_rule(unit, rules, decision) if decision.assign and clear else None
    if given is not None:
        decision = decision.assigned(saw=given.why, passed=given.owner_id is not None)
    if unscreened:
        lane, priority = rules.lanes.catch_all.key, min(priority, Priority.ASAP, key=lambda each: each.rank)
    conversation_id = unit.new_id("conversation")
    patients = arrival.contact.patient_ids
    row: dict[str, Any] = {
        **routed(unit, conversation_id, decision),
        "id": conversation_id,
        "patient_id": patients[0] if len(patients) == 1 else None,
        "contact_point_id": arrival.contact.contact_point_id,
        "follows_id": follows_id,
        "channel": arrival.channel,
        "priority": priority,
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
    elif arrival.keyword is Keyword.SUSPECTED_STOP:
        row |= next_action(unit, conversation_id, MAY_WANT_NO_MORE)
    row |= counted(rules, row, Life(opened_at=arrival.at), unit.now)
    unit.execute(insert(Conversation.__table__), [row])  # type: ignore[arg-type]
    unit.audit(Tag.CONVERSATION_CREATED, conversation_id, why=decision.reason)
    if given is not None and given.owner_id is not None:
        made = current(unit, conversation_id, lock=False)
        change(unit, made, Verb.ASSIGNED, {"owner_id": given.owner_id}, reason=decision.reason)
    _shared_out(unit, conversation_id, arrival)
    why = tuple(explain(decision.trace[-1:]))
    if unscreened:
        why = (UNSCREENED_WHY, *why)
    return Placement(
        conversation_id=conversation_id,
        patient_id=row["patient_id"],
        lane=lane,
        category=decision.category,
        priority=priority.value,
        handled_by=Handled.ROUTING,
        why=why,
    )


def _shared_out(unit: WriteUnit, conversation_id: int, arrival: Arrival) -> None:
    """What alarms is nobody's until a clinician acknowledges it; the rest may be given to somebody."""
    if arrival.screening.verdict is not Verdict.ALARM:
        share_out(unit, conversation_id)


def _decide(unit: ReadUnit, rules: InboxRules, arrival: Arrival) -> Decision:
    asker = Asker(
        text=arrival.said,
        subject=arrival.subject,
        channel=arrival.channel,
        at=arrival.at,
        choice=arrival.category_hint,
        patient_ids=arrival.contact.patient_ids,
    )
    return route(rules.routing, facts_of(unit, rules, asker))


def routed(unit: WriteUnit, conversation_id: int, decision: Decision) -> dict[str, Any]:
    """The columns that say what was decided, and why."""
    return {
        **next_action(unit, conversation_id, inbox_rules(unit).first_action(decision.category)),
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
