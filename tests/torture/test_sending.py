"""Sending under fire: whoever dies and whatever the provider does, once and none lost."""

from __future__ import annotations

import pytest

from crm_core.settings import Settings
from tests.torture.processes import number_from, say
from tests.torture.sending import campaign

KILLS = number_from("TORTURE_KILLS", 5_000)
SEED = number_from("TORTURE_SEED", 13)


def test_killed_pollers_lose_nothing_and_do_nothing_twice(settings: Settings, request: pytest.FixtureRequest) -> None:
    account = campaign(settings, kills=KILLS, seed=SEED)
    say(f"{request.node.name}: {account}")
    assert account.unfired == account.refired == ()
    assert account.lost == account.doubled == account.left == ()
    assert account.messages == account.timers
    assert account.fell == 0
