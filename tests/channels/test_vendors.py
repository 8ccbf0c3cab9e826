"""Vendors: who carries messages, and the days on which an agreement covers it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from crm_core.access.model import Actor, Role
from crm_core.channels.vendors import add_vendor, end_vendor, vendors
from crm_core.errors import AlreadyInUse, NotFound, NotPermitted, UsageError
from tests.conftest import StaffFactory
from tests.inbox.conftest import Clinic
from tests.inbox.looking import tags

FROM, UNTIL = date(2026, 1, 1), date(2026, 12, 31)


@pytest.fixture
def admin(staff: StaffFactory) -> Actor:
    """One who manages vendors."""
    return staff(Role.ADMIN)


def add(clinic: Clinic, admin: Actor, name: str = "Example Texts", until: date = UNTIL) -> None:
    """An agreement from the first of January on."""
    clinic.do(admin, add_vendor, name=name, gateway="sms", baa_from=FROM, baa_until=until)


def test_a_vendor_is_in_date_from_its_first_day_to_its_last_where_the_clinic_is(clinic: Clinic, admin: Actor) -> None:
    add(clinic, admin)
    told = []
    for moment in ((2026, 1, 1, 4, 59), (2026, 1, 1, 5, 0), (2027, 1, 1, 4, 59), (2027, 1, 1, 5, 0)):
        clinic.at(datetime(*moment, tzinfo=UTC))
        told.append(clinic.see(admin, vendors)[0].in_date)
    assert told == [False, True, True, False]


def test_an_ended_vendor_is_not_in_date_and_is_ended_once(clinic: Clinic, admin: Actor) -> None:
    add(clinic, admin)
    clinic.do(admin, end_vendor, "Example Texts")
    (view,) = clinic.see(admin, vendors)
    assert (view.ended, view.in_date) == (True, False)
    for name in ("Example Texts", "Nobody"):
        with pytest.raises(NotFound):
            clinic.do(admin, end_vendor, name)
    assert {"vendor:agreement:added", "vendor:agreement:ended"} <= set(tags(clinic.crm))


def test_a_renewal_stands_beside_the_agreement_it_follows(clinic: Clinic, admin: Actor) -> None:
    add(clinic, admin)
    renewal = {"baa_from": date(2027, 1, 1), "baa_until": date(2027, 12, 31)}
    clinic.do(admin, add_vendor, name="Example Texts", gateway="sms", **renewal)
    clinic.at(datetime(2027, 6, 1, tzinfo=UTC))
    assert [each.in_date for each in clinic.see(admin, vendors)] == [False, True]
    assert len(clinic.do(admin, end_vendor, "Example Texts")) == 2


def test_an_agreement_is_recorded_once_and_ends_after_it_begins(clinic: Clinic, admin: Actor) -> None:
    add(clinic, admin)
    with pytest.raises(AlreadyInUse):
        add(clinic, admin)
    with pytest.raises(UsageError):
        add(clinic, admin, "Other Texts", date(2025, 12, 31))
    assert [each.name for each in clinic.see(admin, vendors)] == ["Example Texts"]


def test_only_an_administrator_manages_vendors(clinic: Clinic) -> None:
    for actor in (clinic.agent, clinic.supervisor):
        with pytest.raises(NotPermitted):
            add(clinic, actor)
