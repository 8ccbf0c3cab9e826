"""A conversation as the command line shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm_core.errors import NotFound
from crm_tui.ids import Kind, conversation_id, show_id

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

    from crm_core.channels.attachments import AttachmentView
    from crm_core.inbox.model import ConversationView, MessageView
    from crm_core.work.units import WriteUnit
    from crm_tui.cli.session import Session


def named(session: Session, text: str) -> int:
    """The number of the conversation that a person means by a `C-…`: the one it was merged into, where it was."""
    from crm_core.inbox.record import resolved

    typed = conversation_id(text)
    with session.reading() as unit:
        number = resolved(unit, typed)
    if number != typed:
        session.say(f"C-{typed} was merged into C-{number}.")
    return number


def work_on(ctx: typer.Context, conversation: str, work: Callable[[WriteUnit, int], object]) -> None:
    """Do something to one conversation, then show it as it is."""
    from crm_tui.cli.session import Session

    session = Session.of(ctx)
    number = named(session, conversation)
    with session.writing() as unit:
        work(unit, number)
    show_conversation(session, number)


def show_conversation(session: Session, number: int) -> None:
    """Print the conversation as it is now; its id alone where it has just left this person's lanes."""
    from crm_core.inbox import thread

    try:
        with session.reading() as unit:
            view = thread.conversation(unit, number)
    except NotFound:
        session.show({"conversation": show_id(Kind.CONVERSATION, number)})
        session.say("It is now in a lane that you do not see.")
        return
    session.show(document(view))


def document(view: ConversationView) -> dict[str, Any]:
    """The JSON form of a conversation with its thread."""
    return {
        "conversation": show_id(Kind.CONVERSATION, view.id),
        "patient": show_id(Kind.PATIENT, view.patient_id),
        "lane": view.lane,
        "category": view.category,
        "priority": view.priority,
        "state": view.state,
        "danger": view.danger,
        "unscreened": view.unscreened,
        "owner": view.owner,
        "next_owner": view.next_owner,
        "escalated_by_me": view.escalated_by_me,
        "next_action": view.next_action,
        "clock": view.clock,
        "clock_at": view.clock_at,
        "channel": view.channel,
        "reason": view.reason,
        "opened_at": view.opened_at,
        "waiting_since": view.waiting_since,
        "due_at": view.due_at,
        "first_response_at": view.first_response_at,
        "snoozed_until": view.snoozed_until,
        "even_if_reply": view.snooze_holds,
        "follow_up_at": view.follow_up_at,
        "sends_at": view.sends_at,
        "outcome": view.outcome,
        "closed_at": view.closed_at,
        "follows": show_id(Kind.CONVERSATION, view.follows_id),
        "merged_into": show_id(Kind.CONVERSATION, view.merged_into_id),
        "messages": [_message(message) for message in view.messages],
    }


def _attachment(one: AttachmentView) -> dict[str, Any]:
    return {
        "attachment": show_id(Kind.ATTACHMENT, one.id),
        "name": one.name,
        "type": one.media_type,
        "bytes": one.size,
        "withheld": one.withheld,
    }


def _message(message: MessageView) -> dict[str, Any]:
    return {
        "message": message.id,
        "at": message.at,
        "kind": "note" if message.internal else message.kind,
        "direction": message.direction,
        "channel": message.channel,
        "author": message.author,
        "subject": message.subject,
        "text": message.body,
        "attachments": [_attachment(one) for one in message.files],
        "attached": message.attachments,
        "call_outcome": message.call_outcome,
        "call_reason": message.call_reason,
        "next_call_at": message.next_call_at,
        "delivery": message.delivery,
        "reported": message.reported,
        "failure": message.failure,
        "apart": message.apart,
        "why": list(message.why),
    }
