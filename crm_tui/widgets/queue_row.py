"""One row of a queue, and how it is laid out in so many columns; no widget is needed for either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from crm_tui.terminal import one_line
from crm_tui.widgets.clock_cell import ClockCell, Urgency

MASK = "•••"
"""Stands for an identity while the curtain is drawn."""

STATE_WORDS = {
    "waiting_patient": "with patient",
    "waiting_other": "with other",
}
"""States whose stored word is not what a row shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueRow:
    """A conversation in a list, as plain values; everything text may come from outside.

    `key` is the store's place of the row in its order, opaque here: pages are asked for by
    it. `badge` is one word shown behind the name (`unscreened`, `shared`). `owner` is ""
    where nobody has it.
    """

    id: int
    patient: str
    category: str = ""
    state: str = ""
    owner: str = ""
    priority: str = "routine"
    danger: bool = False
    due_at: datetime | None = None
    paused: bool = False
    badge: str = ""
    key: tuple[object, ...] = ()


class Tone(StrEnum):
    """The style words of a row; the widget gives each a colour."""

    ROW = "row"
    QUIET = "quiet"
    LATE = "late"
    SOON = "soon"
    STAT = "stat"
    ASAP = "asap"
    URGENT = "urgent"
    DANGER = "danger"
    MARK = "mark"


class Column(StrEnum):
    """The columns, in the order shown."""

    MARK = "mark"
    CLOCK = "clock"
    PRIORITY = "priority"
    PATIENT = "patient"
    CATEGORY = "category"
    STATE = "state"
    OWNER = "owner"


_WIDTHS = {
    Column.MARK: 2,
    Column.CLOCK: 11,
    Column.PRIORITY: 7,
    Column.CATEGORY: 15,
    Column.STATE: 12,
    Column.OWNER: 8,
}
_LEAST_NAME = 15
_MOST_NAME = 32
_KEPT_LONGEST = (Column.CLOCK, Column.PRIORITY, Column.OWNER, Column.CATEGORY, Column.STATE)
_WIDE = 100
_NARROW = 20


@lru_cache(maxsize=64)
def columns(width: int) -> tuple[tuple[Column, int], ...]:
    """Which columns fit into `width` cells, and how wide each is with its gap behind it.

    The name keeps at least 15 cells; a column that does not fit is left out, category and
    state before owner, priority and clock.
    """
    if width < _NARROW:
        return ((Column.PATIENT, width),)
    gap = _gap(Column.PATIENT, width)
    room = width - _WIDTHS[Column.MARK] - _LEAST_NAME - gap
    kept = {Column.MARK, Column.PATIENT}
    for column in _KEPT_LONGEST:
        if room < _WIDTHS[column] + gap:
            break
        room -= _WIDTHS[column] + gap
        kept.add(column)
    name = min(_MOST_NAME, _LEAST_NAME + room)
    rest = _LEAST_NAME + room - name
    sizes = _WIDTHS | {Column.PATIENT: name}
    for column, share in ((Column.CATEGORY, rest // 2), (Column.OWNER, rest // 3)):
        sizes[column] += share
    return tuple((column, sizes[column] + _gap(column, width)) for column in Column if column in kept)


def _gap(column: Column, width: int) -> int:
    if column is Column.MARK or width < _NARROW:
        return 0
    return 2 if width >= _WIDE else 1


def fit(text: str, width: int) -> str:
    """`text`, already safe, in exactly `width` cells; what is cut off leaves an ellipsis."""
    if cell_len(text) > width:
        text = set_cell_size(text, max(0, width - 1)).rstrip() + "…"
    return set_cell_size(text, width)


CLOCK_TONES = {Urgency.LATE: Tone.LATE, Urgency.SOON: Tone.SOON, Urgency.CALM: Tone.ROW}
_PRIORITY_TONES = {"stat": Tone.STAT, "asap": Tone.ASAP, "urgent": Tone.URGENT}


def _texts(row: QueueRow, clock: ClockCell, *, marked: bool, masked: bool) -> dict[Column, tuple[str, Tone]]:
    name = MASK if masked else row.patient
    urgency = ("DANGER", Tone.DANGER) if row.danger else (row.priority, _PRIORITY_TONES.get(row.priority, Tone.QUIET))
    return {
        Column.MARK: ("✓" if marked else "", Tone.MARK),
        Column.CLOCK: (clock.short, CLOCK_TONES.get(clock.urgency, Tone.QUIET)),
        Column.PRIORITY: urgency,
        Column.PATIENT: (name, Tone.ROW),
        Column.CATEGORY: (row.category.replace("_", " "), Tone.ROW),
        Column.STATE: (STATE_WORDS.get(row.state, row.state), Tone.QUIET),
        Column.OWNER: (row.owner or "nobody", Tone.ROW if row.owner else Tone.QUIET),
    }


def _with_badge(name: str, badge: str, width: int) -> str:
    """The name with its badge behind it; the name gives way down to five cells."""
    left = max(5, width - cell_len(badge) - 3)
    return f"{fit(name, left).rstrip()} · {badge}"


def _badge_column(name: str, badge: str, width: int) -> Column:
    """Where the badge stands: behind the name, or in place of the category where the name would have to give way."""
    room = {column: size - _gap(column, width) for column, size in columns(width)}
    both = cell_len(one_line(name)) + 3 + cell_len(badge)
    if both <= room[Column.PATIENT] or cell_len(badge) > room.get(Column.CATEGORY, 0):
        return Column.PATIENT
    return Column.CATEGORY


def cells(
    row: QueueRow, clock: ClockCell, width: int, *, marked: bool = False, masked: bool = False
) -> Iterable[tuple[str, Tone]]:
    """The row's text in pieces that add up to `width` cells, each with its style word."""
    used = 0
    texts = _texts(row, clock, marked=marked, masked=masked)
    badge = one_line(row.badge)
    where = _badge_column(texts[Column.PATIENT][0], badge, width)
    for column, size in columns(width):
        text, tone = texts[column]
        gap = _gap(column, width)
        text = one_line(text)
        if column is Column.CLOCK:
            text = " " * max(0, size - gap - cell_len(text)) + text
        if badge and column is where:
            text = badge if where is Column.CATEGORY else _with_badge(text, badge, size - gap)
        yield fit(text, size - gap) + " " * gap, tone
        used += size
    if used < width:
        yield " " * (width - used), Tone.ROW


def strip(pieces: Iterable[tuple[str, Tone]], styles: Mapping[Tone, Style], width: int) -> Strip:
    """A strip of the pieces; neighbours in one style are joined, which saves bytes over SSH."""
    segments: list[Segment] = []
    text, style = "", styles[Tone.ROW]
    for piece, tone in pieces:
        wanted = styles[tone] if piece.strip() else style
        if wanted != style and text:
            segments.append(Segment(text, style))
            text = ""
        text, style = text + piece, wanted
    segments.append(Segment(text, style))
    return Strip(segments, width)
