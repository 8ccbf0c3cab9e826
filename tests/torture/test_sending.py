"""Sending under fire: whoever dies and whatever the provider does, once and none lost."""

from __future__ import annotations

from crm_core.access.model import Role
from crm_core.app import Crm
from crm_core.settings import Settings
from tests.conftest import StaffFactory
from tests.torture.processes import number_from, say
from tests.torture.sending import campaign

KILLS = number_from("TORTURE_KILLS", 300)


def test_killed_senders_lose_nothing_and_send_nothing_twice(crm: Crm, settings: Settings, staff: StaffFactory) -> None:
    author = staff(Role.AGENT)
    account = campaign(settings, author, kills=KILLS, seed=13)
    say(f"{crm.store.dialect}: {account}")
    for key in account.unknown:
        say(f"unknown: {key}")
    assert account.lost == ()
    assert account.doubled == ()
    assert account.unsettled == ()
    assert account.sent + len(account.unknown) == account.posted
