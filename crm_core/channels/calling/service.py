"""Working on the call list: what a call that was made comes to, and taking a patient off the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.calling.adding import in_clinic_hours
from crm_core.channels.calling.cancelling import ITEM, cancel_calls
from crm_core.channels.calling.low_response import raise_low_response
from crm_core.channels.calling.model import CallState, Tried
from crm_core.channels.calling.tables import CallTry
from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.model import Reason, Verdict
from crm_core.errors import NotFound, UsageError
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.tasks import service as tasks
from crm_core.tasks.scope import seen_by
from crm_core.tasks.tables import Task
from crm_core.words import Channel, Purpose
from crm_core.work.units import WriteUnit

CALL_AGAIN = timedelta(days=1)
"""After which a call that did not reach is due again, within the clinic's hours, where nobody says another time."""

TRY = cast("Table", CallTry.__table__)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A call list item that waits: whom to call now, and where."""

    task_id: int
    patient_id: int
    contact_point_id: int
    purpose: Purpose
    attempts: int
    max_attempts: int


@needs(Permission.TASK_WORK)
def waiting_call(unit: WriteUnit, task_id: int) -> Waiting:
    """The item of a task, locked; NotFound for a task that is none, UsageError for one that is over."""
    statement = (
        select(
            ITEM.c.task_id, ROOT.label("patient_id"), ITEM.c.contact_point_id, ITEM.c.purpose, ITEM.c.attempts,
            ITEM.c.max_attempts, ITEM.c.state, Task.state.label("task_state"),
        )
        .join(Task, Task.id == ITEM.c.task_id)
        .join(PATIENT, PATIENT.c.id == ITEM.c.patient_id)
        .where(ITEM.c.task_id == task_id, seen_by(unit))
        .with_for_update(of=ITEM)
    )  # fmt: skip
    row = unit.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound(kind="call", id=f"T-{task_id}")
    facts = dict(row)
    state, open_still = facts.pop("state"), facts.pop("task_state") == "open"
    if state != CallState.WAITING or not open_still:
        word = "over" if state == CallState.WAITING else state.replace("_", " ")
        raise UsageError(problem=f"The call T-{task_id} is {word} already", remedy="see `crm calls list`")
    return Waiting(**facts)


def candidate_of(call: Any) -> Candidate:
    """The call as the gate is asked about it: a person makes it, and nothing is written."""
    return Candidate(
        channel=Channel.VOICE,
        contact_point_id=call.contact_point_id,
        patient_id=call.patient_id,
        text="",
        first_name=None,
        purpose=call.purpose,
    )


@needs(Permission.TASK_WORK)
def still_allowed(unit: WriteUnit, gate: Gate, call: Waiting) -> Tried | None:
    """None where the patient may still be called; else the item is cancelled with the gate's reason."""
    verdict: Verdict = gate.judge(unit, candidate_of(call))
    refusal: Reason | None = verdict.refusal
    if refusal is None:
        return None
    because = f"{refusal.check}: {refusal.saw}"
    cancel_calls(unit, ITEM.c.task_id == call.task_id, because)
    return _tried(call, CallState.CANCELLED, call.attempts, because=because)


@needs(Permission.TASK_WORK)
def tried(
    unit: WriteUnit,
    call: Waiting,
    *,
    message_id: int,
    outcome: str,
    reached: bool,
    words: str | None = None,
    next_at: datetime | None = None,
) -> Tried:
    """Count a call that was made. One that reached ends the item; the last that may be tried gives it up.

    `message_id` is the call as a message, `outcome` a code of the playbook's. Giving up raises what
    three unanswered contacts raise. Else it is due again at `next_at`.
    """
    made = {
        "message_id": message_id,
        "task_id": call.task_id,
        "patient_id": call.patient_id,
        "at": unit.now,
        "outcome": outcome,
        "reached": reached,
    }
    unit.execute(insert(TRY), [made])
    attempts = call.attempts + 1
    given_up = not reached and attempts >= call.max_attempts
    state = CallState.REACHED if reached else CallState.GIVEN_UP if given_up else CallState.WAITING
    settled = None if state is CallState.WAITING else unit.now
    unit.execute(
        update(ITEM).where(ITEM.c.task_id == call.task_id).values(attempts=attempts, state=state, settled_at=settled)
    )
    unit.audit(Tag.CALL_LOGGED, call.task_id, why=outcome)
    if reached:
        tasks.finish(unit, call.task_id, words=words or outcome)
        return _tried(call, state, attempts)
    raise_low_response(unit, [call.patient_id])
    if given_up:
        tasks.cancel(unit, call.task_id, f"given up after {attempts} calls")
        return _tried(call, state, attempts)
    due_at = next_at or in_clinic_hours(unit, unit.now + CALL_AGAIN)
    tasks.put_off(unit, call.task_id, due_at)
    return _tried(call, state, attempts, next_at=due_at)


def _tried(
    call: Waiting, state: CallState, attempts: int, *, next_at: datetime | None = None, because: str | None = None
) -> Tried:
    return Tried(
        task_id=call.task_id,
        state=state,
        attempts=attempts,
        max_attempts=call.max_attempts,
        next_at=next_at,
        because=because,
    )
