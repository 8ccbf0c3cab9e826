"""Times in the store: aware, in UTC, and the same moment on both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.patients.tables import PATIENT
from tests.conftest import MONDAY


def _row(at: datetime) -> dict[str, object]:
    life = {"deceased": True, "deceased_at": at, "active": True}
    return {"id": 1, **life, "created_at": MONDAY, "updated_at": MONDAY, "version": 1}


def test_a_naive_time_never_reaches_the_driver(crm: Crm) -> None:
    with pytest.raises(StatementError, match="must be aware"), crm.write(SYSTEM) as unit:
        unit.execute(insert(PATIENT), _row(datetime(2026, 11, 23, 10, 0)))  # noqa: DTZ001 - the mistake


@pytest.mark.parametrize("zone", [ZoneInfo("America/New_York"), timezone(timedelta(hours=5, minutes=45))])
def test_a_local_time_comes_back_as_the_same_moment_in_utc(crm: Crm, zone: ZoneInfo) -> None:
    at = datetime(2026, 11, 1, 1, 30, 0, 123456, tzinfo=zone, fold=1)
    with crm.write(SYSTEM) as unit:
        unit.execute(insert(PATIENT), _row(at))
    with crm.read(SYSTEM) as unit:
        found = unit.scalar(select(PATIENT.c.deceased_at))
    assert found.utcoffset() == timedelta(0)
    assert found == at.astimezone(UTC)
