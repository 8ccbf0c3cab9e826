"""Random schedules over all zones and both clock changes, held against the rules written a second time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm_core.channels.gate import automatic
from tests.channels.schedule_rules import Went, violations
from tests.channels.schedules import wrong
from tests.hours.test_every_zone import ZONES

PLAYED = 2_000
"""Three of each zone; `make torture` plays 100,000."""


def test_no_schedule_breaks_a_rule_and_the_gate_says_when_to_the_minute() -> None:
    assert len(ZONES) * 3 < PLAYED
    assert wrong(range(PLAYED), exact_every=8) == []


@pytest.mark.parametrize("broken", ["in_hours", "under_cap", "earliest"])
def test_the_schedules_find_a_gate_that_errs(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """What is played must be able to fail."""
    lenient = {
        "in_hours": lambda *_: True,
        "under_cap": lambda at, *_: at,
        "earliest": lambda at, **_: at + timedelta(hours=6),
    }
    monkeypatch.setattr(automatic, broken, lenient[broken])
    assert wrong(range(60), exact_every=3) != []


def test_the_second_rules_know_each_kind_of_violation() -> None:
    zone = ZoneInfo("America/New_York")
    noon = datetime(2026, 11, 2, 17, tzinfo=UTC)
    days = [Went(at=noon + timedelta(days=day), unasked=True, send_by=None) for day in range(4)]
    assert violations(days[:3], zone, [], None) == []
    assert violations(days, zone, [], None) == ["four in seven days"]
    assert violations([days[0], days[0]], zone, [], None) == ["two on one day"]
    assert violations(days[:1], zone, [noon - timedelta(minutes=9)], None) == ["left while the patient was writing"]
    assert violations(days[:1], zone, [], noon) == ["left after the opt-out"]
    late = Went(at=noon + timedelta(hours=8), unasked=True, send_by=noon)
    assert violations([late], zone, [], None) == ["left at 20:00 on the patient's clock", "left after it was true"]
