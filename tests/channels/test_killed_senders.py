"""Pollers killed in the middle of it, briefly; `make torture` does it at length (security.md, cases 13 and 15)."""

from __future__ import annotations

from crm_core.settings import Settings
from tests.torture.processes import say
from tests.torture.sending import campaign

KILLS = 50
"""On each store: a hundred in all."""


def test_fifty_killed_pollers_lose_nothing_and_do_nothing_twice(settings: Settings) -> None:
    account = campaign(settings, kills=KILLS, seed=1)
    say(str(account))
    assert account.kills >= KILLS
    assert account.unfired == account.refired == ()
    assert account.lost == account.doubled == account.left == ()
    assert account.messages == account.timers
    assert account.fell == 0
    assert account.hung_up
