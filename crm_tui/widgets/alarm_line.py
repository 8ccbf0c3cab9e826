"""The top row of every screen: what is dangerous and not yet acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message

from crm_tui.terminal import one_line, plain
from crm_tui.widgets.clock_cell import span
from crm_tui.widgets.line import Line, Now, utc_now

_TICK = 10.0


@dataclass(frozen=True, kw_only=True)
class AlarmState:
    """How many dangers nobody acknowledged, since when the oldest, and who holds that one."""

    count: int = 0
    oldest_at: datetime | None = None
    holder: str = ""


def alarm_text(state: AlarmState, now: datetime, *, count_only: bool = False) -> str:
    """`2 DANGER · oldest 4 min · nobody has it · ! opens`; only the count on a lock screen."""
    if not state.count:
        return "No alarm"
    parts = [f"{state.count} DANGER"]
    if not count_only:
        if state.oldest_at is not None:
            parts.append(f"oldest {span(now - state.oldest_at)}")
        parts.append(f"{one_line(state.holder)} has it" if state.holder else "nobody has it")
        parts.append("! opens")
    return " · ".join(parts)


class AlarmLine(Horizontal):
    """Always one row, so that nothing jumps when an alarm begins.

    `context` on the right is for mode and user. The bell rings when the count rises. Ages
    are counted from what was last shown, without asking anyone.
    """

    DEFAULT_CSS = """
    AlarmLine {
        dock: top;
        height: 1;
        background: $panel;
        color: $quiet;
        padding: 0 1;
        #alarm-text { width: auto; max-width: 100%; }
        #alarm-context { width: 1fr; text-align: right; padding-left: 2; }
        &.-danger { background: $alarm; color: $alarm-text; text-style: bold; }
    }
    """

    class Opened(Message):
        """The user clicked the alarm."""

    def __init__(self, *, count_only: bool = False, now: Now = utc_now) -> None:
        super().__init__()
        self.now = now
        self.count_only = count_only
        self.state = AlarmState()

    @property
    def text(self) -> str:
        """What the line says of alarms."""
        return alarm_text(self.state, self.now(), count_only=self.count_only)

    def compose(self) -> ComposeResult:
        yield Line(Content(self.text), id="alarm-text")
        yield Line(id="alarm-context")

    def on_mount(self) -> None:
        """Let the age grow."""
        self.set_interval(_TICK, self.tick)

    def show(self, state: AlarmState) -> None:
        """Show the alarms as they are now, and ring when there are more than before."""
        rings = state.count > self.state.count
        self.state = state
        self.tick()
        if rings:
            self.app.bell()

    def show_context(self, text: str) -> None:
        """Show mode and user on the right."""
        self.query_one("#alarm-context", Line).show(plain(text))

    def tick(self) -> None:
        """Say the age anew where it reads differently."""
        self.set_class(self.state.count > 0, "-danger")
        if self.is_mounted:
            self.query_one("#alarm-text", Line).show(Content(self.text))

    def on_click(self, event: events.Click) -> None:
        """A click is `!`."""
        event.stop()
        if self.state.count:
            self.post_message(self.Opened())
