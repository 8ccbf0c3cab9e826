"""Accounts: made, changed, ended."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import insert

from crm_core.access import queries, service
from crm_core.access.logins import BadLogin, BadName
from crm_core.access.model import SYSTEM, Role
from crm_core.access.service import LastAdministrator
from crm_core.access.tables import STAFF
from crm_core.app import Crm
from crm_core.errors import AlreadyInUse, CrmError, NotFound, NotPermitted, UsageError
from tests.conftest import StaffFactory


def make(crm: Crm, login: str, *roles: Role, os_user: str | None = None) -> int:
    with crm.write(SYSTEM) as unit:
        return service.create_staff(unit, login=login, name=login.title(), roles=roles, os_user=os_user)


def shown(crm: Crm, login: str) -> queries.StaffView:
    with crm.read(SYSTEM) as unit:
        return queries.by_login(unit, login)


def test_an_account_is_listed_as_it_was_made(crm: Crm) -> None:
    with crm.write(SYSTEM) as unit:
        service.create_staff(
            unit,
            login="Maria",
            name=" Maria López ",
            roles=[Role.NURSE, Role.AGENT],
            lanes=["refills"],
            os_user="mlopez",
        )
    view = shown(crm, "MARIA")
    assert (view.login, view.name, view.os_user, view.active, view.has_password) == (
        "maria",
        "Maria López",
        "mlopez",
        True,
        False,
    )
    assert view.roles == (Role.AGENT, Role.NURSE)
    assert view.lanes == ("refills",)
    assert view.as_actor().lanes == frozenset({"refills"})
    make(crm, "abe", Role.AGENT)
    with crm.read(SYSTEM) as unit:
        assert [account.login for account in queries.staff(unit)] == ["abe", "maria"]


@pytest.mark.parametrize("login", ["", " ", "ann lee", "-ann", "ann\x1b[2J", "a" * 65, "ann\u202e", "../x"])
def test_a_login_that_could_be_mistaken_or_obeyed_is_refused(crm: Crm, login: str) -> None:
    with pytest.raises(BadLogin):
        make(crm, login, Role.AGENT)


@pytest.mark.parametrize("name", ["", "\x1b]52;c;x\x07", "a\nb", "x" * 121, "Bob\u202e"])
def test_a_name_that_is_no_line_of_text_is_refused(crm: Crm, name: str) -> None:
    with pytest.raises(BadName), crm.write(SYSTEM) as unit:
        service.create_staff(unit, login="bob", name=name, roles=[Role.AGENT])


def test_an_account_needs_a_role(crm: Crm) -> None:
    with pytest.raises(UsageError):
        make(crm, "ann")


def test_a_login_or_system_user_has_one_account(crm: Crm) -> None:
    make(crm, "ann", Role.AGENT, os_user="alee")
    with pytest.raises(AlreadyInUse, match="login"):
        make(crm, "ＡＮＮ", Role.AGENT)
    with pytest.raises(AlreadyInUse, match="operating-system user"):
        make(crm, "bob", Role.AGENT, os_user="alee")
    bob = make(crm, "bob", Role.AGENT)
    with pytest.raises(AlreadyInUse), crm.write(SYSTEM) as unit:
        service.map_os_user(unit, bob, "alee")


def test_two_at_once_are_settled_by_the_store_and_only_the_rule_is_named(
    crm: Crm, caplog: pytest.LogCaptureFixture
) -> None:
    make(crm, "ann", Role.AGENT)
    row = {"id": 999_999, "login": "ann", "name": "Secret Person", "active": True, "epoch": 1, "failed_attempts": 0}
    with pytest.raises(AlreadyInUse) as refused, crm.write(SYSTEM) as unit:
        unit.execute(insert(STAFF), [{**row, "created_at": unit.now}])
    assert "Secret" not in refused.value.message + caplog.text
    assert "staff" in caplog.text


def test_what_is_not_there_is_not_found(crm: Crm) -> None:
    for change in (service.disable, service.enable):
        with pytest.raises(NotFound), crm.write(SYSTEM) as unit:
            change(unit, 424_242)
    with pytest.raises(NotFound), crm.read(SYSTEM) as unit:
        queries.by_login(unit, "nobody")


def test_roles_lanes_and_the_system_user_are_replaced_not_added_to(crm: Crm) -> None:
    ann = make(crm, "ann", Role.AGENT, os_user="alee")
    with crm.write(SYSTEM) as unit:
        service.set_roles(unit, ann, [Role.NURSE, Role.SUPERVISOR])
        service.set_lanes(unit, ann, ["billing", "refills", "billing"])
        service.map_os_user(unit, ann, None)
    view = shown(crm, "ann")
    assert (view.roles, view.lanes, view.os_user) == ((Role.NURSE, Role.SUPERVISOR), ("billing", "refills"), None)
    with crm.write(SYSTEM) as unit:
        service.set_lanes(unit, ann, [])
    assert shown(crm, "ann").lanes is None


def test_somebody_can_always_manage_accounts(crm: Crm) -> None:
    first = make(crm, "first", Role.ADMIN)
    with pytest.raises(LastAdministrator), crm.write(SYSTEM) as unit:
        service.disable(unit, first)
    with pytest.raises(LastAdministrator), crm.write(SYSTEM) as unit:
        service.set_roles(unit, first, [Role.NURSE])
    second = make(crm, "second", Role.ADMIN)
    with crm.write(SYSTEM) as unit:
        service.disable(unit, first)
    with pytest.raises(LastAdministrator), crm.write(SYSTEM) as unit:
        service.set_roles(unit, second, [Role.AGENT])
    with crm.write(SYSTEM) as unit:
        service.enable(unit, first)
        service.set_roles(unit, second, [Role.AGENT])


@pytest.mark.parametrize("end", ["disable", "demote"])
def test_two_administrators_who_end_each_other_at_once_do_not_both_succeed(crm: Crm, end: str) -> None:
    ids = [make(crm, "one", Role.ADMIN), make(crm, "two", Role.ADMIN)]
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def strike(target: int) -> None:
        together.wait()
        try:
            with crm.write(SYSTEM) as unit:
                if end == "disable":
                    service.disable(unit, target)
                else:
                    service.set_roles(unit, target, [Role.AGENT])
            outcomes.append("done")
        except CrmError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=strike, args=(target,)) for target in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["LastAdministrator", "done"]


def test_who_may_not_manage_accounts_makes_none(crm: Crm, staff: StaffFactory) -> None:
    nurse = staff(Role.NURSE)
    with pytest.raises(NotPermitted), crm.write(nurse) as unit:
        service.create_staff(unit, login="eve", name="Eve", roles=[Role.ADMIN])
    with pytest.raises(NotFound):
        shown(crm, "eve")
