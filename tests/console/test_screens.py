"""How the console looks at the two sizes people have, and what it remembers."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from crm_core.access.model import Role
from crm_core.inbox import take
from crm_tui.app import CrmApp
from crm_tui.desk.entrance import Entrance
from crm_tui.place import FILE, Place, keep_place, read_place
from crm_tui.screens.lanes import LanesScreen
from crm_tui.widgets.footer import CommandFooter
from crm_tui.widgets.identity import IdentityBar
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.thread_view import ThreadView
from tests.console.conftest import Account, Clinic
from tests.console.hands import Hands, Ticker, console
from tests.inbox.conftest import BO

SnapCompare = Callable[..., bool]
SIZES = [(80, 24), (120, 40)]


def a_morning(clinic: Clinic, account: Account) -> CrmApp:
    """A console of Kim's, with a danger, an overdue refill and an unknown sender in the lanes."""
    account("kim", Role.AGENT)
    clinic.patient("Cyd", "O'Hara", "+1 212 555 0103", "1003")
    clinic.text("Can I get a refill of my lisinopril? Two pills left")
    clinic.text("And my metformin, please", "+1 212 555 0103")
    clinic.text("I need to move my visit on Thursday", "+12125550199")
    clinic.crm.clock.move(timedelta(days=2))  # type: ignore[attr-defined]
    clinic.text("Please refill my inhaler", BO)
    clinic.text("I have chest pain and my left arm is numb", "+1 212 555 0103")
    return CrmApp(clinic.crm, Entrance(clinic.crm, "kim"), monotonic=Ticker())


def keys(*pressed: str) -> Callable[[Pilot[None]], object]:
    """Signs in and presses keys; what is flashed is put away, since it goes with the time."""

    async def press(pilot: Pilot[None]) -> None:
        assert isinstance(pilot.app, CrmApp)
        ticker = pilot.app.guard._monotonic
        assert isinstance(ticker, Ticker)
        hands = Hands(pilot.app, pilot, ticker)
        await hands.come_in()
        await hands.press(*pressed)
        for footer in pilot.app.screen.query(CommandFooter):
            footer.show_commands(*footer.commands)
        await hands.settle()

    return press


@pytest.mark.parametrize("size", SIZES)
def test_the_lanes(clinic: Clinic, account: Account, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = a_morning(clinic, account)
    assert snap_compare(app, terminal_size=size, run_before=keys("K", "j"))


@pytest.mark.usefixtures("approved")
@pytest.mark.parametrize("size", SIZES)
def test_a_conversation(clinic: Clinic, account: Account, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = a_morning(clinic, account)
    assert snap_compare(app, terminal_size=size, run_before=keys(*"Kji", *"asked", "ctrl+s", "r", *"Hello"))


@pytest.mark.usefixtures("approved")
def test_the_templates(clinic: Clinic, account: Account, snap_compare: SnapCompare) -> None:
    app = a_morning(clinic, account)
    assert snap_compare(app, terminal_size=(80, 24), run_before=keys(*"Kjt", *"refill"))


async def test_the_preview_opens_what_the_cursor_rests_on(clinic: Clinic, account: Account) -> None:
    app = a_morning(clinic, account)
    async with app.run_test(size=(120, 40)) as pilot:
        ticker = app.guard._monotonic
        assert isinstance(ticker, Ticker)
        hands = Hands(app, pilot, ticker)
        await hands.come_in()
        await hands.press("K")
        await hands.until(lambda: hands.sees("refill of my lisinopril"))
        bar = app.screen.query_one(IdentityBar)
        assert "Ana Lopez" in bar.text
        await hands.pilot.press("j")
        assert bar.text == "nobody is open", "what the cursor has left is taken away at once"
        await hands.until(lambda: "Bo Iversen" in bar.text)


async def test_tab_goes_round_the_panes_where_there_is_room_for_one(clinic: Clinic, account: Account) -> None:
    app = a_morning(clinic, account)
    async with app.run_test(size=(80, 24)) as pilot:
        ticker = app.guard._monotonic
        assert isinstance(ticker, Ticker)
        hands = Hands(app, pilot, ticker)
        await hands.come_in()
        await hands.press("K", "tab")
        await hands.until(lambda: hands.sees("refill of my lisinopril"))
        assert isinstance(app.focused, ThreadView)
        await hands.press("tab")
        hands.expect("lane open free late")
        await hands.press("tab")
        assert isinstance(app.focused, QueueList)


async def test_a_filter_says_so_and_is_gone_with_the_session(clinic: Clinic, account: Account) -> None:
    a_morning(clinic, account)
    async with console(clinic.crm, "kim") as hands:
        await hands.press("K", "slash")
        await hands.type("bo")
        await hands.until(lambda: hands.sees("enter looks for these words"))
        await hands.press("enter")
        await hands.until(lambda: hands.sees("FILTERED 1 of 2"))
        await hands.press("ctrl+q")
    async with console(clinic.crm, "kim") as hands:
        assert isinstance(hands.app.screen, LanesScreen)
        assert hands.app.screen.lane == "refills", "the lane is remembered"
        assert not hands.sees("FILTERED")
        row = hands.app.screen.query_one(QueueList).row
        assert row is not None and row.patient == "Bo Iversen", "and so is the cursor"
    file = clinic.crm.settings.home / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Bo" not in file.read_text("utf-8")


async def test_several_are_acted_on_only_after_their_number_is_typed(clinic: Clinic, account: Account) -> None:
    kim = account("kim", Role.AGENT)
    numbers = [clinic.text("a refill please", f"+1212555{number:04d}").conversation_id for number in range(3)]
    async with console(clinic.crm, "kim") as hands:
        await hands.press("K", "space", "space", "c")
        hands.expect("2 conversations?")
        await hands.press("enter")
        assert clinic.now_at(numbers[0]).owner_id is None
        await hands.press("c", "2", "enter")
        assert [clinic.now_at(number).owner_id for number in numbers] == [kim.staff_id, kim.staff_id, None]


async def test_a_patient_is_found_and_their_record_opened(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text("a refill please").conversation_id
    async with console(clinic.crm, "kim") as hands:
        for text in ("lopez ana", "555-0101", "1001", "1970-01-31 lopez"):
            await hands.press("ctrl+f")
            await hands.type(text)
            await hands.until(lambda: hands.sees("Ana Lopez"))
            await hands.press("enter")
            hands.expect("MRN 1001")
            await hands.press("escape")
        await hands.press("ctrl+f")
        await hands.type("lopez")
        await hands.until(lambda: hands.sees("1 found"))
        await hands.press("enter", "enter")
        hands.expect("a refill please")
        assert clinic.now_at(number).owner_id is None, "looking is not taking"


async def test_another_console_s_work_is_seen_at_once(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text("a refill please").conversation_id
    assert number is not None
    async with console(clinic.crm, "kim") as hands:
        await hands.press("K")
        hands.expect("1 open · 1 free")
        clinic.do(clinic.agent, take.claim, number)
        await hands.until(lambda: hands.sees("1 open · 0 free"), seconds=5)
        await hands.until(lambda: hands.sees("Agent1"), seconds=5)


def test_a_place_that_cannot_be_read_is_nowhere(clinic: Clinic) -> None:
    home = clinic.crm.settings.home
    (home / FILE).write_text("{broken", encoding="utf-8")
    assert read_place(home, 1) == Place()
    keep_place(home, 1, Place(lane="refills", conversation_id=7))
    keep_place(home, 2, Place(lane="billing"))
    assert read_place(home, 1) == Place(lane="refills", conversation_id=7)


async def test_a_command_takes_another_key_where_the_settings_say_so(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text("a refill please")
    clinic.crm.settings = replace(clinic.crm.settings, keys={"take_next": "f5"})
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n")
        assert isinstance(hands.app.screen, LanesScreen)
        await hands.press("f5")
        hands.expect("a refill please")
