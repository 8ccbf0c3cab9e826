"""The chore that anchors the audit outside the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from crm_core.access.auditing import make_checkpoint
from crm_core.access.model import SYSTEM
from crm_core.timers.model import Tally
from crm_core.work.units import ReadUnit, Units


class AnchorChore:
    """Signs the heads of the audit's chains once a minute, where something was recorded since.

    Only a process that was given the signing key does it: a console is not.
    """

    kind = "anchor"
    every = timedelta(seconds=60)

    def __init__(self, units: Units, anchor: Path) -> None:
        self._units = units
        self._anchor = anchor

    def run(self, stopped: Callable[[], bool]) -> Tally:  # noqa: ARG002 - it is one piece of work
        """Make one checkpoint."""
        with self._units.write(SYSTEM) as unit:
            make_checkpoint(unit, self._anchor)
        return Tally()

    def behind(self, unit: ReadUnit) -> timedelta | None:  # noqa: ARG002 - `crm doctor` looks at the anchor itself
        """Nothing of it lies in the store."""
        return None

    def close(self) -> None:
        """It keeps nothing open."""
