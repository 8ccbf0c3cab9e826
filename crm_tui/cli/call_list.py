"""`crm calls`: whom to call, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.cli.texts import given_text
from crm_tui.ids import Kind, read_id, show_id

if TYPE_CHECKING:
    from crm_core.channels.calling.model import CallLine, Tried

app = group("Whom to call, and what came of it.")


@command(app, "list", example="crm calls list --mine")
def list_calls(
    ctx: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="Only those I own, or that wait for one of my roles.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many calls.")] = 50,
) -> None:
    """The calls to make, those due first on top, with the number to dial."""
    from crm_core.channels.calling.queries import call_list

    session = Session.of(ctx)
    with session.reading() as unit:
        found = call_list(unit, session.crm.gate, mine=mine, limit=limit)
    people = [
        {
            "task": show_id(Kind.TASK, one.task_id),
            "due_at": one.due_at,
            "patient": one.patient_name,
            "number": one.number or f"do not call: {one.refused}",
            "title": one.title,
            "tried": f"{one.attempts} of {one.max_attempts}",
            "last": one.last_outcome,
        }
        for one in found
    ]
    session.show([_line(one) for one in found], people=people, empty="Nobody is to be called.")


@command(app, "log", example="crm calls log T-5 --outcome no_answer --next 3h")
def log(
    ctx: typer.Context,
    *,
    task: Annotated[str, typer.Argument(metavar="T-…", help="The call's task.")],
    outcome: Annotated[str, typer.Option("--outcome", metavar="O", help="How it ended, a key of the playbook's.")],
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="R", help="What it was about, a key of the playbook's.")
    ] = None,
    next_call: Annotated[
        str | None, typer.Option("--next", metavar="TIME", help="When to call again: 2026-11-24T09:00, 2h, 3d.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="What was said; - reads it from standard input, unseen by `ps`.")
    ] = None,
) -> None:
    """Log a call that was made: who was reached is done with, who was not is called again, three times at most."""
    from crm_core.inbox.answering.call_list import log_listed_call
    from crm_tui.cli.times import moment

    number = read_id(task, Kind.TASK)[1]
    session = Session.of(ctx)
    words = given_text(text) if text is not None else None
    at = moment(next_call, session.clock.now()) if next_call is not None else None
    with session.writing() as unit:
        became = log_listed_call(
            unit, session.crm.gate, number, outcome=outcome, words=words, reason=reason, next_call_at=at
        )
    session.show(_became(became))
    if became.because is not None:
        session.say("Nothing was logged: this patient may not be called, and the call is off the list.")
        raise typer.Exit(1)


def _line(one: CallLine) -> dict[str, Any]:
    return {
        "task": show_id(Kind.TASK, one.task_id),
        "due_at": one.due_at,
        "title": one.title,
        "patient": show_id(Kind.PATIENT, one.patient_id),
        "number": one.number,
        "refused": one.refused,
        "attempts": one.attempts,
        "max_attempts": one.max_attempts,
        "last_outcome": one.last_outcome,
        "owner": one.owner,
        "role": one.role,
    }


def _became(became: Tried) -> dict[str, Any]:
    return {
        "task": show_id(Kind.TASK, became.task_id),
        "state": became.state,
        "attempts": became.attempts,
        "max_attempts": became.max_attempts,
        "next_at": became.next_at,
        "because": became.because,
    }
