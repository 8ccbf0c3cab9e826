"""The messages of one conversation, as text and nothing but text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from typing_extensions import override

from crm_tui.commands import bindings
from crm_tui.widgets.line import Now, utc_now
from crm_tui.widgets.thread_lines import Ink, ThreadEntry, ThreadLine, thread_lines


class ThreadView(ScrollView, can_focus=True):
    """Entries oldest first, opened at the newest; lines are laid out once for a width."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"thread--{ink}" for ink in Ink}
    BINDINGS: ClassVar[list[BindingType]] = bindings("down", "up", "first", "last", "half_down", "half_up")
    DEFAULT_CSS = """
    ThreadView {
        height: 1fr;
        background: $background;
        padding: 0 1;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .thread--text { color: $foreground; }
        & > .thread--head { color: $quiet; }
        & > .thread--quiet { color: $quiet; }
        & > .thread--in { color: $primary; text-style: bold; }
        & > .thread--out { color: $success; text-style: bold; }
        & > .thread--note { color: $internal-text; background: $internal; }
        & > .thread--failed { color: $error; }
        & > .thread--danger { color: $alarm-text; background: $alarm; text-style: bold; }
    }
    """

    masked: reactive[bool] = reactive(False, init=False)
    """Whether the curtain hides what patients are called and what was written."""

    unfolded: reactive[bool] = reactive(False, init=False)
    """Whether what is only quoted is shown, too."""

    def __init__(self, *, now: Now = utc_now, zone: tzinfo = UTC, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.now = now
        self.zone = zone
        self._entries: tuple[ThreadEntry, ...] = ()
        self._lines: list[ThreadLine] = []
        self._styles: dict[Ink, Style] = {}

    @property
    def entries(self) -> tuple[ThreadEntry, ...]:
        """What is shown."""
        return self._entries

    def show_thread(self, entries: Sequence[ThreadEntry], *, keep_place: bool = False) -> None:
        """Show these entries from their end, or where the reader is, as after a new message."""
        self._entries = tuple(entries)
        at_end = self.scroll_offset.y >= self.max_scroll_y
        self._lay_out()
        if not keep_place or at_end:
            self.scroll_end(animate=False, immediate=True)

    def forget(self) -> None:
        """Show nothing and keep nothing."""
        self.show_thread(())

    def go_to_entry(self, entry: int) -> None:
        """Scroll to the entry's first line; nothing happens for one that is not shown."""
        for number, line in enumerate(self._lines):
            if line.entry == entry:
                self.scroll_to(y=number, animate=False)
                return

    @property
    def lines(self) -> list[str]:
        """The text of every line, in view or not."""
        return ["".join(text for text, _ in line.pieces) for line in self._lines]

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        self._lines = thread_lines(
            self._entries, width, self.now(), self.zone, masked=self.masked, unfolded=self.unfolded
        )
        self.virtual_size = Size(0, len(self._lines))
        self._scroll_update(self.virtual_size)
        self.refresh()

    @override
    def render_line(self, y: int) -> Strip:
        if not self._styles:
            self._styles = {ink: self.get_component_rich_style(f"thread--{ink}") for ink in Ink}
        width = self.scrollable_content_region.width
        number = y + self.scroll_offset.y
        plain = self._styles[Ink.TEXT]
        if number >= len(self._lines):
            return Strip.blank(width, plain)
        pieces = self._lines[number].pieces
        segments = [Segment(text, self._styles[ink]) for text, ink in pieces if text]
        used = sum(cell_len(text) for text, _ in pieces)
        rest = self._styles[Ink.NOTE] if any(ink is Ink.NOTE for _, ink in pieces) else plain
        return Strip([*segments, Segment(" " * max(0, width - used), rest)]).adjust_cell_length(width, plain)

    @override
    def notify_style_update(self) -> None:
        self._styles = {}
        super().notify_style_update()

    def on_resize(self) -> None:
        """Lay the lines out for the new width, staying at the end when there."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        self._lay_out()
        if at_end:
            self.scroll_end(animate=False, immediate=True)

    def watch_masked(self) -> None:
        """Draw the curtain, or open it."""
        self._lay_out()

    def watch_unfolded(self) -> None:
        """Show what is quoted, or fold it away."""
        self._lay_out()

    def action_cursor_down(self) -> None:
        self.scroll_relative(y=1, animate=False)

    def action_cursor_up(self) -> None:
        self.scroll_relative(y=-1, animate=False)

    def action_first(self) -> None:
        self.scroll_home(animate=False)

    def action_last(self) -> None:
        self.scroll_end(animate=False, immediate=True)

    def action_half_down(self) -> None:
        self.scroll_relative(y=max(1, self.size.height // 2), animate=False)

    def action_half_up(self) -> None:
        self.scroll_relative(y=-max(1, self.size.height // 2), animate=False)
