"""Long work: how far it is, how fast, and a way to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from crm_tui.terminal import plain
from crm_tui.widgets.dialog import Dialog

_CELLS = 48


class ProgressPanel(Dialog[None]):
    """A bar with a rate; escape asks the work to stop, and only its end takes the panel away."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", "Stop", show=False)]

    def __init__(
        self, title: str, stop: Callable[[], None], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(title, "esc stops after those under way; what is done stays done")
        self._stop = stop
        self._monotonic = monotonic
        self._began = monotonic()
        self._over = self._gone = False
        self._told = (0, 0)

    def compose_question(self) -> ComposeResult:
        """The bar."""
        yield Static(id="progress-bar", markup=False)

    def on_mount(self) -> None:
        """Show what was told before."""
        self._paint()

    def show(self, done: int, total: int) -> None:
        """Say that `done` of `total` are through."""
        self._told = (done, total)
        if self.is_mounted:
            self._paint()

    def _paint(self) -> None:
        self.query_one("#progress-bar", Static).update(plain(self.said(*self._told)))

    def said(self, done: int, total: int) -> str:
        """The bar and its figures."""
        filled = _CELLS * done // max(1, total)
        rate = done / max(0.001, self._monotonic() - self._began)
        speed = f", {rate:,.0f} a second" if done else ""
        return f"{'█' * filled}{'░' * (_CELLS - filled)}\n{done:,} of {total:,}{speed}"

    def action_stop(self) -> None:
        self._stop()
        self.query_one("#dialog-hint", Static).update(plain("Stopping after those under way …"))

    def finish(self) -> None:
        """The work has ended: go away, now or once a lock over it has been opened."""
        self._over = True
        self._go()

    def on_screen_resume(self) -> None:
        """What ended under a lock goes away when that is opened."""
        if self._over:
            self.call_later(self._go)

    def _go(self) -> None:
        if self.app.screen is self and not self._gone:
            self._gone = True
            self.dismiss(None)
