"""Who else has the conversation in view before them, as the console sees it."""

from __future__ import annotations

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.inbox.sharing import presence
from crm_core.inbox.sharing.presence import Present

__all__ = ["CompanyDesk", "Present"]


class CompanyDesk:
    """Signs of presence, mine and others'; none of it is audited."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    def here(self, conversation_id: int, *, writing: bool) -> None:
        """Say that I am here, and whether I write."""
        with self._crm.write(self._actor) as unit:
            presence.here(unit, conversation_id, writing=writing)

    def leave(self, conversation_id: int) -> None:
        """Say that I am gone."""
        with self._crm.write(self._actor) as unit:
            presence.leave(unit, conversation_id)

    def who(self, conversation_id: int) -> tuple[Present, ...]:
        """Who else is here."""
        with self._crm.read(self._actor) as unit:
            return presence.who_is_here(unit, conversation_id)
