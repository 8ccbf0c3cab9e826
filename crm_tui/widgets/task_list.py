"""The queue's list with the columns of tasks: the title has the room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from typing_extensions import override

from crm_tui.terminal import one_line
from crm_tui.widgets.clock_cell import ClockCell
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.queue_row import CLOCK_TONES, MASK, QueueRow, Tone, fit
from crm_tui.widgets.row_painter import RowPainter

_MARK, _CLOCK, _OWNER, _NAME, _KIND = 2, 11, 10, 18, 18
_NAME_FROM, _KIND_FROM = 60, 100
"""Columns from which a row names the patient, and says of what kind the task is."""


class TaskPainter(RowPainter):
    """Draws a row whose `patient` is a task's title, `category` the patient's name and `state` its kind."""

    @override
    def pieces(
        self, row: QueueRow, clock: ClockCell, width: int, *, marked: bool, masked: bool
    ) -> Iterable[tuple[str, Tone]]:
        named, kinds = width >= _NAME_FROM, width >= _KIND_FROM
        taken = _MARK + _CLOCK + 1 + _OWNER + (_NAME + 1) * named + (_KIND + 1) * kinds
        title = MASK if masked else one_line(row.patient)
        if row.badge:
            title = f"{title} · {one_line(row.badge)}"
        yield fit("✓" if marked else "", _MARK), Tone.MARK
        yield fit(clock.short.rjust(_CLOCK), _CLOCK) + " ", CLOCK_TONES.get(clock.urgency, Tone.QUIET)
        yield fit(title, max(1, width - taken - 1)) + " ", Tone.ROW
        if named:
            yield fit(MASK if masked and row.category else one_line(row.category), _NAME) + " ", Tone.ROW
        if kinds:
            yield fit(one_line(row.state.replace("_", " ")), _KIND) + " ", Tone.QUIET
        yield fit(one_line(row.owner or "nobody"), _OWNER), Tone.ROW if row.owner else Tone.QUIET


class TaskList(QueueList):
    """Tasks, those due first on top."""

    COMPONENT_CLASSES: ClassVar[set[str]] = QueueList.COMPONENT_CLASSES

    @override
    def make_painter(self) -> RowPainter:
        return TaskPainter()
