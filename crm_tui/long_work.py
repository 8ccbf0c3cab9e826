"""Work on many: it tells from its thread how far it is, and a panel shows that once it is long."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import Any

from textual.message import Message
from textual.message_pump import MessagePump

from crm_tui.widgets.progress_panel import ProgressPanel

LONG = 50
"""More than this and it is worth a panel."""


class Work:
    """One piece of work: `tell` may be called from any thread, the rest from the app's loop."""

    def __init__(self, app: LongWork, title: str) -> None:
        self.title = title
        self.panel: ProgressPanel | None = None
        self.over = False
        self._app = app
        self._stop = Event()

    def tell(self, done: int, total: int) -> None:
        """Say that `done` of `total` are through."""
        self._app.post_message(LongWork.Went(self, done, total))

    def stop(self) -> None:
        """Ask it to stop."""
        self._stop.set()

    def stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def ended(self) -> None:
        """It has ended, however: take the panel away."""
        self.over = True
        if self.panel is not None:
            self.panel.finish()


class LongWork(MessagePump):
    """The mixin of an app that shows long work."""

    @dataclass
    class Went(Message):
        """So many are through."""

        work: Work
        done: int
        total: int

    def work_on(self, title: str) -> Work:
        """A piece of work that is about to begin."""
        return Work(self, title)

    def on_long_work_went(self, event: Went) -> None:
        """Show it; a short one passes without a panel."""
        event.stop()
        work = event.work
        if work.over or event.total <= LONG:
            return
        if work.panel is None:
            work.panel = ProgressPanel(work.title, work.stop)
            push_screen: Any = self.push_screen  # type: ignore[attr-defined]
            push_screen(work.panel)
        work.panel.show(event.done, event.total)
