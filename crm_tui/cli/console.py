"""`crm` alone, and `crm console`: the console."""

from __future__ import annotations

from importlib import import_module

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session, is_served, os_user

app = group("The console.")


@command(app, "console", example="crm console")
def console(ctx: typer.Context) -> None:
    """Open the console; `crm` alone does the same."""
    open_console(Session.of(ctx))


def open_console(session: Session) -> None:
    """Open the console on the session's home, for the account of --as or of the system user.

    It is imported by name, so that neither another command nor a look at the imports finds Textual here.
    """
    run = import_module("crm_tui.app").run
    run(session.settings, os_user=os_user(), login=session.as_name, served=is_served())
