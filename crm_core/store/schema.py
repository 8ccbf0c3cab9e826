"""Bringing a store's schema to the newest version, and refusing one that is not there."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from crm_core.errors import Unavailable
from crm_core.store.driver_errors import FROM_THE_STORE, translate
from crm_core.store.engines import Store

HEAD = "2026_11_26_handles"
"""The newest migration; a test holds this to what is in migrations/versions."""

MIGRATION_LOCK = 0x43524D03
"""The advisory lock under which one process at a time migrates a Postgres store ("CRM", 3)."""


class SchemaDiffers(Unavailable):
    """The store's schema is {found} and this version of crm needs {needed}; run `crm doctor --fix`, after a backup."""


def migrate(store: Store) -> str | None:
    """Apply every migration the store has not seen, in one transaction; returns what it was at before."""
    try:
        with store.turn(), store.writing.begin() as connection:
            if store.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
                connection.execute(text("SET LOCAL lock_timeout = '30s'"))
            before = version(connection)
            if before != HEAD:
                _upgrade(connection)
            return before
    except FROM_THE_STORE as error:
        raise translate(error) from None


def check(store: Store) -> None:
    """Refuse a store of another schema version."""
    try:
        with store.reading.connect() as connection:
            found = version(connection)
    except FROM_THE_STORE as error:
        raise translate(error) from None
    if found != HEAD:
        raise SchemaDiffers(found=found or "empty", needed=HEAD)


def version(connection: Connection) -> str | None:
    """The newest migration this store has seen; None for an empty one."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
