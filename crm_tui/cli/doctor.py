"""`crm doctor`: what is wrong, each thing in one line, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

app = group("Check the home.")


@command(app, "doctor", example="crm doctor --fix")
def doctor(
    ctx: typer.Context,
    fix: Annotated[
        bool, typer.Option("--fix", help="First close the home's files to other accounts, and update the schema.")
    ] = False,
    probe: Annotated[bool, typer.Option("--probe", help="Log in to each gateway, too; no message is sent.")] = False,
) -> None:
    """Check key, store, clock, gateways and files; exit code 1 when something needs a person."""
    from crm_tui.cli.checks import examine

    session = Session.of(ctx)
    findings = examine(session, fix=fix, probe=probe)
    session.show([{"check": found.check, "ok": found.ok, "detail": found.detail} for found in findings])
    if not all(found.ok for found in findings):
        raise typer.Exit(1)
