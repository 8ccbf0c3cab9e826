"""The look of the whole at the two sizes people have; `--snapshot-update` after a change that is meant."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.widgets.work_stage import LockStage, WorkStage

SnapCompare = Callable[..., bool]


async def _write(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.press("j", "space", "r")
    await pilot.pause()
    assert isinstance(pilot.app, WorkStage)
    pilot.app.time += 1
    await pilot.press(*"Hello")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_the_work_screen(snap_compare: SnapCompare, width: int, height: int) -> None:
    assert snap_compare(WorkStage(), terminal_size=(width, height), run_before=_write)


def test_a_choice_leaves_the_alarm_in_view(snap_compare: SnapCompare) -> None:
    assert snap_compare(WorkStage(), terminal_size=(80, 24), press=["m", "r"])


def test_a_covered_screen(snap_compare: SnapCompare) -> None:
    assert snap_compare(LockStage(), terminal_size=(80, 24))
