"""Draws the rows of a queue as strips, and keeps those it has drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from crm_tui import crash
from crm_tui.widgets.clock_cell import ClockCell
from crm_tui.widgets.queue_row import QueueRow, Tone, cells, fit, strip

_KEPT = 1024


class Look(Enum):
    """How a line stands to the cursor."""

    ROW = 0
    CURSOR = 1
    BLURRED = 2


class RowPainter:
    """Strips by what they show; a row that fails to draw becomes a neutral line."""

    def __init__(self) -> None:
        self._styles: dict[Look, Mapping[Tone, Style]] = {}
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(_KEPT)

    @property
    def is_ready(self) -> bool:
        """Whether it has been told its colours since they last changed."""
        return bool(self._styles)

    def dress(self, tones: Mapping[Tone, Style], cursor: Style, blurred: Style) -> None:
        """Set the colours. A line under the cursor has one style, but DANGER stays itself."""
        alarm = {Tone.DANGER: tones[Tone.DANGER]}
        self._styles = {
            Look.ROW: tones,
            Look.CURSOR: dict.fromkeys(Tone, cursor) | alarm,
            Look.BLURRED: dict.fromkeys(Tone, blurred) | alarm,
        }
        self._strips.clear()

    def undress(self) -> None:
        """Forget colours and strips: the theme changed, or nothing may be kept."""
        self._styles = {}
        self._strips.clear()

    def line(self, text: str, width: int, look: Look = Look.ROW, tone: Tone = Tone.QUIET) -> Strip:
        """A line that is no row: nothing here, still loading."""
        return Strip([Segment(fit(text, width), self._styles[look][tone])], width)

    def pieces(
        self, row: QueueRow, clock: ClockCell, width: int, *, marked: bool, masked: bool
    ) -> Iterable[tuple[str, Tone]]:
        """The row's text in pieces that add up to `width` cells."""
        return cells(row, clock, width, marked=marked, masked=masked)

    def row(self, row: QueueRow, clock: ClockCell, width: int, look: Look, *, marked: bool, masked: bool) -> Strip:
        """The row in `width` cells."""
        key = (row, clock.short, width, look, marked, masked)
        drawn = self._strips.get(key)
        if drawn is None:
            try:
                pieces = self.pieces(row, clock, width, marked=marked, masked=masked)
                drawn = strip(pieces, self._styles[look], width)
            except Exception as error:  # noqa: BLE001 - one row that cannot be drawn must not take the others along
                said = f"  This row cannot be shown: incident {crash.record(error).id}."
                drawn = self.line(said, width, look, Tone.LATE)
            self._strips[key] = drawn
        return drawn
