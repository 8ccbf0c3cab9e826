"""The console's verbs on a conversation, for scripts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from crm_core.access.model import Role
from crm_core.errors import UsageError
from crm_tui.cli.command import command, group
from crm_tui.cli.conversation import named, show_conversation, work_on
from crm_tui.cli.session import Session
from crm_tui.cli.texts import given_text
from crm_tui.ids import conversation_id

if TYPE_CHECKING:
    from crm_core.work.units import WriteUnit

app = group("Work on a conversation.")

Conversation = Annotated[str, typer.Argument(metavar="C-…", help="The conversation's id.")]
Text = Annotated[
    str | None,
    typer.Option("--text", help="The text; without it, or with -, it is read from standard input, unseen by `ps`."),
]
Words = Annotated[str | None, typer.Option("--words", help="What else the next person should know.")]


@command(app, "reply", example='crm reply C-1042 --template refill_received --text "It is at the front desk."')
def reply(
    ctx: typer.Context,
    conversation: Conversation,
    template: Annotated[
        str | None,
        typer.Option("--template", metavar="NAME", help="An approved template; --text is its personal part."),
    ] = None,
    text: Text = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="When it goes: 2026-11-24T09:00, or a span. `crm later` changes it."),
    ] = None,
) -> None:
    """Answer a conversation; the answer is queued at once, and waits for no one to take it back."""
    from crm_core.inbox.answering import scheduling
    from crm_core.inbox.answering.filling import filled
    from crm_core.inbox.answering.macros import answer
    from crm_tui.cli.times import moment

    session = Session.of(ctx)
    number = named(session, conversation)
    written = given_text(text) if template is None or text == "-" else text
    with session.writing() as unit:
        version, then = None, None
        if template is not None:
            text_made = filled(unit, session.crm.gate, number, template, personal=written)
            written, version, then = text_made.text, text_made.version_id, text_made.then
        assert written is not None
        if at is not None:
            when = moment(at, unit.now)
            scheduling.send_later(unit, session.crm.gate, number, written, at=when, template_version_id=version)
            said = f"what its template does besides is not done for one that goes later: {then}"
            not_done: tuple[str, ...] = (said,) if then else ()
        else:
            not_done = answer(unit, session.crm.gate, number, written, template_version_id=version).not_done
    for sentence in not_done:
        session.say(f"The answer goes, and that is all: {sentence}")
    show_conversation(session, number)


@command(app, "close", example="crm close C-1042 --outcome resolved")
def close(  # noqa: PLR0917 - typer passes them by name
    ctx: typer.Context,
    conversation: Conversation,
    outcome: Annotated[str, typer.Option("--outcome", metavar="O", help="How it ended, a key of the playbook's.")],
    words: Words = None,
    category: Annotated[
        str | None,
        typer.Option("--complaint-category", metavar="K", help="What a complaint was about, a key of the playbook's."),
    ] = None,
    answered: Annotated[
        datetime | None,
        typer.Option("--answered", metavar="DATE", formats=["%Y-%m-%d"], help="When a complaint was answered."),
    ] = None,
) -> None:
    """Close a conversation with its outcome; a complaint also needs its category and the date of the answer."""
    from crm_core.inbox import complaints, handling

    if (category is None) != (answered is None):
        raise UsageError(problem="A complaint is closed with both", remedy="give --complaint-category and --answered")
    end = None
    if category is not None and answered is not None:
        end = complaints.ComplaintEnd(category=category, answered_on=answered.date())

    def work(unit: WriteUnit, number: int) -> None:
        handling.close(unit, number, outcome=outcome, words=words, complaint=end)

    work_on(ctx, conversation, work)


@command(app, "move", example="crm move C-1042 --lane billing --reason wrong_lane")
def move(
    ctx: typer.Context,
    conversation: Conversation,
    lane: Annotated[str, typer.Option("--lane", metavar="LANE", help="The lane to move it to.")],
    reason: Annotated[str, typer.Option("--reason", metavar="R", help="Why, a key of the playbook's.")],
    words: Words = None,
) -> None:
    """Move a conversation to another lane; a third time between the same two is refused."""
    from crm_core.inbox import handling

    moved: list[bool] = []

    def work(unit: WriteUnit, number: int) -> None:
        moved.append(handling.move(unit, number, lane=lane, reason=reason, words=words))

    work_on(ctx, conversation, work)
    if not moved[0]:
        raise handling.PassedToAndFro(conversation_id=conversation_id(conversation))


@command(app, "assign", example="crm assign C-1042 --to maria")
def assign(
    ctx: typer.Context,
    conversation: Conversation,
    to: Annotated[str | None, typer.Option("--to", metavar="LOGIN", help="Whose it is; yours without it.")] = None,
    *,
    anyway: Annotated[bool, typer.Option("--anyway", help="Even to who is absent, or holds enough.")] = False,
) -> None:
    """Give a conversation to somebody."""
    from crm_core.access import queries
    from crm_core.inbox import handling

    def work(unit: WriteUnit, number: int) -> None:
        staff_id = unit.actor.staff_id if to is None else queries.by_login(unit, to).id
        handling.assign(unit, number, staff_id, anyway=anyway)

    work_on(ctx, conversation, work)


@command(app, "snooze", example="crm snooze C-1042 --until 2d --action 'Ask the pharmacy again'")
def snooze(  # noqa: PLR0917 - typer hands over every option by its name
    ctx: typer.Context,
    conversation: Conversation,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="2026-11-24T09:00, or a span: 2h, 3d.")
    ] = None,
    reply: Annotated[bool, typer.Option("--reply", help="Until they reply, however long, in place of a time.")] = False,
    even_if_reply: Annotated[
        bool, typer.Option("--even-if-reply", help="Until the time though they reply, unless it is urgent.")
    ] = False,
    action: Annotated[str | None, typer.Option("--action", help="What is to be done then.")] = None,
) -> None:
    """Put a conversation aside until a time; it comes back sooner if the patient writes.

    With --reply it comes back when they write, or at the lane's follow-up date if they do not.
    """
    from crm_core.inbox import handling
    from crm_tui.cli.times import moment

    if (until is None) != reply or (reply and even_if_reply):
        raise UsageError(
            problem="Say one of --until, --until with --even-if-reply, or --reply", remedy="see `crm snooze --help`"
        )

    def work(unit: WriteUnit, number: int) -> None:
        at = None if until is None else moment(until, unit.now)
        handling.snooze(unit, number, until=at, even_if_reply=even_if_reply, action=action)

    work_on(ctx, conversation, work)


@command(app, "note", example="crm note C-1042 < note.txt")
def note(ctx: typer.Context, conversation: Conversation, text: Text = None) -> None:
    """Write an internal note; it never leaves the house and stops no clock."""
    from crm_core.inbox.answering import answers

    written = given_text(text)
    work_on(ctx, conversation, lambda unit, number: answers.note(unit, number, written))


@command(app, "escalate", example='crm escalate C-1042 --to supervisor --reason upset --text "Please call today."')
def escalate(
    ctx: typer.Context,
    conversation: Conversation,
    reason: Annotated[str, typer.Option("--reason", metavar="R", help="Why, a key of the playbook's.")],
    to: Annotated[Role, typer.Option("--to", help="supervisor, nurse, or, by a nurse, physician.")] = Role.SUPERVISOR,
    text: Text = None,
) -> None:
    """Hand a conversation up, with one question; the text is the question."""
    from crm_core.inbox import handling

    question = given_text(text)
    work_on(
        ctx, conversation, lambda unit, number: handling.escalate(unit, number, to=to, reason=reason, question=question)
    )
