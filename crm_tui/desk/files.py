"""Files that came with messages, as the console saves them."""

from __future__ import annotations

from pathlib import Path

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.inbox.threads.attachments import take_out
from crm_tui.cli.session import is_served
from crm_tui.saving import must_be_new, save_new


class FilesDesk:
    """Takes attachments out of the store for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    def save(self, attachment_id: int, to: str) -> str:
        """Save one as a new file, audited; returns where it lies. What exists already is never touched."""
        path = Path(to).expanduser()
        must_be_new(path, served=is_served())
        with self._crm.write(self._actor) as unit:
            taken = take_out(unit, attachment_id)
        save_new(path, taken.content)
        return str(path)
