"""Going from mode to mode by number, and the modes that a clinic does not use."""

from __future__ import annotations

from dataclasses import replace

from crm_core.access.model import Role
from crm_tui.screens.conversation import ConversationScreen
from crm_tui.screens.lanes import LanesScreen
from crm_tui.screens.tasks import TasksScreen
from tests.console.conftest import Account, Clinic
from tests.console.hands import console


async def test_a_number_shows_its_mode_and_esc_leads_back_to_the_lanes(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text("Can I get a refill of my lisinopril?")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("4")
        assert isinstance(hands.app.screen, TasksScreen)
        await hands.press("n")
        assert isinstance(hands.app.screen, ConversationScreen)
        await hands.press("4")
        assert isinstance(hands.app.screen, TasksScreen)
        assert len(hands.app.screen_stack) == 3, "the lanes, the tasks, and no second screen of either"
        await hands.press("escape")
        assert isinstance(hands.app.screen, LanesScreen)
        await hands.press("4", "1")
        assert isinstance(hands.app.screen, LanesScreen)


async def test_a_mode_keeps_what_is_being_written(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text("Can I get a refill of my lisinopril?")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("Yes")
        await hands.press("4")
        assert isinstance(hands.app.screen, ConversationScreen), "a number in a text is text"
        assert hands.app.screen.composer.text == "Yes4"
        await hands.press("escape", "4", "1")
        await hands.press("K", "enter")
        await hands.until(lambda: hands.sees("Your draft is back"))


async def test_a_mode_that_the_clinic_does_not_use_says_so_and_is_offered_nowhere(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    async with console(clinic.crm, "kim") as hands:
        assert hands.app.session is not None
        hands.app.session = replace(
            hands.app.session, choices=replace(hands.app.session.choices, modules=frozenset({"lanes"}))
        )
        await hands.press("4")
        assert isinstance(hands.app.screen, LanesScreen)
        hands.expect("This clinic does not use tasks")
        assert "mode_tasks" not in hands.app.commands_in_use
        await hands.press("ctrl+p")
        await hands.type("tasks")
        assert not hands.sees("Tasks  4")
