"""`crm` alone: the console."""

from __future__ import annotations

from crm_tui.cli.session import Session, is_served, os_user


def open_console(session: Session) -> None:
    """Open the console on the session's home; imported by name, so that no command pays for Textual."""
    from importlib import import_module

    settings = session.settings
    if is_served():
        _require_password(session)
    import_module("crm_tui.app").run(settings)


def _require_password(session: Session) -> None:
    """A served session is somebody else's: without a password anyone at that account's terminal comes in."""
    from crm_core.access.model import SYSTEM
    from crm_core.access.queries import for_os_user
    from crm_tui.cli.identity import NeedsPassword

    with session.crm.read(SYSTEM) as unit:
        account = for_os_user(unit, os_user())
    session.close()
    if not account.has_password:
        raise NeedsPassword(login=account.login)
