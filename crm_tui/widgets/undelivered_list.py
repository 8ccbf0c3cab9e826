"""The list of what did not go: why it did not has the room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from typing_extensions import override

from crm_tui.terminal import one_line
from crm_tui.widgets.clock_cell import ClockCell
from crm_tui.widgets.queue_row import QueueRow, Tone, fit
from crm_tui.widgets.row_painter import RowPainter
from crm_tui.widgets.task_list import TaskList

_MARK, _WORD, _WHEN, _ABOUT, _HOW_OFTEN = 2, 9, 17, 12, 9
_WHEN_FROM, _HOW_OFTEN_FROM = 60, 90
"""Columns from which a row says when it was given up, and how often it was tried."""


class UndeliveredPainter(RowPainter):
    """Draws a row whose `state` is in a word how it stands, `patient` why, `category` what it is about.

    `owner` is when that was, `badge` how often it was tried. Nothing of it says who a patient is.
    """

    @override
    def pieces(
        self, row: QueueRow, clock: ClockCell, width: int, *, marked: bool, masked: bool
    ) -> Iterable[tuple[str, Tone]]:
        when, often = width >= _WHEN_FROM, width >= _HOW_OFTEN_FROM
        taken = _MARK + _WORD + 1 + _ABOUT + 1 + _WHEN * when + _HOW_OFTEN * often
        yield fit("✓" if marked else "", _MARK), Tone.MARK
        yield fit(row.state, _WORD) + " ", Tone.LATE if row.danger else Tone.SOON
        yield fit(one_line(row.category), _ABOUT) + " ", Tone.ROW
        yield fit(one_line(row.patient), max(1, width - taken)), Tone.ROW
        if often:
            yield fit(one_line(row.badge).rjust(_HOW_OFTEN), _HOW_OFTEN), Tone.QUIET
        if when:
            yield fit(one_line(row.owner).rjust(_WHEN), _WHEN), Tone.QUIET


class UndeliveredList(TaskList):
    """Of what nobody knows the fate on top."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TaskList.COMPONENT_CLASSES

    @override
    def make_painter(self) -> RowPainter:
        return UndeliveredPainter()
