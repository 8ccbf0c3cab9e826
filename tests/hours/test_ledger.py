"""How a clock was counted, as a person may read it."""

from __future__ import annotations

from datetime import timedelta

from crm_core.hours import Calendar, Holidays, Kind, segments
from tests.hours.conftest import NEW_YORK, Local, weekly


def test_the_ledger_names_what_counted_and_what_did_not(local: Local) -> None:
    office = Calendar(
        name="office", zone=NEW_YORK, weekly=weekly("09:00-17:00"), holidays=Holidays(country="US", region="NY")
    )
    pause = (local(2026, 9, 8, 10), local(2026, 9, 8, 11))
    ledger = segments(office, local(2026, 9, 4, 16, 30), local(2026, 9, 8, 12), [pause])
    assert [(one.kind, one.length, one.why) for one in ledger] == [
        (Kind.COUNTED, timedelta(minutes=30), ""),
        (Kind.CLOSED, timedelta(hours=7 + 48), ""),
        (Kind.HOLIDAY, timedelta(hours=24), "Labor Day"),
        (Kind.CLOSED, timedelta(hours=9), ""),
        (Kind.COUNTED, timedelta(hours=1), ""),
        (Kind.PAUSED, timedelta(hours=1), ""),
        (Kind.COUNTED, timedelta(hours=1), ""),
    ]


def test_no_time_has_no_ledger(office: Calendar, local: Local) -> None:
    assert segments(office, local(2026, 9, 8, 12), local(2026, 9, 8, 12)) == []
