"""`crm` alone: the console."""

from __future__ import annotations

from crm_tui.cli.session import Session


def open_console(session: Session) -> None:
    """Open the console on the session's home; imported by name, so that no command pays for Textual."""
    from importlib import import_module

    import_module("crm_tui.app").run(session.settings)
