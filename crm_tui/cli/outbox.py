"""`crm outbox`: what is to leave, what left, and what a person must look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.errors import UsageError
from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session
from crm_tui.ids import Kind, show_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_core.channels.outbox import OutboxRow
    from crm_core.timers.model import DeadTimer

app = group("What is queued, sent, failed or unknown.", alone=True)

_STATES = ("queued", "sending", "sent", "failed", "unknown", "suppressed", "taken_back", "held", "expired")
_DEAD = "dead"
"""What was given up after its last try: failed messages are among it."""

_Id = Annotated[int, typer.Argument(metavar="ID", help="The row's number in the outbox.")]


@app.callback(epilog="crm outbox --state unknown")
def list_outbox(
    ctx: typer.Context,
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            metavar="S",
            help=f"Only rows in this state: {', '.join(_STATES)}; {_DEAD} is all that was given up, timers too.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many rows.")] = 50,
) -> None:
    """What is queued, sent, failed or unknown, newest first; --json and `crm show` give every reason."""
    if ctx.invoked_subcommand is not None:
        return
    from crm_core.channels import outbox, undelivered
    from crm_core.channels.model import Delivery
    from crm_core.timers import queries

    if state is not None and state not in (*_STATES, _DEAD):
        raise UsageError(problem=f"There is no state {state}", remedy=f"choose from {', '.join((*_STATES, _DEAD))}")
    session = Session.of(ctx)
    with session.reading() as unit:
        if state == _DEAD:
            rows: Sequence[OutboxRow] = undelivered.given_up(unit, limit=limit)
            timers: Sequence[DeadTimer] = queries.dead_timers(unit, limit=limit)
        else:
            rows, timers = outbox.outbox(unit, state=Delivery(state) if state else None, limit=limit), ()
    session.show(
        [*map(_document, rows), *map(_timer, timers)],
        people=[*map(_dead, rows), *map(_dead_timer, timers)] if state == _DEAD else [*map(_line, rows)],
        empty=f"No row is {state}." if state else "Nothing is in the outbox.",
    )


@command(app, "resolve", example="crm outbox resolve 311 --sent")
def resolve(
    ctx: typer.Context,
    row: _Id,
    sent: Annotated[
        bool | None, typer.Option("--sent/--not-sent", help="What you found: it was sent, or it was not. Required.")
    ] = None,
) -> None:
    """Settle an unknown row by hand; one that was not sent is due again at once."""
    from crm_core.channels import outbox

    if sent is None:
        raise UsageError(problem="It is not said what you found", remedy="give --sent or --not-sent")
    session = Session.of(ctx)
    with session.writing() as unit:
        outbox.resolve(unit, row, sent=sent, observers=session.crm.observers)
    _show_row(session, row)


@command(app, "retry", example="crm outbox retry --timer 12")
def retry(
    ctx: typer.Context,
    row: _Id,
    timer: Annotated[bool, typer.Option("--timer", help="The number is that of a dead timer, not of a row.")] = False,
) -> None:
    """Try again, now and with all its tries: a failed row, or a dead timer; the contact rules are asked once more."""
    from crm_core.channels import undelivered
    from crm_core.timers.service import retry_timer

    session = Session.of(ctx)
    if timer:
        with session.writing() as unit:
            retry_timer(unit, row)
        session.show({"timer": row, "state": "waiting"})
        return
    with session.writing() as unit:
        undelivered.retry(unit, row, observers=session.crm.observers)
    _show_row(session, row)


def _show_row(session: Session, row: int) -> None:
    from crm_core.channels import outbox

    with session.reading() as unit:
        session.show(_document(outbox.outbox_row(unit, row)))


def _line(row: OutboxRow) -> dict[str, Any]:
    """What fits on a line: how it ended, or else when it is due."""
    return {
        "outbox": row.id,
        "conversation": show_id(Kind.CONVERSATION, row.conversation_id),
        "channel": row.channel,
        "state": f"{row.state}, delivered" if row.reported == "delivered" else row.state,
        "due_or_ended": row.settled_at or row.due_at,
        "tries": row.tries,
        "why": row.failure or row.waits,
    }


def _dead(row: OutboxRow) -> dict[str, Any]:
    """A message that was given up, in the columns of whatever was."""
    return {
        "id": row.id,
        "kind": "message",
        "about": show_id(Kind.CONVERSATION, row.conversation_id),
        "given_up": row.settled_at,
        "tries": row.tries,
        "why": row.failure,
    }


def _dead_timer(timer: DeadTimer) -> dict[str, Any]:
    return {
        "id": timer.id,
        "kind": f"timer: {timer.kind}",
        "about": timer.subject_id,
        "given_up": timer.died_at,
        "tries": timer.tries,
        "why": timer.failure,
    }


def _timer(timer: DeadTimer) -> dict[str, Any]:
    return {
        "timer": timer.id,
        "kind": timer.kind,
        "subject": timer.subject_id,
        "state": "dead",
        "due_at": timer.due_at,
        "settled_at": timer.died_at,
        "tries": timer.tries,
        "failure": timer.failure,
    }


def _document(row: OutboxRow) -> dict[str, Any]:
    return {
        "outbox": row.id,
        "kind": "message",
        "message": row.message_id,
        "conversation": show_id(Kind.CONVERSATION, row.conversation_id),
        "patient": show_id(Kind.PATIENT, row.patient_id),
        "channel": row.channel,
        "state": row.state,
        "due_at": row.due_at,
        "settled_at": row.settled_at,
        "reported": row.reported,
        "reported_at": row.reported_at,
        "report_code": row.report_code,
        "tries": row.tries,
        "failure": row.failure,
        "why": list(row.why),
    }
