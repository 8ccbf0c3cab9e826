"""`crm call`: a telephone call that was made, or came in."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from crm_core.errors import NotFound, UsageError
from crm_core.words import Channel
from crm_tui.cli.command import command, group
from crm_tui.cli.conversation import named, show_conversation
from crm_tui.cli.session import Session

app = group("Log telephone calls.")


@command(app, "call", example="crm call C-1042 --outcome no_answer --reason results --next 3h")
def call(
    ctx: typer.Context,
    *,
    conversation: Annotated[
        str | None, typer.Argument(metavar="[C-…]", help="The conversation it was about; or give --from.")
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option("--from", metavar="NUMBER", help="Who called us; the call is taken in as a message would be."),
    ] = None,
    outcome: Annotated[
        str | None, typer.Option("--outcome", metavar="O", help="How it ended, a key of the playbook's.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="R", help="What it was about, a key of the playbook's.")
    ] = None,
    inbound: Annotated[bool, typer.Option("--inbound", help="The patient called us.")] = False,
    next_call: Annotated[
        str | None, typer.Option("--next", metavar="TIME", help="When to call again: 2026-11-24T09:00, 2h, 3d.")
    ] = None,
    words: Annotated[
        str | None, typer.Option("--words", help="What was said; - reads it from standard input, unseen by `ps`.")
    ] = None,
) -> None:
    """Log a call: how it ended, what it was about, when the next one is."""
    session = Session.of(ctx)
    said = sys.stdin.read().strip() if words == "-" else words
    if (conversation is None) == (sender is None):
        raise UsageError(problem="A call is about one conversation or from one number", remedy="give C-… or --from")
    from crm_tui.cli.times import moment

    at = moment(next_call, session.clock.now()) if next_call is not None else None
    codes: dict[str, Any] = {"outcome": outcome, "reason": reason, "next_call_at": at}
    if sender is not None:
        if outcome is None and (reason is not None or at is not None):
            raise UsageError(
                problem="A call without an outcome has no reason and no next date", remedy="give --outcome"
            )
        _came_in(session, sender, said or "", codes)
        return
    if outcome is None:
        raise UsageError(problem="A call needs its outcome", remedy="give --outcome, a key of the playbook's")
    from crm_core.inbox.answering import calls

    assert conversation is not None
    number = named(session, conversation)
    with session.writing() as unit:
        calls.log_call(unit, number, words=said, inbound=inbound, **codes)
    show_conversation(session, number)


def _came_in(session: Session, sender: str, said: str, codes: dict[str, Any]) -> None:
    """Take the call in by the path of every message, then say how it ended; without an outcome it waits for one."""
    from crm_core.access.model import SYSTEM, Permission
    from crm_core.channels import inbound as pipeline
    from crm_core.channels.model import Inbound
    from crm_core.inbox.answering import calls

    if codes["outcome"] is None:
        session.permit(Permission.CONVERSATION_WORK)
    else:
        with session.reading() as reading:
            calls.check_call(reading, inbound=True, **codes)
    call = Inbound(channel=Channel.VOICE, sender=sender, text=said, at=session.clock.now(), is_call=True)
    # Who works on conversations answers the telephone, and so takes in this one as a gateway would.
    with session.crm.write(SYSTEM) as unit:
        received = pipeline.receive(unit, session.crm.receiver, call)
    number = received.conversation_id
    assert number is not None
    if codes["outcome"] is not None:
        try:
            with session.writing() as unit:
                calls.log_call(unit, number, words=None, inbound=True, of_message=received.message_id, **codes)
        except (NotFound, UsageError):
            session.say("The call is kept where it belongs, and its outcome is not: that conversation is not yours.")
    show_conversation(session, number)
