"""Passing on, putting off, ending: assign, move, escalate, snooze, close, link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from crm_core.access.model import Permission, Role
from crm_core.access.needs import needs
from crm_core.access.tables import Staff, StaffRole
from crm_core.errors import NotFound, NotPermitted, UsageError
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import Current, change, current, held_for_clinicians, next_action, still_open
from crm_core.inbox.rules import PHYSICIAN_LANE, clock_columns, coded, urgency_at
from crm_core.inbox.tables import Conversation, Step
from crm_core.patients.service import link_contact
from crm_core.patients.tables import Patient
from crm_core.words import Priority
from crm_core.work.units import ReadUnit, WriteUnit

PING_PONG = "ping_pong"
"""The reason recorded when a third transfer between the same two lanes is stopped."""


class PassedToAndFro(UsageError):
    """C-{conversation_id} has gone between {one} and {other} twice already; escalate it to a supervisor."""


@needs(Permission.CONVERSATION_WORK)
def assign(unit: WriteUnit, conversation_id: int, staff_id: int) -> None:
    """Give it to a person who works here; giving to someone else needs the permission to assign."""
    if staff_id != unit.actor.staff_id and not unit.actor.may(Permission.CONVERSATION_ASSIGN):
        raise NotPermitted(action="assign to someone else", permission=Permission.CONVERSATION_ASSIGN.value)
    conversation = current(unit, conversation_id)
    still_open(conversation, "assign")
    _works_here(unit, conversation, staff_id)
    change(unit, conversation, Verb.ASSIGNED, {"owner_id": staff_id, "taken_at": None}, undoable=True)


@needs(Permission.CONVERSATION_WORK)
def move(unit: WriteUnit, conversation_id: int, *, lane: str, reason: str, words: str | None = None) -> None:
    """Move to another lane with a coded reason: unowned there, its response clock by the new lane's targets.

    The third transfer between the same two lanes is refused. Lane physician_review is reached
    by a nurse's escalation only.
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
    if transfers_between(unit, conversation_id, conversation.lane, lane) >= 2:  # noqa: PLR2004 - domain.md, Transfer
        raise PassedToAndFro(conversation_id=conversation_id, one=conversation.lane, other=lane)
    values = {**in_lane(unit, conversation, lane, conversation.priority), "owner_id": None, "taken_at": None}
    change(unit, conversation, Verb.MOVED, values, reason=reason, words=words, undoable=True)


@needs(Permission.CONVERSATION_WORK)
def escalate(unit: WriteUnit, conversation_id: int, *, to: Role, reason: str, question: str) -> None:
    """Raise it one step to a supervisor, or to a physician with one stated question.

    To a physician: only by a nurse, into physician_review. To a supervisor: it stays in its
    lane, owned by nobody, raised to at least `urgent`. `escalated_by` remembers who asked.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "escalate")
    coded(dict(conversation.rules.outcomes.escalate), reason, "reason for escalating")
    if not question.strip():
        raise UsageError(problem="An escalation states its question", remedy="write what you need to know or have done")
    values: dict[str, Any] = {"owner_id": None, "taken_at": None, "escalated_by": unit.actor.staff_id}
    if to is Role.PHYSICIAN:
        if Role.NURSE not in unit.actor.roles:
            raise NotPermitted(action="put a question to a physician", permission="role:nurse")
        values |= in_lane(unit, conversation, PHYSICIAN_LANE, conversation.priority)
    elif to in (Role.SUPERVISOR, Role.NURSE):
        lane = conversation.lane if to is Role.SUPERVISOR else "clinical_triage"
        raised = min(conversation.priority, Priority.URGENT, key=lambda priority: priority.rank)
        values |= in_lane(unit, conversation, lane, raised)
    else:
        raise UsageError(problem=f"Nothing is escalated to a {to}", remedy="choose supervisor, nurse or physician")
    values |= {**next_action(unit, conversation_id, question), "state": State.OPEN, "snoozed_until": None}
    if to is Role.SUPERVISOR:
        values["owner_id"] = _a_supervisor(unit, conversation)
    change(unit, conversation, Verb.ESCALATED, values, reason=f"{to}:{reason}", words=question, undoable=True)


@needs(Permission.CONVERSATION_WORK)
def snooze(unit: WriteUnit, conversation_id: int, *, until: datetime, action: str | None = None) -> None:
    """Put it off until a time, or until the patient writes if that is sooner; it stays mine.

    `action` says what is to be done then; the present next action stays where None.
    """
    conversation = current(unit, conversation_id)
    still_open(conversation, "snooze")
    held_for_clinicians(unit, conversation, "snooze")
    if until <= unit.now:
        raise UsageError(problem="That time has passed", remedy="snooze until a time to come")
    values: dict[str, Any] = {"state": State.SNOOZED, "snoozed_until": until, "taken_at": None}
    values["owner_id"] = conversation.owner_id or unit.actor.staff_id
    if action:
        values |= next_action(unit, conversation_id, action)
    change(unit, conversation, Verb.SNOOZED, values, undoable=True)


@needs(Permission.CONVERSATION_WORK)
def close(unit: WriteUnit, conversation_id: int, *, outcome: str, words: str | None = None) -> None:
    """End it with an outcome of the playbook's."""
    conversation = current(unit, conversation_id)
    still_open(conversation, "close")
    held_for_clinicians(unit, conversation, "close")
    coded(dict(conversation.rules.outcomes.close), outcome, "outcome")
    values: dict[str, Any] = {
        **clock_columns(None),
        "state": State.CLOSED,
        "outcome": outcome,
        "closed_at": unit.now,
        "owner_id": conversation.owner_id or unit.actor.staff_id,
        "taken_at": None,
        "snoozed_until": None,
        "follow_up_at": None,
        "unscreened": False,
    }
    change(unit, conversation, Verb.CLOSED, values, reason=outcome, words=words, undoable=True)


@needs(Permission.PATIENT_LINK)
def link(unit: WriteUnit, conversation_id: int, patient_id: int) -> None:
    """Say which patient an unlinked conversation is with, and note the number as theirs too."""
    conversation = current(unit, conversation_id)
    if conversation.row["patient_id"] is not None:
        raise UsageError(
            problem=f"C-{conversation_id} is already with P-{conversation.row['patient_id']}",
            remedy="undo that link first if it is wrong",
        )
    if unit.scalar(select(Patient.id).where(Patient.id == patient_id)) is None:
        raise NotFound(kind="patient", id=f"P-{patient_id}")
    contact_point_id = conversation.row["contact_point_id"]
    if contact_point_id is not None:
        link_contact(unit, patient_id, contact_point_id)
    change(unit, conversation, Verb.LINKED, {"patient_id": patient_id}, undoable=True)


@needs(Permission.CONVERSATION_READ)
def transfers_between(unit: ReadUnit, conversation_id: int, one: str, other: str) -> int:
    """How often this conversation was moved between these two lanes, either way."""
    moves = unit.execute(
        select(Step.from_lane, Step.to_lane).where(Step.conversation_id == conversation_id, Step.verb == Verb.MOVED)
    )
    return sum({move.from_lane, move.to_lane} == {one, other} for move in moves)


def in_lane(unit: ReadUnit, conversation: Current, lane: str, priority: Priority) -> dict[str, Any]:
    """The columns of a conversation that comes into `lane`: a running clock follows the new targets."""
    row, clock = conversation.row, None
    if row["due_at"] is not None:
        clock = conversation.rules.response_clock(lane, priority, row["waiting_since"])
    late_at = clock.late_at if clock else None
    return {
        **clock_columns(clock),
        "lane": lane,
        "priority": priority,
        "urgency": urgency_at(priority, late_at, unit.now, danger=conversation.danger),
    }


def _works_here(unit: ReadUnit, conversation: Current, staff_id: int) -> None:
    active = unit.scalar(select(Staff.active).where(Staff.id == staff_id))
    if active is None:
        raise NotFound(kind="staff account", id=staff_id)
    roles = frozenset(Role(role) for role in unit.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff_id)))
    if not active or conversation.lane not in conversation.rules.lanes.visible_to(roles):
        raise UsageError(
            problem=f"That account does not work lane {conversation.lane}", remedy="choose someone who does"
        )


def _a_supervisor(unit: ReadUnit, conversation: Current) -> int | None:
    """The active supervisor with the fewest open conversations; None leaves it in the lane for any of them."""
    load = (
        select(func.count())
        .select_from(Conversation)
        .where(Conversation.owner_id == Staff.id, Conversation.state != State.CLOSED)
        .correlate(Staff)
        .scalar_subquery()
    )
    found: int | None = unit.scalar(
        select(Staff.id)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(
            Staff.active,
            StaffRole.role == Role.SUPERVISOR,
            Staff.id != conversation.owner_id if conversation.owner_id else Staff.id > 0,
        )
        .order_by(load, Staff.id)
        .limit(1)
    )
    return found
