"""The logins that a playbook names are looked for where it is to be in force."""

from __future__ import annotations

import pytest

from crm_core.access.model import SYSTEM, Role
from crm_core.access.service import disable
from crm_core.app import Crm
from crm_core.inbox.playbook.people_checks import check_people
from tests.conftest import StaffFactory
from tests.inbox.own_rules import own_playbook, rule

BILLS = 'field = "text", op = "contains_any", value = ["bill"]'
OWNER = ('title = "Billing"\nowner = "agent"', 'title = "Billing"\nowner = "Rosa"')


def told(crm: Crm) -> list[str]:
    """The cautions about a playbook in which Rosa owns the billing lane and is assigned bills."""
    draft = own_playbook(
        rules=rule("bills", BILLS, 'category = "billing"\nassign = "rosa"'), changed={"lanes.toml": OWNER}
    )
    with crm.read(SYSTEM) as unit:
        return [str(caution) for caution in check_people(unit, draft)]


def test_roles_and_the_policy_are_no_logins(crm: Crm) -> None:
    with crm.read(SYSTEM) as unit:
        assert check_people(unit, own_playbook()) == []
        by_policy = rule("bills", BILLS, 'category = "billing"\nassign = "policy"')
        assert check_people(unit, own_playbook(rules=by_policy)) == []


def test_a_login_that_no_account_has_is_named_with_file_and_line(crm: Crm) -> None:
    missing = "is no role and no account here; add it with `crm staff add`"
    owner, assigned = told(crm)
    assert owner.startswith("lanes.toml:")
    assert owner.endswith(f"lane.billing.owner: Rosa {missing}")
    assert assigned == f"routing.toml:5: rule.bills.assign: rosa {missing}"


@pytest.mark.parametrize(
    ("role", "lanes", "trouble"),
    [
        (Role.AGENT, None, None),
        (Role.AGENT, frozenset({"billing", "records"}), None),
        (Role.AGENT, frozenset({"records"}), "does not work billing"),
        (Role.NURSE, None, "does not work billing"),
    ],
)
def test_an_account_must_work_the_lane(
    crm: Crm, staff: StaffFactory, role: Role, lanes: frozenset[str] | None, trouble: str | None
) -> None:
    staff(role, name="rosa", lanes=lanes)
    found = told(crm)
    assert len(found) == (2 if trouble else 0)
    assert all(trouble and trouble in line for line in found)


def test_a_disabled_account_is_a_caution(crm: Crm, staff: StaffFactory) -> None:
    rosa = staff(Role.AGENT, name="rosa")
    with crm.write(SYSTEM) as unit:
        disable(unit, rosa.staff_id)
    assert all("is disabled" in line for line in told(crm))
    assert len(told(crm)) == 2
