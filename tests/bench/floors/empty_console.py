"""An empty Textual app that has imported the store's libraries and opened the store."""

from __future__ import annotations

import sys
from pathlib import Path

import pydantic  # noqa: F401 - the playbook's library
import sqlalchemy.orm  # noqa: F401
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: F401
from sqlalchemy import text
from textual.app import App, ComposeResult
from textual.widgets import Static

from crm_core.store.engines import open_store
from crm_core.vault import file_key
from crm_core.vault.keys import KeyFileProvider


class Empty(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """That line."""
        yield Static("C-1")


if __name__ == "__main__":
    home = Path(sys.argv[1])
    master = KeyFileProvider(home / "crm.key").read()
    store = open_store(f"sqlite:///{home / 'crm.db'}", file_key.read(home / "crm.db.key", master))
    with store.reading.connect() as connection:
        connection.execute(text("SELECT count(*) FROM staff"))
    Empty().run()
