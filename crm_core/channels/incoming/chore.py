"""The pollers' chore of what was brought: off the way of other timers, and begun as soon as something is.

A text that waits here has been screened for danger by nobody, so it waits for no reminder.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from crm_core.channels.incoming.handling import IncomingHandler
from crm_core.channels.incoming.model import KIND
from crm_core.store.feed import Topic
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Tally
from crm_core.work.units import Units

LONGEST_WAIT = timedelta(seconds=2)
"""Until the next look where the feed said nothing: a notification may be lost."""
_LOOKS_EVERY = 0.2


class IncomingChore(TimersChore):
    """Fires the timers of what was brought alone, at the change feed's word."""

    kind = KIND
    every = timedelta(seconds=1)

    def __init__(self, units: Units, handler: IncomingHandler) -> None:
        super().__init__(units, (handler,))
        self._brought = threading.Event()
        self._stop_listening: Callable[[], None] | None = None

    def run(self, stopped: Callable[[], bool]) -> Tally:
        """Handle all that waits. What is brought from now on is looked for by the run after this one."""
        self._brought.clear()
        return super().run(stopped)

    def wait(self, stopped: Callable[[], bool]) -> None:
        """Until something is brought, or a little while has passed."""
        if self._stop_listening is None:
            self._stop_listening = self._units.store.feed.listen(self._told)
            return  # What came before is there to be read now.
        until = time.monotonic() + LONGEST_WAIT.total_seconds()
        while not (stopped() or time.monotonic() >= until):
            if self._brought.wait(_LOOKS_EVERY):
                return

    def close(self) -> None:
        """Listen no more, and give back what is in hand."""
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        super().close()

    def _told(self, topics: frozenset[Topic]) -> None:
        if Topic.INCOMING in topics:
            self._brought.set()
