"""What passing time does by itself, for whoever looks: a console before it shows a queue, a poller each second."""

from __future__ import annotations

from crm_core.access.model import SYSTEM
from crm_core.inbox.take import settle_time, time_has_come
from crm_core.inbox.timing.counting import AT_A_TIME, marks_are_due, settle_marks
from crm_core.work.units import Units


def let_time_pass(units: Units) -> None:
    """Bring back what is due, raise what is late, record what has run out; nothing is written where nothing is due."""
    with units.read(SYSTEM) as unit:
        due, unmarked = time_has_come(unit), marks_are_due(unit)
    if due:
        with units.write(SYSTEM) as unit:
            settle_time(unit)
    while unmarked:
        with units.write(SYSTEM) as unit:
            unmarked = settle_marks(unit) == AT_A_TIME
