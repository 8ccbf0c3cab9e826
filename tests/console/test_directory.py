"""Looking a service up while answering."""

from __future__ import annotations

import pytest

from crm_core.access.model import Role
from crm_tui.widgets.composer import Composer
from tests.console.conftest import Account, Clinic
from tests.console.hands import console


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_service_goes_into_the_reply_at_the_cursor(
    clinic: Clinic, account: Account, size: tuple[int, int]
) -> None:
    account("kim", Role.AGENT)
    number = clinic.text("Where do I get my blood test?").conversation_id
    async with console(clinic.crm, "kim", size=size) as hands:
        await hands.press("n", "r")
        await hands.type("Here you go:")
        await hands.press("f5")
        hands.expect("Laboratory")
        await hands.type("blod")
        hands.expect("No appointment needed with an order")
        hands.expect("Mon-Fri 7:30-11:30")
        await hands.press("enter")
        assert hands.app.screen.query_one(Composer).text == (
            "Here you go:\nLaboratory\nMaple Street Primary Care, ground floor, room 4\n"
            "No appointment needed with an order; come fasting only if your order says so.\n212-555-0110"
        )
        await hands.type(" Bye")
        await hands.press("ctrl+s")
        assert clinic.now_at(number).state == "waiting_patient"
        assert str(clinic.now_at(number).messages[-1].body).endswith("212-555-0110 Bye")


async def test_from_the_thread_it_begins_a_reply_and_esc_leaves_it_as_it_was(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text("a refill please")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "f5", "escape")
        composer = hands.app.screen.query_one(Composer)
        assert not composer.display
        await hands.press("colon")
        await hands.type("directory of")
        await hands.press("enter")
        hands.expect("type what it is called")
        await hands.type("zeppelin")
        hands.expect("No service answers to this.")
        await hands.press("enter", *["backspace"] * 8, *"farmacia", "enter")
        assert composer.display
        assert composer.text.startswith("Maple Street Pharmacy\n16 Maple Street")
