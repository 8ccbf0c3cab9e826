"""Moving a conversation to another patient: it was linked to the wrong one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import queue_again, suppress_in
from crm_core.channels.tables import Outbox
from crm_core.errors import NotFound, UsageError
from crm_core.inbox.answering.deliveries import open_again
from crm_core.inbox.answering.never_left import ask_again
from crm_core.inbox.answering.scheduling import keep_as_draft
from crm_core.inbox.model import Verb
from crm_core.inbox.record import Current, change, current, held_for_clinicians, next_action
from crm_core.inbox.rules import coded
from crm_core.inbox.tables import Conversation
from crm_core.inbox.threads.family import merged_family
from crm_core.patients.contact_points import users_of
from crm_core.patients.service import link_contact, unlink_contact
from crm_core.patients.tables import ROOT, Patient
from crm_core.tasks.refiling import file_back, refile
from crm_core.work.units import ReadUnit, WriteUnit

STOPPED = "this was written to another patient"
"""Why an answer that was still queued did not go."""
STOPPED_ACTION = "An answer to the patient before was stopped: read the thread, then answer"
HELD_AGAIN = timedelta(seconds=15)
"""How long an answer that undoing puts back may be taken back once more."""
STILL_SAYS_SO = timedelta(hours=1)
"""How long after it was stopped an answer may still be put back; later it is its author's to send or not."""
DRAFT_AGAIN = "The answer that was stopped is its author's draft again: read the thread, then answer"
_OPEN_AGAIN = (
    "state", "owner_id", "taken_at", "waiting_since", "snoozed_until", "snooze_holds", "follow_up_at", "outcome",
    "closed_at",
)  # fmt: skip
"""What stays as relinking left it, where the answer that it stopped does not go."""


@needs(Permission.CONVERSATION_RELINK)
def relink(
    unit: WriteUnit, conversation_id: int, patient_id: int, *, reason: str, with_number: bool = False
) -> tuple[int, int]:
    """Say that the conversation is another patient's, with a coded reason; returns both patients' ids.

    What is still queued to the patient before is suppressed. The number or address it came from
    stays on that patient's record, unless `with_number` moves it; one that an import gave stays
    there all the same. What was merged into it goes along, and so do the open tasks that come
    from it. The audit of both patients says so. A danger is relinked by clinicians,
    once it is acknowledged: whoever is called must be the one who wrote.
    """
    conversation = current(unit, conversation_id)
    held_for_clinicians(unit, conversation, "move to another patient")
    coded(dict(conversation.rules.outcomes.relink), reason, "reason for moving it to another patient")
    before, after = _both(unit, conversation, patient_id)
    stopped = suppress_in(unit, conversation_id, STOPPED)
    number = _with_its_number(unit, conversation, before, after) if with_number else {}
    family = _merged_along(unit, conversation_id, before)
    _is_with(unit, dict.fromkeys(family, after))
    tasks = refile(unit, [conversation_id, *family], before, after)
    values: dict[str, Any] = {"patient_id": after}
    if stopped:
        values |= open_again(conversation, unit.now) | next_action(unit, conversation_id, STOPPED_ACTION)
    also = {
        "conversation": conversation_id,
        "stopped": stopped,
        "before": before,
        "after": after,
        "family": list(family.items()),
        "tasks": list(tasks.items()),
        **number,
    }
    words = f"from P-{before} to P-{after}"
    if stopped:
        ask_again(
            unit, conversation, Verb.RELINKED, values, stopped, reason=reason, words=words, undoable=True, also=also
        )
    else:
        change(unit, conversation, Verb.RELINKED, values, reason=reason, words=words, undoable=True, also=also)
    _audit_both(unit, conversation_id, before, after, reason)
    return before, after


def relink_back(unit: WriteUnit, also: Mapping[str, Any]) -> dict[str, Any]:
    """Put back what was merged into it, its tasks, its number, and what was stopped; the columns are the undo's.

    An answer that was stopped more than an hour ago is not sent out of the blue, but is its
    author's draft again. Returns the columns that are then not as before: it waits for us.
    """
    number: int = also["conversation"]
    _is_with(unit, {number: also["before"], **dict(also["family"])})
    file_back(unit, dict(also["tasks"]))
    late = _stopped_long_ago(unit, also["stopped"])
    queue_again(unit, [each for each in also["stopped"] if each not in late], HELD_AGAIN)
    for message_id in late:
        keep_as_draft(unit, number, message_id)
    point = also.get("contact_point")
    if point is not None and also["given"]:
        unlink_contact(unit, also["after"], point)
    if point is not None and also["taken"]:
        link_contact(unit, also["before"], point)
    _audit_both(unit, number, also["after"], also["before"], "undone")
    if not late:
        return {}
    row = current(unit, number).row
    return {**{name: row[name] for name in _OPEN_AGAIN}, **next_action(unit, number, DRAFT_AGAIN)}


def _merged_along(unit: ReadUnit, conversation_id: int, before: int) -> dict[int, int]:
    """What was merged into it and is with the patient before, each under whatever record of theirs."""
    _, *merged = merged_family(unit, conversation_id)
    rows = unit.execute(
        select(Conversation.id, Conversation.patient_id)
        .join(Patient, Patient.id == Conversation.patient_id)
        .where(Conversation.id.in_(merged), select(ROOT).where(Patient.id == before).scalar_subquery() == ROOT)
    )
    return {row.id: row.patient_id for row in rows}


def _is_with(unit: WriteUnit, patients: Mapping[int, int]) -> None:
    """Say whose these conversations are, as part of what is done to the one they were merged into."""
    for number, patient_id in sorted(patients.items()):
        unit.execute(update(Conversation).where(Conversation.id == number).values(patient_id=patient_id))
    if patients:
        unit.audit(Tag.CONVERSATION_RELINKED, *sorted(patients))


def _stopped_long_ago(unit: ReadUnit, message_ids: Sequence[int]) -> list[int]:
    return unit.scalars(
        select(Outbox.message_id)
        .where(
            Outbox.message_id.in_(message_ids),
            Outbox.state == Delivery.SUPPRESSED,
            Outbox.settled_at < unit.now - STILL_SAYS_SO,
        )
        .order_by(Outbox.message_id)
    )


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
