"""The directory of services as the console sees it."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.library.directory import Service, found, services

__all__ = ["DirectoryDesk", "Service"]


class DirectoryDesk:
    """What one signed-in person asks of it."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    def services(self) -> Sequence[Service]:
        """Every service, by title."""
        with self._crm.read(self._actor) as unit:
            return services(unit)

    @staticmethod
    def ranked(listed: Sequence[Service], text: str) -> list[Service]:
        """Those that answer to `text`, best first; asks nothing of the store."""
        return found(listed, text)
