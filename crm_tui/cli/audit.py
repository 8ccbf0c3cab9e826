"""`crm audit`: what was done and seen, by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

if TYPE_CHECKING:
    from crm_core.audit.report import Report

app = group("What was done and seen, by whom.")


@command(app, "verify", example="crm audit verify --json")
def verify(ctx: typer.Context) -> None:
    """Check every chain, and against the last checkpoint; exit code 1 when something was tampered with."""
    from crm_core.access import auditing

    session = Session.of(ctx)
    with session.reading() as unit:
        report = auditing.verify_chains(unit, session.settings.anchor)
    with session.writing() as unit:
        auditing.note_verified(unit, report)
    session.show(_report(report))
    if report.checkpoint is None:
        session.say(
            "No checkpoint was compared: run `crm poll` or `crm audit checkpoint`, and keep the anchor elsewhere."
        )
    if not report.ok:
        raise typer.Exit(1)


@command(app, "tail", example="crm audit tail --limit 50")
def tail(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many rows.")] = 20,
) -> None:
    """The newest rows, newest first; looking is recorded too."""
    from crm_core.access import auditing, queries

    session = Session.of(ctx)
    with session.writing() as unit:
        rows = auditing.newest(unit, limit)
    with session.reading() as unit:
        logins = {0: "system"} | {account.id: account.login for account in queries.staff(unit)}
    session.show(
        [
            {
                "at": row.at,
                "who": logins.get(row.actor_id, f"account {row.actor_id}"),
                "what": row.tag,
                "subject": row.subject,
                "ids": list(row.ids),
                "why": row.why,
                "outcome": row.outcome,
            }
            for row in rows
        ]
    )


@command(app, "checkpoint", example="crm audit checkpoint")
def checkpoint(ctx: typer.Context) -> None:
    """Sign the present end of every chain into the anchor."""
    from crm_core.access import auditing

    session = Session.of(ctx)
    session.signing = True
    with session.writing() as unit:
        made = auditing.make_checkpoint(unit, session.settings.anchor)
    document = None
    if made is not None:
        document = {"number": made.number, "at": made.at, "chains": len(made.heads), "anchor": session.settings.anchor}
    session.show(document, empty="Nothing was recorded since the last checkpoint.")


def _report(report: Report) -> dict[str, Any]:
    bad = report.first_bad
    seen = report.checkpoint
    return {
        "ok": report.ok,
        "chains": report.chains,
        "rows": report.rows,
        "first_bad": None if bad is None else {"chain": bad.chain, "seq": bad.seq, "fault": bad.fault, "why": bad.why},
        "checkpoint": None if seen is None else {"number": seen.number, "at": seen.at},
    }
