"""Senders killed in the middle of it, briefly; `make torture` does it at length."""

from __future__ import annotations

from crm_core.access.model import Role
from crm_core.app import Crm
from crm_core.settings import Settings
from tests.conftest import StaffFactory
from tests.torture.sending import campaign

KILLS = 20


def test_twenty_killed_senders_lose_nothing_and_send_nothing_twice(
    crm: Crm, settings: Settings, staff: StaffFactory
) -> None:
    account = campaign(settings, staff(Role.AGENT), kills=KILLS, seed=1)
    assert account.kills >= KILLS
    assert account.lost == account.doubled == account.unsettled == ()
    assert account.sent + len(account.unknown) == account.posted
    assert account.hung_up
