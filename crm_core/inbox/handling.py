"""Passing on, putting off, ending: assign, move, escalate, snooze, close, link."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from crm_core.access.model import Permission, Role
from crm_core.access.needs import needs
from crm_core.errors import CrmError, NotFound, NotPermitted, UsageError
from crm_core.inbox.complaints import ComplaintEnd, keep, settled
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import (
    Current,
    HeldForClinicians,
    change,
    current,
    held_for_clinicians,
    in_lane,
    next_action,
    still_open,
)
from crm_core.inbox.rules import DANGER_LANE, PHYSICIAN_LANE, coded
from crm_core.inbox.sharing.assignment import share_out
from crm_core.inbox.sharing.colleagues import (
    colleagues,
    held_by,
    lock_accounts,
    may_have_danger,
    room_for_one_more,
    worker,
)
from crm_core.inbox.sharing.escalation import ForPhysicians, accepted, for_physicians
from crm_core.inbox.tables import Step
from crm_core.inbox.take import in_no_other_hands
from crm_core.patients.contact_points import users_of
from crm_core.patients.proxies import spoken_for_by
from crm_core.patients.service import link_contact
from crm_core.patients.tables import Patient
from crm_core.words import Priority
from crm_core.work.units import ReadUnit, WriteUnit

PING_PONG = "ping_pong"
"""The reason recorded when a third transfer between the same two lanes is stopped."""
SUPERVISOR_DECIDES = "Supervisor: decide where this belongs"
MOST_TRANSFERS = 2
"""Between one pair of lanes (domain.md, Transfer)."""
LONGEST_SNOOZE = timedelta(days=366)
"""Beyond it a date is a slip, and what it puts away would be lost."""


class Unread(CrmError):
    """C-{conversation_id} could not be screened and is not put off unread; read it, then answer, move or close it."""


class PassedToAndFro(CrmError):
    """C-{conversation_id} went between these two lanes twice already and stays; a supervisor has it now, ask them."""


@needs(Permission.CONVERSATION_WORK)
def assign(unit: WriteUnit, conversation_id: int, staff_id: int, *, anyway: bool = False) -> None:
    """Give it to a person who works here; giving to someone else needs the permission to assign.

    `anyway` gives it even to who is absent, or holds as much as they may; else Away, Full. What
    people take themselves is theirs, however much they hold; InOtherHands where somebody works on it.
    """
    if staff_id != unit.actor.staff_id and not unit.actor.may(Permission.CONVERSATION_ASSIGN):
        raise NotPermitted(action="assign to someone else", permission=Permission.CONVERSATION_ASSIGN.value)
    conversation = current(unit, conversation_id)
    still_open(conversation, "assign")
    person = worker(unit, conversation, staff_id)
    if conversation.lane == PHYSICIAN_LANE and Role.PHYSICIAN not in person.actor.roles:
        raise ForPhysicians(conversation_id=conversation_id)
    if conversation.danger and not may_have_danger(person):
        raise HeldForClinicians(conversation_id=conversation_id, action="own")
    if staff_id == unit.actor.staff_id:
        in_no_other_hands(unit, conversation)
    elif not anyway:
        room_for_one_more(unit, person)
    values = {**accepted(unit, conversation.row, staff_id), "owner_id": staff_id, "taken_at": None}
    change(unit, conversation, Verb.ASSIGNED, values, undoable=True)


@needs(Permission.CONVERSATION_WORK)
def move(unit: WriteUnit, conversation_id: int, *, lane: str, reason: str, words: str | None = None) -> bool:
    """Move to another lane with a coded reason: unowned there, its response clock by the new lane's targets.

    Returns whether it moved: the third transfer between the same two lanes is refused, and the
    conversation goes to a supervisor where it lies (the caller commits, then says PassedToAndFro).
    Lane physician_review is reached by a nurse's escalation only; what is taken back from it goes
    to triage, to that nurse, as often as they like, and to no other lane.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "move")
    held_for_clinicians(unit, conversation, "move")
    coded(dict(conversation.rules.outcomes.move), reason, "reason for moving")
    conversation.rules.lane(lane)
    if lane == PHYSICIAN_LANE:
        raise UsageError(
            problem="Physician review is reached by escalation only", remedy="escalate it with one question"
        )
    if lane == conversation.lane:
        raise UsageError(problem=f"C-{conversation_id} is in {lane} already", remedy="choose another lane")
    withdrawn = conversation.lane == PHYSICIAN_LANE
    if withdrawn and lane != DANGER_LANE:
        raise UsageError(
            problem="A question to a physician goes back to the nurse who asked it",
            remedy=f"move it to {DANGER_LANE} first",
        )
    if not withdrawn and transfers_between(unit, conversation_id, conversation.lane, lane) >= MOST_TRANSFERS:
        _to_a_supervisor(unit, conversation, reason=f"{Role.SUPERVISOR}:{PING_PONG}", words=words)
        return False
    values = {
        **in_lane(lane, conversation.priority),
        **_put_off_no_more(conversation),
        "owner_id": conversation.row["escalated_by"] if withdrawn else None,
    }
    change(unit, conversation, Verb.MOVED, values, reason=reason, words=words, undoable=True)
    share_out(unit, conversation_id)
    return True


@needs(Permission.CONVERSATION_WORK)
def escalate(unit: WriteUnit, conversation_id: int, *, to: Role, reason: str, question: str) -> None:
    """Raise it to a supervisor or a nurse, or to a physician with one stated question.

    To a physician: only by a nurse, into physician_review. To a nurse: into triage, back to the
    nurse who had asked where it lies with physicians. To a supervisor: it stays in its lane (what
    lies with physicians goes to triage), owned by the one with the least work. Either of these
    raises it to at least `urgent`. `escalated_by` remembers who asked, and it stays "mine,
    escalated" to them until somebody accepts it (escalation.py). Thread, notes and drafts stay with it.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "escalate")
    held_for_clinicians(unit, conversation, "escalate")
    coded(dict(conversation.rules.outcomes.escalate), reason, "reason for escalating")
    if not question.strip():
        raise UsageError(problem="An escalation states its question", remedy="write what you need to know or have done")
    coded_reason = f"{to}:{reason}"
    if to is Role.SUPERVISOR:
        _to_a_supervisor(unit, conversation, reason=coded_reason, words=question)
        return
    if to is Role.PHYSICIAN:
        if Role.NURSE not in unit.actor.roles:
            raise NotPermitted(action="put a question to a physician", permission="role:nurse")
        values = in_lane(PHYSICIAN_LANE, conversation.priority)
    elif to is Role.NURSE:
        values = in_lane(DANGER_LANE, _raised(conversation))
    else:
        raise UsageError(problem=f"Nothing is escalated to a {to}", remedy="choose supervisor, nurse or physician")
    back = to is Role.NURSE and conversation.lane == PHYSICIAN_LANE
    values |= _escalated(unit, conversation, question)
    values |= {"owner_id": conversation.row["escalated_by"] if back else None}
    change(unit, conversation, Verb.ESCALATED, values, reason=coded_reason, words=question, undoable=True)
    if back:
        share_out(unit, conversation_id)


@needs(Permission.CONVERSATION_WORK)
def snooze(
    unit: WriteUnit,
    conversation_id: int,
    *,
    until: datetime | None = None,
    even_if_reply: bool = False,
    action: str | None = None,
) -> None:
    """Put it off until a time, or until the patient writes if that is sooner; it stays mine.

    Without `until` it is put off until the patient writes, and comes back at the lane's follow-up
    date where they do not. `even_if_reply` leaves it away until then though they write: what is
    dangerous, could not be screened, belongs in clinical triage or is more urgent than before
    wakes it all the same (arrivals.py). `action` says what is to be done then; the present next
    action stays where None. Raises Unread where nobody could screen it.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "snooze")
    held_for_clinicians(unit, conversation, "snooze")
    for_physicians(unit, conversation)
    if conversation.unscreened:
        raise Unread(conversation_id=conversation_id)
    if until is None:
        if even_if_reply:
            raise UsageError(problem="What is put off even if they reply needs a date", remedy="say until when")
        until = conversation.rules.follow_up(conversation.lane, unit.now)
    if until <= unit.now:
        raise UsageError(problem="That time has passed", remedy="snooze until a time to come")
    if until - unit.now > LONGEST_SNOOZE:
        raise UsageError(problem="That is more than a year away", remedy="snooze until a nearer time")
    values: dict[str, Any] = {"state": State.SNOOZED, "snoozed_until": until, "taken_at": None}
    values |= {"owner_id": conversation.owner_id or unit.actor.staff_id, "snooze_holds": even_if_reply}
    if action:
        values |= next_action(unit, conversation_id, action)
    change(unit, conversation, Verb.SNOOZED, values, reason="even_if_reply" if even_if_reply else None, undoable=True)


@needs(Permission.CONVERSATION_WORK)
def close(
    unit: WriteUnit,
    conversation_id: int,
    *,
    outcome: str,
    words: str | None = None,
    complaint: ComplaintEnd | None = None,
) -> None:
    """End it with an outcome of the playbook's; a complaint also with its category and the date of the answer.

    Raises ComplaintUnsettled where a complaint has not had what its end needs.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "close")
    held_for_clinicians(unit, conversation, "close")
    coded(dict(conversation.rules.outcomes.close), outcome, "outcome")
    values: dict[str, Any] = {
        "state": State.CLOSED,
        "outcome": outcome,
        "closed_at": unit.now,
        "owner_id": conversation.owner_id or unit.actor.staff_id,
        "taken_at": None,
        "snoozed_until": None,
        "follow_up_at": None,
        "snooze_holds": False,
        "unscreened": False,
    }
    how = settled(unit, conversation, complaint)
    step_id = change(unit, conversation, Verb.CLOSED, values, reason=outcome, words=words, undoable=True)
    if how is not None:
        keep(unit, conversation, how, step_id=step_id, outcome=outcome, words=words)


@needs(Permission.PATIENT_LINK)
def link(unit: WriteUnit, conversation_id: int, patient_id: int) -> None:
    """Say which patient an unlinked conversation is with, and note the number as theirs, unless it is a proxy's."""
    conversation = current(unit, conversation_id)
    merged_into = conversation.row["merged_into_id"]
    if merged_into is not None:
        raise UsageError(problem=f"C-{conversation_id} was merged into C-{merged_into}", remedy="link that one")
    if conversation.row["patient_id"] is not None:
        raise UsageError(
            problem=f"C-{conversation_id} is already with P-{conversation.row['patient_id']}",
            remedy="undo that link first if it is wrong",
        )
    record = unit.execute(select(Patient.id, Patient.merged_into_id).where(Patient.id == patient_id)).one_or_none()
    if record is None:
        raise NotFound(kind="patient", id=f"P-{patient_id}")
    who = record.merged_into_id or record.id
    contact_point_id = conversation.row["contact_point_id"]
    is_new = contact_point_id is not None and not _is_known(unit, who, contact_point_id)
    if is_new:
        link_contact(unit, who, contact_point_id)
    change(
        unit,
        conversation,
        Verb.LINKED,
        {"patient_id": who},
        undoable=True,
        linked_contact=contact_point_id if is_new else None,
    )


def _is_known(unit: ReadUnit, patient_id: int, contact_point_id: int) -> bool:
    """Whether the number is the patient's already, or that of somebody who speaks for them."""
    return patient_id in {*users_of(unit, contact_point_id), *spoken_for_by(unit, contact_point_id)}


@needs(Permission.CONVERSATION_READ)
def transfers_between(unit: ReadUnit, conversation_id: int, one: str, other: str) -> int:
    """How often this conversation was moved between these two lanes, either way; what was undone does not count."""
    moved = Step.verb == Verb.MOVED
    undone = (Step.verb == Verb.UNDONE) & (Step.reason == Verb.MOVED)
    steps = unit.execute(
        select(Step.verb, Step.from_lane, Step.to_lane).where(Step.conversation_id == conversation_id, moved | undone)
    )
    return sum(1 if step.verb is Verb.MOVED else -1 for step in steps if {step.from_lane, step.to_lane} == {one, other})


def _to_a_supervisor(unit: WriteUnit, conversation: Current, *, reason: str, words: str | None) -> None:
    lane = DANGER_LANE if conversation.lane == PHYSICIAN_LANE else conversation.lane
    values = {
        **in_lane(lane, _raised(conversation)),
        **_escalated(unit, conversation, words or SUPERVISOR_DECIDES),
        "owner_id": _a_supervisor(unit, conversation, lane),
    }
    change(unit, conversation, Verb.ESCALATED, values, reason=reason, words=words, undoable=True)


def _raised(conversation: Current) -> Priority:
    return min(conversation.priority, Priority.URGENT, key=lambda priority: priority.rank)


def _escalated(unit: WriteUnit, conversation: Current, question: str) -> dict[str, Any]:
    return {
        **next_action(unit, conversation.id, question),
        **_put_off_no_more(conversation),
        "escalated_by": unit.actor.staff_id,
        "accepted_at": None,
        "state": State.OPEN,
    }


def _put_off_no_more(conversation: Current) -> dict[str, Any]:
    """The columns of what is in nobody's hands and whose time is now; the date on which it was to come back stays."""
    return {
        "state": State.NEW if conversation.state is State.NEW else State.OPEN,
        "taken_at": None,
        "snoozed_until": None,
        "snooze_holds": False,
        "follow_up_at": conversation.row["snoozed_until"] or conversation.row["follow_up_at"],
    }


def _a_supervisor(unit: WriteUnit, conversation: Current, lane: str) -> int | None:
    """The supervisor with the fewest open conversations of those who work the lane, are here and not full.

    None leaves it in the lane for any of them.
    """
    there = [
        one
        for one in colleagues(unit).values()
        if Role.SUPERVISOR in one.actor.roles
        and one.active
        and one.absent_until is None
        and one.works(conversation.rules, lane)
        and one.id != conversation.owner_id
    ]
    lock_accounts(unit, there)
    held = held_by(unit, [one.id for one in there])
    free = [one.id for one in there if not one.is_full(held[one.id])]
    return min(free, key=lambda number: (held[number], number), default=None)
