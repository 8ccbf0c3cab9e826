"""Answering: a reply, an internal note, and what follows when staff spoke last."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert

from crm_core.access.model import Permission, Role
from crm_core.access.needs import needs
from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.outbox import Posting, post
from crm_core.errors import CrmError, UsageError
from crm_core.inbox.answering.drafts import drop_draft
from crm_core.inbox.answering.newest import newest_in
from crm_core.inbox.answering.recipients import Recipient, recipient
from crm_core.inbox.answering.still_meant import one_patient
from crm_core.inbox.model import State, Turn, Verb
from crm_core.inbox.record import Current, change, current, in_lane, may_put_aside, next_action, resolved, still_open
from crm_core.inbox.rules import DANGER_LANE, PHYSICIAN_LANE
from crm_core.inbox.sharing.assignment import share_out
from crm_core.inbox.sharing.escalation import accepted, to_who_asked
from crm_core.inbox.tables import Note
from crm_core.library.model import TemplateState
from crm_core.library.queries import version
from crm_core.vault.fields import Field
from crm_core.words import Channel
from crm_core.work.units import WriteUnit

AWAIT_ANSWER = "Wait for the patient's answer"
PHYSICIAN_ANSWERED = "The physician has answered: read the note, then act on it"


class EmptyText(UsageError):
    """There is no text; write one, or choose a template for an answer."""


class NotThisTemplate(CrmError):
    """The template behind this text may not be sent any more; choose another, or write freely."""


class SomethingNewer(CrmError):
    """A newer message is in C-{conversation_id}; read it first, your draft is kept."""


class AnotherPatient(CrmError):
    """C-{conversation_id} is with another patient now; read whom this would go to, your draft is kept."""


@needs(Permission.MESSAGE_SEND)
def reply(
    unit: WriteUnit,
    gate: Gate,
    conversation_id: int,
    text: str,
    *,
    subject: str | None = None,
    template_version_id: int | None = None,
    hold: timedelta = timedelta(0),
    seen_message_id: int | None = None,
    seen_patient_id: int | None = None,
) -> int:
    """Queue an answer and wait for the patient; returns the message's id.

    `hold` is how long it may be taken back. `seen_message_id` is the newest that the author had
    before them (`ConversationView.newest_message_id`): a newer message, or others that were
    brought in or taken away since, refuses the sending (two at one desk), and so does another
    patient than `seen_patient_id`, to whom it was written (wrong patient). Raises NotSendable
    where the gate says no.
    """
    if not text.strip():
        raise EmptyText
    conversation = current(unit, resolved(unit, conversation_id))
    still_open(conversation, "answer")
    message_id = queued(
        unit,
        gate,
        conversation,
        text,
        subject=subject,
        template_version_id=template_version_id,
        hold=hold,
        seen_message_id=seen_message_id,
        seen_patient_id=seen_patient_id,
    )
    change(
        unit,
        conversation,
        Verb.REPLIED,
        spoke_last(unit, conversation),
        turn=Turn.ANSWERED,
        undoable=True,
        message_id=message_id,
    )
    return message_id


def queued(
    unit: WriteUnit,
    gate: Gate,
    conversation: Current,
    text: str,
    *,
    subject: str | None,
    template_version_id: int | None,
    seen_message_id: int | None,
    seen_patient_id: int | None,
    hold: timedelta = timedelta(0),
    planned_at: datetime | None = None,
) -> int:
    """Queue an answer of mine, for after its hold or for the time that was chosen, and drop my draft of it."""
    if seen_patient_id is not None and not one_patient(unit, seen_patient_id, conversation.row["patient_id"]):
        raise AnotherPatient(conversation_id=conversation.id)
    _nothing_newer(unit, conversation, seen_message_id)
    to = recipient(unit, gate, conversation)
    if template_version_id is not None:
        _still_approved(unit, conversation, template_version_id)
    subject = subject or _subject(to, conversation)
    message_id = post(
        unit,
        gate,
        Posting(
            conversation_id=conversation.id,
            candidate=Candidate(
                channel=to.channel,
                contact_point_id=to.contact_point_id,
                patient_id=conversation.row["patient_id"],
                text=text,
                first_name=to.first_name,
                subject=subject,
                template_version_id=template_version_id,
            ),
            author_id=unit.actor.staff_id,
            hold=hold,
            planned_at=planned_at,
        ),
    )
    drop_draft(unit, conversation.id, internal=False)
    return message_id


@needs(Permission.CONVERSATION_WORK)
def note(unit: WriteUnit, conversation_id: int, text: str) -> int:
    """Add an internal note, where an old id leads by now: it never leaves the house and stops no clock. Returns its id.

    A physician's note on what a nurse asked is the answer, and brings it back to that nurse.
    """
    if not text.strip():
        raise EmptyText
    conversation = current(unit, resolved(unit, conversation_id))
    note_id = unit.new_id("note")
    row = {
        "id": note_id,
        "conversation_id": conversation.id,
        "author_id": unit.actor.staff_id,
        "at": unit.now,
        "body_sealed": unit.seal(Field.NOTE_BODY, note_id, text),
    }
    unit.execute(insert(Note), [row])
    lies_there = conversation.lane == PHYSICIAN_LANE and conversation.state is not State.CLOSED
    asked = lies_there and Role.PHYSICIAN in unit.actor.roles
    values = _back_to_the_nurse(unit, conversation, PHYSICIAN_ANSWERED) if asked else {}
    change(unit, conversation, Verb.NOTED, values)
    if asked:
        share_out(unit, conversation.id)
    drop_draft(unit, conversation.id, internal=True)
    return note_id


def _nothing_newer(unit: WriteUnit, conversation: Current, seen_message_id: int | None) -> None:
    if seen_message_id is None:
        return
    if newest_in(unit, conversation.id) != seen_message_id:
        raise SomethingNewer(conversation_id=conversation.id)


def _still_approved(unit: WriteUnit, conversation: Current, version_id: int) -> None:
    """Between filling a template and sending it, it may have been retired or have passed its review."""
    view = version(unit, version_id)
    today = unit.now.astimezone(conversation.rules.clinic.zone).date()
    if view.state is not TemplateState.APPROVED or view.past_review(today):
        raise NotThisTemplate


def spoke_last(unit: WriteUnit, conversation: Current) -> dict[str, object]:
    """Staff spoke last: no response clock runs, and the conversation comes back if nobody answers.

    What holds an unacknowledged danger stays as open, unowned and due as it is, whoever has
    answered. What has ever alarmed waits for nothing unless a clinician has answered: it stays
    its owner's, free for clinicians where that was who answered. What is answered while it lies
    with physicians is the nurse's again who asked.
    """
    said = {"last_message_at": unit.now, "first_response_at": conversation.row["first_response_at"] or unit.now}
    if conversation.danger:
        return said
    follow_up = conversation.rules.follow_up(conversation.lane, unit.now)
    if not may_put_aside(unit, conversation):
        mine = conversation.owner_id == unit.actor.staff_id
        freed = {"owner_id": None, "taken_at": None} if mine else {}
        dated = {"follow_up_at": conversation.row["follow_up_at"] or follow_up}
        return {**said, **freed, **to_who_asked(conversation), **dated}
    return {
        **said,
        **accepted(unit, conversation.row, unit.actor.staff_id),
        **next_action(unit, conversation.id, AWAIT_ANSWER),
        "state": State.WAITING_PATIENT,
        "unscreened": False,
        "owner_id": conversation.owner_id or unit.actor.staff_id,
        "taken_at": None,
        "waiting_since": unit.now,
        "follow_up_at": follow_up,
        "snoozed_until": None,
        "snooze_holds": False,
        **to_who_asked(conversation),
    }


def _subject(to: Recipient, conversation: Current) -> str | None:
    """A letter's subject tells nothing of its matter."""
    return f"Message from {conversation.rules.clinic.name}" if to.channel is Channel.EMAIL else None


def _back_to_the_nurse(unit: WriteUnit, conversation: Current, action: str) -> dict[str, object]:
    """The columns of a conversation that a physician has done with: open, and owned by the nurse who asked."""
    return {
        **in_lane(DANGER_LANE, conversation.priority),
        **next_action(unit, conversation.id, action),
        "owner_id": conversation.row["escalated_by"],
        "taken_at": None,
        "state": State.OPEN,
        "snoozed_until": None,
        "snooze_holds": False,
    }
