"""A console that is alone delivers what is due, so that one desk needs no second program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message_pump import MessagePump

if TYPE_CHECKING:
    from crm_core.app import Crm
    from crm_tui.desk.entrance import Entrance

EVERY = 30.0
"""Seconds between two looks at what is due, for what other consoles or a time to come have left."""
_AFTER = 0.5
"""Seconds after the end of a hold before the look at it."""


class Delivering(MessagePump):
    """The mixin; it does nothing where the store is a server, whose pollers run beside it."""

    crm: Crm
    entrance: Entrance
    _delivering = False

    @property
    def delivers(self) -> bool:
        """Whether this console is the one that delivers."""
        settings = self.crm.settings
        return settings.console_delivers and settings.database is not None

    def start_delivering(self) -> None:
        """Look every half minute from now on."""
        if self.delivers:
            self.set_interval(EVERY, self.deliver)

    def deliver_in(self, seconds: float) -> None:
        """Look once a hold has ended."""
        if self.delivers:
            self.set_timer(seconds + _AFTER, self.deliver)

    def deliver(self) -> None:
        """Deliver off the loop; what does not go comes back into its lane, open, with the reason."""
        if self._delivering:
            return
        self._delivering = True
        read: Any = self.read  # type: ignore[attr-defined]
        read("deliver", self.entrance.deliver, self._delivered, ended=self._delivery_ended)

    def _delivery_ended(self) -> None:
        self._delivering = False

    def _delivered(self, failed: int) -> None:
        if failed:
            notify: Any = self.notify  # type: ignore[attr-defined]
            words = "an answer" if failed == 1 else f"{failed} answers"
            notify(f"Could not deliver {words}: it is open again in its lane, w says why.", severity="warning")
