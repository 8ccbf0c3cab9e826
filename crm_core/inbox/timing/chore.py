"""The chore that lets time pass where nobody looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from crm_core.inbox.timing.passing import let_time_pass
from crm_core.timers.model import Tally
from crm_core.work.units import ReadUnit, Units


class ClocksChore:
    """Wakes what was put aside, raises what is late, records which clocks ran out."""

    kind = "clocks"
    every = timedelta(seconds=1)

    def __init__(self, units: Units) -> None:
        self._units = units

    def run(self, stopped: Callable[[], bool]) -> Tally:  # noqa: ARG002 - each unit of it is short
        """Do what is due; nothing is written where nothing is."""
        let_time_pass(self._units)
        return Tally()

    def behind(self, unit: ReadUnit) -> timedelta | None:  # noqa: ARG002 - whoever looks at a lane does it, too
        """Nothing waits for a poller here."""
        return None

    def close(self) -> None:
        """It keeps nothing open."""
