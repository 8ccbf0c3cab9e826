"""The line that says who acts next, on what, and by when; no state but closed lacks one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from textual.content import Content

from crm_tui.terminal import one_line, plain
from crm_tui.widgets.clock_cell import Urgency, clock_cell
from crm_tui.widgets.line import Line, Now, utc_now
from crm_tui.widgets.queue_row import fit

_TICK = 10.0
_LEAST_ACTION = 10
_COLOURS = {Urgency.LATE: "$due-late", Urgency.SOON: "$due-soon", Urgency.CALM: "", Urgency.PAUSED: "$quiet"}


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """Next owner, next action, and a running clock or a follow-up date said as text."""

    owner: str = ""
    action: str = ""
    due_at: datetime | None = None
    paused: bool = False
    follow_up: str = ""


def next_step_text(step: NextStep, now: datetime, width: int = 0) -> Content:
    """`Kim R. · answer the patient · due in 12 min`, each part with a word when it is missing.

    In `width` cells the action gives way, down to ten of them; owner and clock stay whole.
    """
    clock = clock_cell(step.due_at, now, paused=step.paused)
    by_when = (
        plain(step.follow_up)
        if step.follow_up and clock.urgency in (Urgency.NONE, Urgency.PAUSED)
        else plain(clock.text, _COLOURS.get(clock.urgency, "$quiet"))
    )
    owner = plain(step.owner, "bold") if step.owner else plain("nobody owns it", "$warning")
    action = plain(step.action) if step.action else plain("no next action", "$warning")
    room = max(_LEAST_ACTION, width - owner.cell_length - by_when.cell_length - 2 * len(" · "))
    if width and action.cell_length > room:
        action = plain(fit(one_line(step.action), room).rstrip())
    return Content(" · ").join([owner, action, by_when])


class StatusLine(Line):
    """Next owner · next action · clock, of what is open or under the cursor."""

    DEFAULT_CSS = """
    StatusLine { background: $surface; padding: 0 1; }
    """

    def __init__(self, *, now: Now = utc_now, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.now = now
        self.step: NextStep | None = None

    def on_mount(self) -> None:
        """Let the clock run."""
        self.set_interval(_TICK, self.tick)

    def on_resize(self) -> None:
        """Give the action the room there is."""
        self.tick()

    def show_step(self, step: NextStep | None) -> None:
        """Show a conversation's next step, or an empty line for none."""
        self.step = step
        self.tick()

    def tick(self) -> None:
        """Say the clock anew where it reads differently."""
        self.show(
            next_step_text(self.step, self.now(), self.content_size.width) if self.step is not None else Content()
        )
