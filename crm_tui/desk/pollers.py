"""The pollers as the console sees them, and the one inside it while it is alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from crm_core.access.model import SYSTEM, Actor
from crm_core.app import Crm
from crm_core.timers.heartbeats import others_live
from crm_core.timers.model import KindView, Polling, Tally
from crm_core.timers.polling import LONGEST_STOP, Poller
from crm_core.timers.queries import polling
from crm_tui.pollers_told import trouble

__all__ = ["KindView", "PollersDesk", "Polling", "Seen"]

_ANCHOR = "anchor"
"""Needs the key that signs checkpoints, which a console is not given."""
_SLOWER = timedelta(seconds=5)
"""Between two looks of a poller that shares its process with keys and a screen."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Whether another poller does the work, and what is wrong with the polling, in words."""

    others: bool
    trouble: str | None


class PollersDesk:
    """`look` and `polling` ask the store; nothing else here waits for it, but `join` for the poller's end."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._poller: Poller | None = None
        self._is_stopped = False

    @property
    def polls(self) -> bool:
        """Whether this console does the work now."""
        return self._poller is not None and not self._is_stopped

    def look(self) -> Seen:
        """How it stands, whoever sits here."""
        mine = self._poller.number if self._poller is not None else None
        # A poller whose heart has yet to beat for the first time might take itself for another.
        unsure = self.polls and mine is None
        with self._crm.read(SYSTEM) as unit:
            others = not unsure and others_live(unit, mine)
            return Seen(others=others, trouble=trouble(polling(unit, self._crm.chores)))

    def polling(self, actor: Actor) -> Polling:
        """Which pollers live, and how late each kind of work is, for somebody who asks."""
        with self._crm.read(actor) as unit:
            return polling(unit, self._crm.chores)

    def start(self, told: Callable[[str, Tally], None]) -> None:
        """Do the work in threads of this process; not yet where an earlier poller here has not quite ended."""
        if self._poller is not None and not self._poller.has_ended:
            return
        chores = [chore for chore in self._crm.chores if chore.kind != _ANCHOR]
        self._poller = Poller(self._crm.units, chores, inside_console=True, slower=_SLOWER, told=told)
        self._is_stopped = False
        self._poller.start()

    def wake(self, kind: str) -> None:
        """Let that kind of work be looked for at once."""
        if self._poller is not None:
            self._poller.wake(kind)

    def stop(self) -> None:
        """Leave the work to others after what is in hand."""
        self._is_stopped = True
        if self._poller is not None:
            self._poller.stop()

    def join(self, longest: timedelta = LONGEST_STOP) -> bool:
        """Wait until what was in hand is done; False where it is not in that time."""
        return self._poller is None or self._poller.join(longest)
