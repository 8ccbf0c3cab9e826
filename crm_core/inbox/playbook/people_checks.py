"""The people that a playbook names by login: whether a home has them. Only a home can tell."""

from __future__ import annotations

from collections.abc import Iterator

from crm_core.access.logins import fold_login
from crm_core.access.model import Permission, Role
from crm_core.access.needs import needs
from crm_core.access.queries import StaffView, staff
from crm_core.inbox.playbook.section import POLICY, CategoriesSection, Lane, LanesSection, RoutingSection
from crm_core.inbox.playbook.section_checks import LANES_FILE, ROUTING_FILE
from crm_core.playbook.loader import Playbook, placed
from crm_core.playbook.problems import Caution
from crm_core.work.units import ReadUnit

_Named = tuple[str, str, str, Lane]


@needs(Permission.STAFF_READ)
def check_people(unit: ReadUnit, playbook: Playbook) -> list[Caution]:
    """A caution for each login without an active account here, or whose account does not work the lane."""
    accounts = {account.login: account for account in staff(unit)}
    found = []
    for file, key, login, lane in _named(playbook):
        message = _trouble(accounts.get(fold_login(login)), login, lane)
        if message is not None:
            found.append(placed(Caution(file=file, key=key, message=message), playbook.content))
    return found


def _named(playbook: Playbook) -> Iterator[_Named]:
    """Each login with its place and the lane that it is named for."""
    lanes = playbook.section(LanesSection).lane
    categories = playbook.section(CategoriesSection).category
    for lane in lanes.values():
        for holder in ("owner", "backup"):
            name = getattr(lane, holder)
            if name is not None and name not in set(Role):
                yield LANES_FILE, f"lane.{lane.key}.{holder}", name, lane
    for rule in playbook.section(RoutingSection).rule.values():
        if rule.assign is not None and rule.assign != POLICY:
            lane = lanes[rule.lane or categories[rule.category].lane]
            yield ROUTING_FILE, f"rule.{rule.key}.assign", rule.assign, lane


def _trouble(account: StaffView | None, login: str, lane: Lane) -> str | None:
    if account is None:
        return f"{login} is no role and no account here; add it with `crm staff add`"
    if not account.active:
        return f"the account {login} is disabled"
    works = account.lanes is None or lane.key in account.lanes
    if not works or not lane.roles & frozenset(account.roles):
        return f"{login} does not work {lane.key}"
    return None
