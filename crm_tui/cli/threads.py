"""Threads, for scripts: merging, splitting, another patient, another category, answers set for later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from crm_core.errors import UsageError
from crm_core.words import Priority
from crm_tui.cli.command import command, group
from crm_tui.cli.conversation import named, show_conversation, work_on
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, patient_id, show_id

if TYPE_CHECKING:
    from crm_core.work.units import WriteUnit

app = group("Set threads right.")

Conversation = Annotated[str, typer.Argument(metavar="C-…", help="The conversation's id.")]


@command(app, "later", example="crm later C-1042 --at 2026-11-24T09:00")
def later(
    ctx: typer.Context,
    conversation: Conversation,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it goes instead, or a span: 2h.")] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Take it back; its text is its author's draft.")] = False,
) -> None:
    """Change the time of an answer set for later, or take it back; `crm reply --at` sets one."""
    from crm_core.inbox.answering import scheduling
    from crm_tui.cli.times import moment

    if (at is None) != cancel:
        raise UsageError(problem="Say either --at with a time, or --cancel", remedy="see `crm later --help`")

    def work(unit: WriteUnit, number: int) -> None:
        if at is None:
            scheduling.send_no_more(unit, number)
        else:
            scheduling.send_at_another_time(unit, number, moment(at, unit.now))

    work_on(ctx, conversation, work)


@command(app, "classify", example="crm classify C-1042 --category billing --priority urgent")
def classify(
    ctx: typer.Context,
    conversation: Conversation,
    category: Annotated[
        str | None, typer.Option("--category", metavar="KEY", help="What it is about, a key of the playbook's.")
    ] = None,
    priority: Annotated[Priority | None, typer.Option("--priority", help="How urgent it is.")] = None,
) -> None:
    """Say what a conversation is about, and how urgent; its clocks follow, its lane stays."""
    from crm_core.inbox import classifying

    work_on(
        ctx,
        conversation,
        lambda unit, number: classifying.classify(unit, number, category=category, priority=priority),
    )


@command(app, "duplicates", example="crm duplicates C-1042")
def duplicates(ctx: typer.Context, conversation: Conversation) -> None:
    """What else is open of the same person, or says the same; the same text by two channels within an hour."""
    from crm_core.inbox.threads.duplicates import duplicates as found_in

    session = Session.of(ctx)
    number = named(session, conversation)
    with session.reading() as unit:
        found = found_in(unit, number)
    session.show(
        [
            {
                "conversation": show_id(Kind.CONVERSATION, each.conversation_id),
                "lane": each.lane,
                "category": each.category,
                "channel": each.channel,
                "state": each.state,
                "same_person": each.same_person,
                "same_text": each.same_text,
            }
            for each in found
        ],
        empty="Nothing else is open.",
    )


@command(app, "merge", example="crm merge C-1043 --into C-1042")
def merge(
    ctx: typer.Context,
    conversation: Conversation,
    into: Annotated[str, typer.Option("--into", metavar="C-…", help="The one that is kept.")],
) -> None:
    """Merge a conversation into another of the same person; its id then stands for that one."""
    from crm_core.inbox.threads import merging
    from crm_tui.ids import conversation_id

    work_on(ctx, into, lambda unit, kept: merging.merge(unit, kept, conversation_id(conversation)))


@command(app, "split", example="crm split C-1042 --from 88 --lane billing")
def split(
    ctx: typer.Context,
    conversation: Conversation,
    onward: Annotated[
        int | None, typer.Option("--from", metavar="N", help="This message and all after it, as `crm show` numbers it.")
    ] = None,
    message: Annotated[
        list[int] | None, typer.Option("--message", metavar="N", help="This message; repeat it for more.")
    ] = None,
    lane: Annotated[
        str | None, typer.Option("--lane", metavar="LANE", help="Where it goes; where the rules say without it.")
    ] = None,
) -> None:
    """Make a conversation of its own out of some messages; it is the same patient's, and is shown."""
    from crm_core.inbox.threads import splitting

    if (onward is None) == (not message):
        raise UsageError(problem="Say either --from, or --message once or more", remedy="see `crm split --help`")
    session = Session.of(ctx)
    number = named(session, conversation)
    with session.writing() as unit:
        made = splitting.split(unit, number, from_message=onward, message_ids=message or (), lane=lane)
    show_conversation(session, made)


@command(app, "relink", example="crm relink C-1042 --to P-12 --reason wrong_patient")
def relink(
    ctx: typer.Context,
    conversation: Conversation,
    to: Annotated[str, typer.Option("--to", metavar="P-…", help="The patient whose it is.")],
    reason: Annotated[str, typer.Option("--reason", metavar="R", help="Why, a key of the playbook's.")],
    with_number: Annotated[
        bool, typer.Option("--with-number", help="The number or address it came from is theirs, too.")
    ] = False,
) -> None:
    """Move a conversation to another patient; what is queued to the one before is stopped."""
    from crm_core.inbox.threads import relinking

    patient = patient_id(to)
    work_on(
        ctx,
        conversation,
        lambda unit, number: relinking.relink(unit, number, patient, reason=reason, with_number=with_number),
    )
