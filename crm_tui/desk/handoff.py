"""Handing a shift over, as the console sees it."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.inbox.sharing import escalation, handover, handover_lists
from crm_core.inbox.sharing.colleagues import ColleagueView, who_may_take
from crm_core.inbox.sharing.escalation import Raised
from crm_core.inbox.sharing.handover_lists import Handed, Mine

__all__ = ["ColleagueView", "Handed", "HandoffDesk", "Listed", "Mine", "Raised"]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What the panel shows, in its order: handed to me, mine (unfinished first), escalated by me."""

    handed: tuple[Handed, ...]
    mine: tuple[Mine, ...]
    raised: tuple[Raised, ...]


class HandoffDesk:
    """Everything a hand-over asks of the core, for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    def listed(self) -> Listed:
        """What is handed to me, what I own, what I escalated; opened as listings."""
        with self._crm.read(self._actor) as unit:
            return Listed(
                handed=handover_lists.handed_to_me(unit),
                mine=handover_lists.mine_unfinished(unit),
                raised=tuple(escalation.escalated_by_me(unit)),
            )

    def waiting(self) -> frozenset[int]:
        """The offers that wait for my answer, by number."""
        with self._crm.read(self._actor) as unit:
            return handover_lists.offers_to_me(unit)

    def colleagues(self, lanes: frozenset[str]) -> list[ColleagueView]:
        """Who works here, with what they hold, and whether they work all of these lanes."""
        with self._crm.read(self._actor) as unit:
            return who_may_take(unit, lanes)

    def offer(self, conversation_id: int, to_id: int, words: str | None) -> None:
        """Offer one of mine to a colleague."""
        with self._crm.write(self._actor) as unit:
            handover.offer(unit, conversation_id, to_id, words=words)

    def accept(self, conversation_id: int) -> None:
        """Take what was handed to me."""
        with self._crm.write(self._actor) as unit:
            handover.accept(unit, conversation_id)

    def decline(self, conversation_id: int, words: str) -> None:
        """Leave it with its owner, and say why."""
        with self._crm.write(self._actor) as unit:
            handover.decline(unit, conversation_id, words)

    def withdraw(self, conversation_id: int) -> None:
        """Keep it after all."""
        with self._crm.write(self._actor) as unit:
            handover.withdraw(unit, conversation_id)
