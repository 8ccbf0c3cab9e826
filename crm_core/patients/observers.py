"""Who must know of a death, a merge, or a change of number: rooms above this one.

app.py says under `PATIENT_OBSERVERS` in `unit.shared` who they are, in order. They are told in
the unit that makes the change, once what it changed is written, and stand or fall with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from crm_core.work.units import ReadUnit, WriteUnit

PATIENT_OBSERVERS = "patients.observers"


class PatientObserver(Protocol):
    """One who acts on what becomes of patients. Ids are of records that are not merged into another."""

    def died(self, unit: WriteUnit, patient_id: int) -> None:
        """A patient known before is known to be deceased from now on."""

    def merged(self, unit: WriteUnit, kept_id: int, gone_id: int) -> None:
        """From now on `gone_id` is `kept_id`: what is kept under either is that one patient's."""

    def number_changed(
        self, unit: WriteUnit, patient_id: int, old_point_id: int | None, new_point_id: int | None
    ) -> None:
        """A patient no longer uses the old contact point, or uses the new one, or has one in place of the other."""


def patient_observers(unit: ReadUnit) -> Sequence[PatientObserver]:
    """Those whom app.py named, in order."""
    found: Sequence[PatientObserver] = unit.shared.get(PATIENT_OBSERVERS, ())
    return found
