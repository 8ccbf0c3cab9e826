"""`crm handoff`: what I own and would hand over, and what a colleague hands over to me."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.conversation import named
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, show_id

if TYPE_CHECKING:
    from crm_core.inbox.model import QueueItem
    from crm_core.inbox.sharing.escalation import Raised
    from crm_core.inbox.sharing.handover_lists import Handed, Mine
    from crm_core.work.units import WriteUnit

app = group("What I own, what I hand over, and what is handed to me.", alone=True)

Conversation = Annotated[str, typer.Argument(metavar="C-…", help="The conversation's id.")]
Conversations = Annotated[list[str], typer.Argument(metavar="C-…", help="The conversations' ids.")]


@app.callback(epilog="crm handoff --json")
def list_handoff(ctx: typer.Context) -> None:
    """What is handed to me, what I own (first what has no next step), what I escalated and nobody accepted."""
    if ctx.invoked_subcommand is None:
        _show(Session.of(ctx))


@command(app, "offer", example='crm handoff offer --to tom C-1042 C-1043 --words "Both call back at 4."')
def offer(
    ctx: typer.Context,
    conversations: Conversations,
    to: Annotated[str, typer.Option("--to", metavar="LOGIN", help="Who is to have them.")],
    words: Annotated[str | None, typer.Option("--words", help="What they should know.")] = None,
) -> None:
    """Offer conversations of mine to a colleague; they stay mine until accepted, one by one."""
    from crm_core.access import queries
    from crm_core.inbox.sharing import handover

    session = Session.of(ctx)
    with session.reading() as unit:
        to_id = queries.by_login(unit, to).id
    _each(session, conversations, lambda unit, number: handover.offer(unit, number, to_id, words=words))


@command(app, "accept", example="crm handoff accept C-1042")
def accept(ctx: typer.Context, conversations: Conversations) -> None:
    """Accept what was handed to me: it is mine from now on."""
    from crm_core.inbox.sharing import handover

    _each(Session.of(ctx), conversations, handover.accept)


@command(app, "decline", example='crm handoff decline C-1042 --words "I leave at noon."')
def decline(
    ctx: typer.Context,
    conversation: Conversation,
    words: Annotated[str, typer.Option("--words", help="Why; the giver reads it.")],
) -> None:
    """Leave what was handed to me with its owner, and say why."""
    from crm_core.inbox.sharing import handover

    _each(Session.of(ctx), [conversation], lambda unit, number: handover.decline(unit, number, words))


@command(app, "withdraw", example="crm handoff withdraw C-1042")
def withdraw(ctx: typer.Context, conversations: Conversations) -> None:
    """Take my offer back and keep the conversation."""
    from crm_core.inbox.sharing import handover

    _each(Session.of(ctx), conversations, handover.withdraw)


def _each(session: Session, conversations: list[str], act: Callable[[WriteUnit, int], object]) -> None:
    """Do it to each in a unit of its own; what is refused stops no other, is said, and makes the exit code 1."""
    from crm_core.errors import CrmError

    numbers = [named(session, one) for one in conversations]
    refused: list[str] = []
    for number in numbers:
        try:
            with session.writing() as unit:
                act(unit, number)
        except CrmError as error:
            if len(numbers) == 1:
                raise
            refused.append(error.message)
    _show(session)
    for said in refused:
        session.say(said)
    if refused:
        raise typer.Exit(1)


def _show(session: Session) -> None:
    from crm_core.inbox.sharing import escalation, handover_lists

    with session.reading() as unit:
        handed = handover_lists.handed_to_me(unit)
        mine = handover_lists.mine_unfinished(unit)
        raised = escalation.escalated_by_me(unit)
    document = {
        "handed_to_me": [_handed(one) for one in handed],
        "mine": [_mine(one) for one in mine],
        "escalated": [_raised(one) for one in raised],
    }
    people = {
        "handed_to_me": [{**_handed(one), **_named(one.item)} for one in handed],
        "mine": [{**_mine(one), **_named(one.item)} for one in mine],
        "escalated": document["escalated"],
    }
    session.show(
        document, people=people if any(people.values()) else [], empty="You own nothing, and nothing is handed to you."
    )


def _item(item: QueueItem) -> dict[str, Any]:
    return {
        "conversation": show_id(Kind.CONVERSATION, item.conversation_id),
        "patient": show_id(Kind.PATIENT, item.patient_id),
        "lane": item.lane,
        "state": item.state,
    }


def _named(item: QueueItem) -> dict[str, Any]:
    return {"patient": item.patient_name or "unknown sender"}


def _handed(one: Handed) -> dict[str, Any]:
    return {
        **_item(one.item),
        "from": one.giver,
        "offered_at": one.offered_at,
        "next_action": one.next_action,
        "words": one.words,
    }


def _mine(one: Mine) -> dict[str, Any]:
    return {
        **_item(one.item),
        "unfinished": one.unfinished,
        "comes_back_at": one.comes_back_at,
        "next_action": one.next_action,
        "offered_to": one.offered_to,
        "declined_by": one.declined_by,
        "words": one.words,
    }


def _raised(one: Raised) -> dict[str, Any]:
    return {
        "conversation": show_id(Kind.CONVERSATION, one.conversation_id),
        "lane": one.lane,
        "state": one.state,
        "owner": one.owner,
        "due_at": one.due_at,
    }
