"""A hundred thousand schedules of contact, over all zones and both clock changes."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.channels.schedules import wrong

SCHEDULES = 100_000
_PIECE = 2_000


def test_a_hundred_thousand_schedules_break_no_rule() -> None:
    pieces = [range(first, first + _PIECE) for first in range(0, SCHEDULES, _PIECE)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = [broken for piece in pool.map(_played, pieces) for broken in piece]
    sys.stderr.write(f"schedules: {SCHEDULES:,} played, {len(found)} broke a rule\n")
    assert found == []


def _played(seeds: range) -> list[tuple[int, list[str]]]:
    return wrong(seeds, exact_every=10)
