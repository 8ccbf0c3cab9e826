"""`crm undo`: take back what I did last, or any one act that can still be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.errors import UsageError
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, conversation_id, show_id

if TYPE_CHECKING:
    from datetime import datetime

    from crm_core.inbox.journal import Act, TakenBack

app = group("Take back what you did.")


@command(app, "undo", example="crm undo C-1042")
def undo(
    ctx: typer.Context,
    conversation: Annotated[
        str | None, typer.Argument(metavar="[C-…]", help="The last thing you did there; anywhere without it.")
    ] = None,
    act: Annotated[int | None, typer.Option("--act", metavar="N", help="That act of --list.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Your last 50 acts, and what stands against each.")] = False,
) -> None:
    """Take back what you did last; what was done to several at once is taken back at once."""
    from crm_core.inbox import journal

    if sum((conversation is not None, act is not None, listed)) > 1:
        raise UsageError(problem="That is more than one thing", remedy="give a conversation, --act or --list")
    session = Session.of(ctx)
    if listed:
        with session.reading() as unit:
            acts, now = journal.journal(unit), unit.now
        session.show([_document(one, now) for one in acts], empty="Nothing of yours can be taken back.")
        return
    number = None if conversation is None else conversation_id(conversation)
    with session.reading() as unit:
        rows = journal.rows_of_last(unit, number) if act is None else journal.rows_of(unit, act)
    taken = _take_back(session, rows)
    session.show(
        {
            "verb": taken.verb,
            "done": [show_id(Kind.CONVERSATION, one) for one in taken.done],
            "left": [{"conversation": show_id(Kind.CONVERSATION, one), "why": why} for one, why in taken.left],
        }
    )
    if taken.left:
        raise typer.Exit(1)


def _take_back(session: Session, rows: list[int]) -> TakenBack:
    """In units of fifty, so that nobody waits behind it."""
    from crm_core.inbox.journal import TakenBack, take_back
    from crm_core.inbox.lists.bulk import in_units

    parts = []
    for some in in_units(rows):
        with session.writing() as unit:
            parts.append(take_back(unit, some, alone=len(rows) == 1))
    return TakenBack(
        verb=parts[0].verb,
        done=tuple(one for part in parts for one in part.done),
        left=tuple(one for part in parts for one in part.left),
    )


def _document(act: Act, now: datetime) -> dict[str, Any]:
    held = None if act.held_until is None else max(0, round((act.held_until - now).total_seconds()))
    return {
        "act": act.number,
        "at": act.at,
        "verb": act.verb,
        "conversation": show_id(Kind.CONVERSATION, act.conversation_id),
        "count": act.count,
        "possible": act.possible,
        "held_seconds": held,
        "why_not": act.why_not,
    }
