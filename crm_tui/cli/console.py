"""`crm` alone: the console."""

from __future__ import annotations

from importlib import import_module

from crm_tui.cli.session import Session, is_served, os_user


def open_console(session: Session) -> None:
    """Open the console on the session's home, for the account of --as or of the system user.

    It is imported by name, so that neither another command nor a look at the imports finds Textual here.
    """
    run = import_module("crm_tui.app").run
    run(session.settings, os_user=os_user(), login=session.as_name, served=is_served())
