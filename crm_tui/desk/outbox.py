"""What did not go, as the console sees it."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.channels import outbox, undelivered
from crm_core.channels.outbox import OutboxRow
from crm_core.channels.undelivered import Undelivered
from crm_core.timers import queries
from crm_core.timers.model import DeadTimer
from crm_core.timers.service import retry_timer

__all__ = ["DeadTimer", "NotGone", "OutboxDesk", "OutboxRow"]

_MOST = 500
"""Rows of a kind that the list holds: more are a provider's outage, and that is mended elsewhere."""


@dataclass(frozen=True, kw_only=True)
class NotGone:
    """What did not go: messages, and what was to happen and was given up."""

    messages: Undelivered
    timers: tuple[DeadTimer, ...]


class OutboxDesk:
    """Everything that what did not go asks of the core, for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    def not_gone(self) -> NotGone:
        """What waits for a person; no patient is opened for it."""
        with self._crm.read(self._actor) as unit:
            return NotGone(
                messages=undelivered.did_not_go(unit, limit=_MOST), timers=tuple(queries.dead_timers(unit, limit=_MOST))
            )

    def waiting(self) -> int:
        """How many messages are unknown or given up, and how many timers were given up, at most so many of each."""
        with self._crm.read(self._actor) as unit:
            return undelivered.waits_for_a_person(unit) + len(queries.dead_timers(unit, limit=_MOST))

    def found(self, outbox_id: int, *, sent: bool) -> None:
        """Settle an unknown message as a person found it to be."""
        with self._crm.write(self._actor) as unit:
            outbox.resolve(unit, outbox_id, sent=sent, observers=self._crm.observers)

    def try_again(self, outbox_id: int) -> None:
        """Queue a failed message once more."""
        with self._crm.write(self._actor) as unit:
            undelivered.retry(unit, outbox_id, observers=self._crm.observers)

    def run_again(self, timer_id: int) -> None:
        """Let a dead timer run once more."""
        with self._crm.write(self._actor) as unit:
            retry_timer(unit, timer_id)
