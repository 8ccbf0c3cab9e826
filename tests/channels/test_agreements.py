"""An agreement that runs out is told of sixty days before, once, and urgently on the day after its last."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM, Role
from crm_core.channels.agreements import AgreementsChore
from crm_core.channels.vendors import add_vendor, end_vendor, vendors
from crm_core.tasks.tables import Task
from tests.conftest import StaffFactory
from tests.inbox.conftest import Clinic

LAST = date(2026, 12, 31)


def told(clinic: Clinic) -> list[tuple[str, str]]:
    """What the supervisor's list says, state and title, after the pollers looked twice."""
    chore = AgreementsChore(clinic.crm.units)
    for _ in range(2):
        chore.run(lambda: False)
    with clinic.crm.read(SYSTEM) as unit:
        rows = unit.execute(select(Task.state, Task.title, Task.role).order_by(Task.id)).all()
        assert {row.role for row in rows} <= {Role.SUPERVISOR}
        return [(row.state.value, str(unit.open(row.title))) for row in rows]


@pytest.fixture
def agreed(clinic: Clinic, staff: StaffFactory) -> Clinic:
    """A vendor whose agreement ends with the year."""
    dates = {"baa_from": date(2026, 1, 1), "baa_until": LAST}
    clinic.do(staff(Role.ADMIN), add_vendor, name="Example Texts", gateway="sms", **dates)
    return clinic


def test_it_is_told_from_the_sixtieth_day_on_and_urgently_once_it_is_over(agreed: Clinic) -> None:
    agreed.at(datetime(2026, 10, 31, 12, tzinfo=UTC))
    assert told(agreed) == []
    agreed.at(datetime(2026, 11, 1, 12, tzinfo=UTC))
    (one,) = agreed.see(SYSTEM, vendors)
    assert (one.days_left, one.ends_soon, one.ran_out) == (60, True, False)
    assert told(agreed) == [("open", "Renew the agreement (BAA) with Example Texts for sms: it ends on 2026-12-31")]
    agreed.at(datetime(2027, 1, 1, 12, tzinfo=UTC))
    (warned, urgent) = told(agreed)
    assert warned[0] == "cancelled"
    assert urgent[0] == "open"
    assert urgent[1].startswith("URGENT: the agreement (BAA) with Example Texts for sms ended on 2026-12-31")


@pytest.mark.parametrize("how", ["renewed", "ended"])
def test_a_renewal_or_the_vendors_end_takes_the_warning_back(agreed: Clinic, how: str) -> None:
    agreed.at(datetime(2026, 12, 1, 12, tzinfo=UTC))
    assert [state for state, _ in told(agreed)] == ["open"]
    if how == "renewed":
        dates = {"baa_from": date(2027, 1, 1), "baa_until": date(2027, 12, 31)}
        agreed.do(SYSTEM, add_vendor, name="Example Texts", gateway="sms", **dates)
    else:
        agreed.do(SYSTEM, end_vendor, "Example Texts")
    assert [state for state, _ in told(agreed)] == ["cancelled"]
