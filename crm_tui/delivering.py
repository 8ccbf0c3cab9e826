"""A console that is alone does what pollers do, so that one desk needs no second program."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from textual.message import Message

from crm_tui.desk.entrance import CrmError, Entrance
from crm_tui.desk.pollers import PollersDesk, Polling, Seen
from crm_tui.doors import Doors
from crm_tui.screens.pollers import PollersPanel

if TYPE_CHECKING:
    from crm_core.app import Crm
    from crm_core.timers.model import Tally

EVERY = 30.0
"""Seconds between two looks whether other pollers live."""
_FIRST = 2.0
"""Seconds after the start before the first: the first screen comes before."""
_AFTER = 0.5
"""Seconds after the end of a hold before it is delivered."""
_AT_ONCE = timedelta(seconds=1)


class Delivering(Doors):
    """The part of the console that minds the pollers: it starts one where none lives, and says what is late."""

    patience = 60.0
    """Seconds for which something is wrong before it is said: a poller that is started anew is away for a moment."""

    @dataclass
    class Polled(Message):
        """The poller inside did something."""

        kind: str
        tally: Tally

    def __init__(self, crm: Crm, entrance: Entrance, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(crm, entrance, monotonic=monotonic)
        self.pollers = PollersDesk(crm)
        self.polling_trouble = ""
        self._wrong_since: float | None = None

    def start_delivering(self) -> None:
        """Look soon, and again and again from then on."""
        self.set_timer(_FIRST, self.look_at_pollers)
        self.set_interval(EVERY, self.look_at_pollers)

    def stop_delivering(self) -> None:
        """The console ends: begin nothing more."""
        self.pollers.stop()

    def wait_for_delivery(self) -> None:
        """Wait for a call to a provider that is under way, once the screen is gone."""
        if not self.pollers.join(_AT_ONCE):
            sys.stderr.write("Finishing what is being sent…\n")
            self.pollers.join()

    def deliver_in(self, seconds: float) -> None:
        """Deliver once a hold has ended."""
        self.set_timer(seconds + _AFTER, self.deliver)

    def deliver(self) -> None:
        """Deliver now, where it is this console that does."""
        self.pollers.wake("outbox")

    def look_at_pollers(self) -> None:
        """Ask how it stands with the pollers."""
        self.read("pollers", self.pollers.look, self._looked, self._not_seen)

    def _looked(self, seen: Seen) -> None:
        if seen.others:
            self.pollers.stop()
        elif self.crm.settings.console_delivers and not self.pollers.polls:
            self.pollers.start(lambda kind, tally: void(self.post_message(self.Polled(kind, tally))))
        self._say_trouble(seen.trouble)

    def _not_seen(self, error: CrmError) -> None:
        """A store that is away is told by whatever the person asks of it."""

    def _say_trouble(self, trouble: str | None) -> None:
        now = time.monotonic()
        if trouble is None:
            self._wrong_since = None
        elif self._wrong_since is None:
            self._wrong_since = now
        lasts = self._wrong_since is not None and now - self._wrong_since >= self.patience
        self.polling_trouble = f"{trouble} · :pollers" if lasts else ""
        self.show_polling_trouble()

    def show_polling_trouble(self) -> None:
        """Let the screens say it, or be silent."""

    def on_delivering_polled(self, event: Polled) -> None:
        """Say what did not go: it is back in its lane, open, with the reason."""
        event.stop()
        failed = event.tally.failed + event.tally.unknown
        if failed and event.kind == "outbox":
            words = "an answer" if failed == 1 else f"{failed} answers"
            self.notify(f"Could not deliver {words}: it is open again in its lane, w says why.", severity="warning")

    def do_pollers(self) -> None:
        """Show which pollers live, and how late each kind of work is."""
        if self.session is None:
            return
        actor, now = self.session.entered.actor, self.now()

        def show(found: Polling) -> None:
            self.push_screen(PollersPanel(found, now))

        self.read("pollers asked", lambda: self.pollers.polling(actor), show)


def void(_: object) -> None:
    """For a callback whose answer nobody wants."""
