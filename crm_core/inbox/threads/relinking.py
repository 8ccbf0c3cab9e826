"""Moving a conversation to another patient: it was linked to the wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.outbox import queue_again, suppress_in
from crm_core.errors import NotFound, UsageError
from crm_core.inbox.answering.deliveries import open_again
from crm_core.inbox.model import Turn, Verb
from crm_core.inbox.record import Current, change, current, held_for_clinicians, next_action
from crm_core.inbox.rules import coded
from crm_core.patients.contact_points import users_of
from crm_core.patients.service import link_contact, unlink_contact
from crm_core.patients.tables import ROOT, Patient
from crm_core.work.units import ReadUnit, WriteUnit

STOPPED = "this was written to another patient"
"""Why an answer that was still queued did not go."""
STOPPED_ACTION = "An answer to the patient before was stopped: read the thread, then answer"
HELD_AGAIN = timedelta(seconds=15)
"""How long an answer that undoing puts back may be taken back once more."""


@needs(Permission.CONVERSATION_RELINK)
def relink(
    unit: WriteUnit, conversation_id: int, patient_id: int, *, reason: str, with_number: bool = False
) -> tuple[int, int]:
    """Say that the conversation is another patient's, with a coded reason; returns both patients' ids.

    What is still queued to the patient before is suppressed. The number or address it came from
    stays on that patient's record, unless `with_number` moves it; one that an import gave stays
    there all the same. The audit of both patients says so. A danger is relinked by clinicians,
    once it is acknowledged: whoever is called must be the one who wrote.
    """
    conversation = current(unit, conversation_id)
    held_for_clinicians(unit, conversation, "move to another patient")
    coded(dict(conversation.rules.outcomes.relink), reason, "reason for moving it to another patient")
    before, after = _both(unit, conversation, patient_id)
    stopped = suppress_in(unit, conversation_id, STOPPED)
    number = _with_its_number(unit, conversation, before, after) if with_number else {}
    values: dict[str, Any] = {"patient_id": after}
    if stopped:
        values |= open_again(conversation, unit.now) | next_action(unit, conversation_id, STOPPED_ACTION)
    change(
        unit,
        conversation,
        Verb.RELINKED,
        values,
        turn=Turn.ASKED if stopped else None,
        reason=reason,
        words=f"from P-{before} to P-{after}",
        undoable=True,
        also={"conversation": conversation_id, "stopped": stopped, "before": before, "after": after, **number},
    )
    _audit_both(unit, conversation_id, before, after, reason)
    return before, after


def relink_back(unit: WriteUnit, also: Mapping[str, Any]) -> bool:
    """Queue again what was stopped and is not too late, and give the number back; the columns are the undo's."""
    queue_again(unit, also["stopped"], HELD_AGAIN)
    point = also.get("contact_point")
    if point is not None and also["given"]:
        unlink_contact(unit, also["after"], point)
    if point is not None and also["taken"]:
        link_contact(unit, also["before"], point)
    _audit_both(unit, also["conversation"], also["after"], also["before"], "undone")
    return True


def _both(unit: ReadUnit, conversation: Current, patient_id: int) -> tuple[int, int]:
    """The patient it is with and the one it shall be with, by their records of today."""
    before = conversation.row["patient_id"]
    if conversation.row["merged_into_id"] is not None:
        raise UsageError(
            problem=f"C-{conversation.id} was merged into C-{conversation.row['merged_into_id']}",
            remedy="move that one",
        )
    if before is None:
        raise UsageError(problem=f"C-{conversation.id} is with nobody yet", remedy="link it to its patient")
    rows = unit.execute(select(Patient.id, ROOT.label("root")).where(Patient.id.in_((before, patient_id))))
    roots = {row.id: row.root for row in rows}
    if patient_id not in roots:
        raise NotFound(kind="patient", id=f"P-{patient_id}")
    if roots[before] == roots[patient_id]:
        raise UsageError(problem=f"C-{conversation.id} is with that patient already", remedy="choose another patient")
    return int(before), int(roots[patient_id])


def _with_its_number(unit: WriteUnit, conversation: Current, before: int, after: int) -> dict[str, Any]:
    point = conversation.row["contact_point_id"]
    if point is None:
        return {}
    given = after not in users_of(unit, point)
    if given:
        link_contact(unit, after, point)
    return {"contact_point": point, "given": given, "taken": unlink_contact(unit, before, point)}


def _audit_both(unit: WriteUnit, conversation_id: int, before: int, after: int, reason: str) -> None:
    why = f"conversation {conversation_id} relinked: {reason}"
    unit.audit(Tag.PATIENT_CHANGED, before, after, why=why)
