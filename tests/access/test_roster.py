"""Capacity and absence: what may be said of a person's work, and that it ends no session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_core.access import queries
from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.roster import end_absence, plan_absence, set_capacity
from crm_core.access.service import create_staff, disable
from crm_core.app import Crm
from crm_core.errors import NotFound, NotPermitted, UsageError
from tests.conftest import MONDAY, StaffFactory

DAY = timedelta(days=1)


def do(crm: Crm, function: Any, *args: Any, actor: Actor = SYSTEM, **more: Any) -> Any:
    with crm.write(actor) as unit:
        return function(unit, *args, **more)


def seen(crm: Crm, staff_id: int) -> queries.StaffView:
    with crm.read(SYSTEM) as unit:
        return next(account for account in queries.staff(unit) if account.id == staff_id)


@pytest.fixture
def ada(crm: Crm) -> int:
    return int(do(crm, create_staff, login="ada", name="Ada", roles=[Role.AGENT]))


@pytest.fixture
def ben(crm: Crm) -> int:
    return int(do(crm, create_staff, login="ben", name="Ben", roles=[Role.AGENT]))


def test_a_capacity_is_a_number_or_none_and_ends_no_session(crm: Crm, ada: int) -> None:
    assert seen(crm, ada).capacity is None
    do(crm, set_capacity, ada, 12)
    assert (seen(crm, ada).capacity, seen(crm, ada).epoch) == (12, 1)
    do(crm, set_capacity, ada, None)
    assert seen(crm, ada).capacity is None
    with pytest.raises(UsageError):
        do(crm, set_capacity, ada, -1)
    with pytest.raises(NotFound):
        do(crm, set_capacity, 999, 3)


def test_an_absence_has_an_end_after_its_beginning_and_a_substitute_who_is_another_and_works_here(
    crm: Crm, ada: int, ben: int
) -> None:
    do(crm, disable, ben)
    bad: list[dict[str, Any]] = [
        {"starts_at": MONDAY + DAY, "ends_at": MONDAY + DAY},
        {"starts_at": MONDAY - 2 * DAY, "ends_at": MONDAY - DAY},
        {"starts_at": MONDAY, "ends_at": MONDAY + DAY, "substitute_id": ada},
        {"starts_at": MONDAY, "ends_at": MONDAY + DAY, "substitute_id": ben},
        {"starts_at": MONDAY, "ends_at": MONDAY + DAY, "substitute_id": 999},
    ]
    for wrong in bad:
        with pytest.raises(UsageError):
            do(crm, plan_absence, ada, **wrong)
    with pytest.raises(NotFound):
        do(crm, plan_absence, 999, starts_at=MONDAY, ends_at=MONDAY + DAY)
    assert seen(crm, ada).absences == ()


def test_two_absences_of_one_person_do_not_overlap_but_may_follow_each_other(crm: Crm, ada: int, ben: int) -> None:
    do(crm, plan_absence, ada, starts_at=MONDAY, ends_at=MONDAY + DAY, substitute_id=ben)
    with pytest.raises(UsageError, match="absent then already"):
        do(crm, plan_absence, ada, starts_at=MONDAY + DAY / 2, ends_at=MONDAY + 2 * DAY)
    do(crm, plan_absence, ada, starts_at=MONDAY + DAY, ends_at=MONDAY + 2 * DAY)
    first, second = seen(crm, ada).absences
    assert (first.substitute, first.ends_at) == ("ben", second.starts_at)


def test_who_is_back_is_here_from_now_on_and_what_is_planned_can_be_called_off(crm: Crm, ada: int, clock: Any) -> None:
    do(crm, plan_absence, ada, starts_at=MONDAY, ends_at=MONDAY + DAY)
    do(crm, plan_absence, ada, starts_at=MONDAY + 3 * DAY, ends_at=MONDAY + 4 * DAY)
    clock.set(MONDAY + DAY / 2)
    do(crm, end_absence, ada)
    assert [absence.starts_at for absence in seen(crm, ada).absences] == [MONDAY + 3 * DAY]
    do(crm, end_absence, ada)
    assert seen(crm, ada).absences == ()
    with pytest.raises(UsageError, match="not absent"):
        do(crm, end_absence, ada)


def test_a_supervisor_says_who_works_and_an_agent_does_not(crm: Crm, ada: int, staff: StaffFactory) -> None:
    do(crm, set_capacity, ada, 5, actor=staff(Role.SUPERVISOR))
    with pytest.raises(NotPermitted):
        do(crm, set_capacity, ada, 6, actor=staff(Role.AGENT))
    assert seen(crm, ada).capacity == 5
