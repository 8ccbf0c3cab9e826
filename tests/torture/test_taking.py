"""The race for items while takers die: none twice, none left behind."""

from __future__ import annotations

from pathlib import Path

from crm_core.access.model import Role
from crm_core.app import Crm
from crm_core.settings import Settings
from tests.conftest import StaffFactory
from tests.inbox.test_take import fill
from tests.torture.processes import number_from, say
from tests.torture.takers import race

ITEMS = number_from("TORTURE_ITEMS", 10_000)
TAKERS = 8
KILLS = number_from("TORTURE_TAKER_KILLS", 100)


def test_killed_takers_leave_no_item_behind_and_take_none_twice(
    crm: Crm, settings: Settings, staff: StaffFactory, tmp_path: Path
) -> None:
    for start in range(0, ITEMS, 2_000):
        fill(crm, min(2_000, ITEMS - start))
    actors = [staff(Role.AGENT) for _ in range(TAKERS)]
    (tmp_path / "told").mkdir()
    account = race(crm, settings, actors, tmp_path / "told", kills=KILLS, seed=17)
    say(f"{crm.store.dialect}: {account}")
    assert account.twice == ()
    assert account.told_twice == ()
    assert account.left == 0
    assert account.taken == account.items
