"""A list of a million rows that moves its cursor by writing two lines.

The widget draws what it has and asks for the rest: `PageWanted` goes up, `provide_page` comes
back. It runs no query, keeps at most nine pages, and never makes a widget of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer
from typing_extensions import override

from crm_tui.commands import bindings
from crm_tui.widgets.clock_cell import clock_cell
from crm_tui.widgets.page_cache import PAGE, PageCache
from crm_tui.widgets.queue_row import QueueRow, Tone
from crm_tui.widgets.row_painter import Look, RowPainter

REST = 0.25
"""Seconds the cursor must stand still before `Rested` is posted."""

_TICK = 15.0
"""Seconds between looks at the clocks in view; only rows whose text changed are drawn."""


class QueueList(ScrollView, can_focus=True):
    """The queue: rows by keyset pages, one cursor, marks.

    Call `reload` once the list may ask for rows, and again whenever the data changed: the
    cursor stays on the same row wherever that has gone.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"queue--{tone}" for tone in Tone} | {"queue--cursor", "queue--blurred"}
    BINDINGS: ClassVar[list[BindingType]] = bindings(
        "down", "up", "first", "last", "half_down", "half_up", "open", "mark"
    )
    DEFAULT_CSS = """
    QueueList {
        height: 1fr;
        background: $background;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .queue--row { color: $foreground; }
        & > .queue--quiet { color: $quiet; }
        & > .queue--late { color: $due-late; }
        & > .queue--soon { color: $due-soon; }
        & > .queue--stat { color: $urgency-stat; text-style: bold; }
        & > .queue--asap { color: $urgency-asap; }
        & > .queue--urgent { color: $urgency-urgent; }
        & > .queue--danger { color: $alarm-text; background: $alarm; text-style: bold; }
        & > .queue--mark { color: $accent; text-style: bold; }
        & > .queue--cursor { color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold; }
        & > .queue--blurred { color: $foreground; background: $block-cursor-blurred-background; }
    }
    """

    masked: reactive[bool] = reactive(False)
    """Whether the curtain hides the names."""

    @dataclass
    class PageWanted(Message):
        """Rows are needed: `limit` of them from `index` on; `after` is the key of the row before them, where known.

        Answer with `provide_page(generation, index, …)` or `page_failed(generation, index)`.
        """

        queue: QueueList
        generation: int
        index: int
        limit: int
        after: tuple[object, ...] | None = None

        @property
        def control(self) -> QueueList:
            return self.queue

    @dataclass
    class RowMessage(Message):
        """Something about the row under the cursor."""

        queue: QueueList
        row: QueueRow | None
        index: int

        @property
        def control(self) -> QueueList:
            return self.queue

    class CursorMoved(RowMessage):
        """The cursor is on another row; None while that row's page is on its way."""

    class Rested(RowMessage):
        """The cursor has stood still for 250 ms: time to show a preview."""

    class Chosen(RowMessage):
        """The user opened the row."""

    class MarksChanged(RowMessage):
        """The user marked or unmarked the row."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        empty: str = "Nothing waits here.",
        id: str | None = None,  # noqa: A002 - Textual's name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.now = now
        self.empty = empty
        self.cursor = 0
        self._cache = PageCache()
        self._marks: dict[int, QueueRow] = {}
        self._sought: int | None = None
        self._rest: Timer | None = None
        self._painter = self.make_painter()
        self._drawn_clocks: dict[int, str] = {}

    def make_painter(self) -> RowPainter:
        """What lays the rows out; a list of other columns has its own."""
        return RowPainter()

    # What a screen asks

    @property
    def row(self) -> QueueRow | None:
        """The row under the cursor, or None where there is none yet."""
        return self._cache.row(self.cursor)

    @property
    def total(self) -> int:
        """How many rows the list has, here or not."""
        return self._cache.total

    @property
    def marked(self) -> tuple[QueueRow, ...]:
        """The marked rows, in the order of marking."""
        return tuple(self._marks.values())

    @property
    def acted_on(self) -> tuple[QueueRow, ...]:
        """What an action works on: the marked rows, else the one under the cursor."""
        return self.marked or ((self.row,) if self.row is not None else ())

    # What a screen tells

    def reload(self) -> None:
        """Ask for the rows anew, keeping the cursor on its row; the old ones stay until then."""
        at = self.row
        self._sought = at.id if at is not None else self._sought
        self._cache.renew()
        self._ask(self.cursor // PAGE)

    def restart(self) -> None:
        """Ask from the top, as another lane or filter needs; what is marked stays marked."""
        marks = dict(self._marks)
        self.forget()
        self._marks.update(marks)
        self._ask(0)

    def forget(self) -> None:
        """Drop rows, marks and drawn lines; nothing is asked for."""
        self._cache.clear()
        self._marks.clear()
        self._painter.undress()
        self._sought = None
        self.cursor = 0
        self.virtual_size = Size(0, 0)
        self.scroll_to(y=0, animate=False)
        self.refresh()

    def provide_page(self, generation: int, offset: int, rows: Sequence[QueueRow], total: int) -> bool:
        """Take in the answer to a `PageWanted`; False when it came too late and was dropped."""
        renewing = not self._cache.is_current
        if not self._cache.accept(generation, offset, rows, total):
            return False
        before = self.cursor, self.row
        if self.virtual_size.height != total:
            self.virtual_size = Size(0, total)
            self._scroll_update(self.virtual_size)
        found = self._cache.find(self._sought, offset) if self._sought is not None else None
        if found is not None:
            self._sought = None
            self._shift(found)
        elif self.cursor >= total:
            self.cursor = max(0, total - 1)
        top = self.scroll_offset.y
        if renewing or (offset < top + self.size.height and offset + len(rows) > top):
            self.refresh()
        self._ask_missing()
        if renewing or before != (self.cursor, self.row):
            self._moved()
        return True

    def page_failed(self, generation: int, offset: int) -> None:
        """Say that a page will not come; it is asked for again when it is next needed."""
        self._cache.failed(generation, offset)

    def go_to(self, index: int) -> None:
        """Put the cursor on the row at `index`, as near as the list allows."""
        index = max(0, min(index, self.total - 1))
        self._sought = None
        if index == self.cursor:
            return
        old, self.cursor = self.cursor, index
        self._cache.touch(index)
        if not self._scroll_into_view():
            self.refresh_line(old)
            self.refresh_line(index)
        self._ask_missing()
        self._moved()

    def find(self, row_id: int) -> bool:
        """Put the cursor on a row by its id once it is at hand; True when it already is."""
        for number in range(self.total // PAGE + 1):
            found = self._cache.find(row_id, number * PAGE)
            if found is not None:
                self.go_to(found)
                return True
        self._sought = row_id
        return False

    def mark(self, rows: Iterable[QueueRow]) -> None:
        """Mark these rows beside those that are marked, wherever in the list they are."""
        self._marks.update((row.id, row) for row in rows)
        self.refresh()

    def clear_marks(self) -> None:
        """Unmark every row."""
        if self._marks:
            self._marks.clear()
            self.refresh()

    # Keys and mouse

    def action_cursor_down(self) -> None:
        self.go_to(self.cursor + 1)

    def action_cursor_up(self) -> None:
        self.go_to(self.cursor - 1)

    def action_first(self) -> None:
        self.go_to(0)

    def action_last(self) -> None:
        self.go_to(self.total - 1)

    def action_half_down(self) -> None:
        self.go_to(self.cursor + max(1, self.size.height // 2))

    def action_half_up(self) -> None:
        self.go_to(self.cursor - max(1, self.size.height // 2))

    def action_choose(self) -> None:
        if self.row is not None:
            self.post_message(self.Chosen(self, self.row, self.cursor))

    def action_mark(self) -> None:
        """Mark or unmark the row and go on to the next."""
        row = self.row
        if row is None:
            return
        if self._marks.pop(row.id, None) is None:
            self._marks[row.id] = row
        self.refresh_line(self.cursor)
        self.post_message(self.MarksChanged(self, row, self.cursor))
        self.go_to(self.cursor + 1)

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; a click on the cursor, or the second of two, opens."""
        index = event.y + self.scroll_offset.y
        if index >= self.total:
            return
        if index == self.cursor:
            self.action_choose()
        else:
            self.go_to(index)

    # Drawing

    @override
    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if not self._painter.is_ready:
            self._dress()
        if index >= self.total:
            nothing = index == 1 and not self.total and self._cache.is_current
            return self._painter.line(f"  {self.empty}" if nothing else "", width)
        look = Look.ROW
        if index == self.cursor:
            look = Look.CURSOR if self.has_focus else Look.BLURRED
        row = self._cache.row(index)
        if row is None:
            return self._painter.line("  …", width, look)
        clock = clock_cell(row.due_at, self.now(), paused=row.paused)
        self._drawn_clocks[index] = clock.short
        return self._painter.row(row, clock, width, look, marked=row.id in self._marks, masked=self.masked)

    def _dress(self) -> None:
        style = self.get_component_rich_style
        tones = {tone: style(f"queue--{tone}") for tone in Tone}
        self._painter.dress(tones, style("queue--cursor"), style("queue--blurred"))

    @override
    def notify_style_update(self) -> None:
        self._painter.undress()
        super().notify_style_update()

    def watch_masked(self) -> None:
        """Draw every name anew, or its mask."""
        self.refresh()

    def on_mount(self) -> None:
        """Start to look at the clocks in view."""
        self.set_interval(_TICK, self.tick)

    def on_resize(self) -> None:
        """Keep the cursor in view, and see whether more rows are in view now."""
        self._scroll_into_view()
        self._ask_missing()

    def tick(self) -> None:
        """Draw the rows in view whose clock reads differently now; no row is asked for."""
        now = self.now()
        top = self.scroll_offset.y
        seen, self._drawn_clocks = self._drawn_clocks, {}
        for index in range(top, min(self.total, top + self.size.height)):
            row = self._cache.row(index)
            if row is None:
                continue
            text = clock_cell(row.due_at, now, paused=row.paused).short
            self._drawn_clocks[index] = text
            if seen.get(index, text) != text:
                self.refresh_line(index)

    # Scrolling and asking

    @override
    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._ask_missing()

    def _scroll_into_view(self) -> bool:
        """Scroll half a page when the cursor has left the view; whether it had."""
        top, height = self.scroll_offset.y, self.size.height
        if not height or top <= self.cursor < top + height:
            return False
        self.scroll_to(y=max(0, self.cursor - height // 2), animate=False)
        return True

    def _shift(self, index: int) -> None:
        """Move cursor and view together: the row has gone elsewhere, the eye has not."""
        line = self.cursor - self.scroll_offset.y
        self.cursor = index
        if not self._scroll_into_view():
            self.scroll_to(y=max(0, index - line), animate=False)

    def _ask_missing(self) -> None:
        """Ask for what is in view and one page either side of the cursor's."""
        top = self.scroll_offset.y
        here = self.cursor // PAGE * PAGE
        for first, last in ((top, top + self.size.height - 1), (here - PAGE, here + 2 * PAGE - 1)):
            for number in self._cache.missing(first, last):
                self._ask(number)

    def _ask(self, number: int) -> None:
        before, _ = self._cache.neighbours(number)
        self._cache.asked(number)
        after = before.key if before is not None else None
        self.post_message(self.PageWanted(self, self._cache.generation, number * PAGE, PAGE, after=after))

    def _moved(self) -> None:
        self.post_message(self.CursorMoved(self, self.row, self.cursor))
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST, self._rested)

    def _rested(self) -> None:
        self.post_message(self.Rested(self, self.row, self.cursor))
