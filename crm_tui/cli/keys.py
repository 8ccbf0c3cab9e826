"""`crm keys`: the keys in use, and the way back when the master key is lost."""

from __future__ import annotations

import typer

from crm_tui.cli.command import command, group
from crm_tui.cli.session import Session

app = group("The keys in use.")


@command(app, "status", example="crm keys status")
def status(ctx: typer.Context) -> None:
    """Where the master key is, and which keys the store holds under it; no key is shown."""
    from crm_core.access.model import Permission
    from crm_core.app import key_provider
    from crm_core.store.keys import StoredKeys

    session = Session.of(ctx)
    session.permit(Permission.AUDIT_VERIFY)
    keys = StoredKeys(session.crm.store.reading).load()
    session.show(
        {
            "master": key_provider(session.settings).place,
            "keys": [
                {"key": key.id, "purpose": key.purpose, "created_at": key.created_at, "retired_at": key.retired_at}
                for key in keys
            ],
        }
    )


@command(app, "recover", example="crm keys recover < code.txt")
def recover(ctx: typer.Context) -> None:
    """Put the master key back from the printed recovery code, asked for at a prompt or read from standard input."""
    from crm_core.access.model import SYSTEM
    from crm_core.app import key_provider, open_crm
    from crm_core.audit.tags import Tag
    from crm_core.vault.recovery import read_recovery_code
    from crm_tui.cli.secrets import ask_secret

    session = Session.of(ctx)
    settings = session.settings
    master = read_recovery_code(ask_secret("Recovery code: ", what="recovery code"))
    # Opened first: a code of another store must not take the place of a key that works.
    with open_crm(settings, master=master) as crm, crm.write(SYSTEM) as unit:
        unit.audit(Tag.KEYS_RECOVERED)
    provider = key_provider(settings)
    provider.replace(master)
    session.show({"master": provider.place, "recovered": True})
