"""The row under the alarm line while a telephone rings: who may call, and how to see more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from crm_tui.terminal import plain
from crm_tui.widgets.line import Line


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One call: the last four digits, "" where they are not shown or not known; how many use the number."""

    digits: str = ""
    withheld: bool = False
    known: int = 0
    line: str = ""


def ring_text(callers: Sequence[Caller], *, masked: bool) -> str:
    """`RINGING ···0101 · 2 candidates · front desk · :ringing opens`; behind a curtain the count alone."""
    if not callers:
        return ""
    if masked:
        return f"{len(callers)} RINGING"
    newest = callers[-1]
    who = f"···{newest.digits}" if newest.digits else "number withheld" if newest.withheld else ""
    candidates = "not known" if not newest.known else f"{newest.known} candidate{'s' if newest.known > 1 else ''}"
    head = "RINGING" if len(callers) == 1 else f"{len(callers)} RINGING, newest"
    parts = [f"{head} {who}".rstrip(), *(() if newest.withheld else (candidates,)), newest.line, ":ringing opens"]
    return " · ".join(part for part in parts if part)


class RingLine(Line):
    """One row, there only while something rings."""

    DEFAULT_CSS = """
    RingLine { display: none; background: $primary; color: $background; text-style: bold; padding: 0 1; }
    """

    class Opened(Message):
        """The user clicked it."""

    def show_callers(self, callers: Sequence[Caller], *, masked: bool) -> None:
        """Show what rings now."""
        text = ring_text(callers, masked=masked)
        self.display = bool(text)
        self.show(plain(text))

    def on_click(self, event: events.Click) -> None:
        """A click is `:ringing`."""
        event.stop()
        self.post_message(self.Opened())
