"""What other processes do to the store of a test; importable, as a spawned process needs it."""

from __future__ import annotations

from typing import Any

from crm_core.access.model import SYSTEM
from crm_core.app import open_crm
from crm_core.settings import Settings
from crm_core.store.feed import Topic
from tests.conftest import MASTER


def take_ids(settings: Settings, units: int, each: int, gate: Any, results: Any) -> None:
    """Ask for `each` ids in so many units, every fifth of which is rolled back."""
    taken: list[int] = []
    with open_crm(settings, master=MASTER) as crm:
        gate.wait()
        for number in range(units):
            try:
                with crm.write(SYSTEM) as unit:
                    ids = list(unit.new_ids("conversation", each))
                    if number % 5 == 4:
                        raise _RolledBack
            except _RolledBack:
                continue
            taken += ids
    results.put(taken)


class _RolledBack(Exception):
    """The unit is left by an error."""


def change(settings: Settings, topic: str, go: Any, committed: Any) -> None:
    """Commit one change of `topic` when told to, and say so."""
    with open_crm(settings, master=MASTER) as crm:
        go.wait()
        with crm.write(SYSTEM) as unit:
            unit.changed(Topic(topic))
        committed.set()
        # A process that ends would announce what it still holds back; a console lives on.
        go.clear()
        go.wait(10)
