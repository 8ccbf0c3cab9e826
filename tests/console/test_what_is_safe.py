"""What must hold whatever is pressed: dangers, the lock, the right patient, inert text."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import event
from textual.screen import ModalScreen

from crm_core.access.model import SYSTEM, Role
from crm_core.access.passwords import hash_password
from crm_core.access.service import create_staff, disable
from crm_core.inbox.handling import snooze
from crm_tui import crash
from crm_tui.desk.lanes import LanesDesk
from crm_tui.screens.conversation import ConversationScreen
from crm_tui.screens.entrance import EntranceScreen
from crm_tui.widgets.alarm_line import AlarmLine
from crm_tui.widgets.composer import Composer
from crm_tui.widgets.queue_list import QueueList
from tests.console.conftest import Account, Clinic
from tests.console.hands import Hands, console
from tests.inbox.conftest import ANA, BO
from tests.widgets.stages import HOSTILE

CHEST_PAIN = "I have chest pain and my left arm is numb"
SESAME = "open sesame, and quickly"
REFILL = "Can I get a refill of my lisinopril? Two pills left"

_OTHER_PROCESS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from crm_core.access.model import SYSTEM
from crm_core.app import open_crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Inbound
from crm_core.clock import ShiftedClock
from crm_core.vault.keys import Key
from crm_core.words import Channel
from tests.conftest import MASTER, settings_in
at = datetime.fromisoformat(sys.argv[3])
with open_crm(settings_in(Path(sys.argv[1]), sys.argv[2]), master=MASTER, clock=ShiftedClock(at)) as crm:
    inbound = Inbound(channel=Channel.SMS, sender=sys.argv[4], text=sys.stdin.read(), at=at, provider_id="other")
    with crm.write(SYSTEM) as unit:
        receive(unit, crm.receiver, inbound)
sys.stdout.write("committed")
"""


def another_process_receives(clinic: Clinic, text: str) -> subprocess.Popen[str]:
    """Begin to take a text in by another process; it says `committed` when it has."""
    settings = clinic.crm.settings
    at = clinic.crm.clock.now().isoformat()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_OTHER_PROCESS), str(settings.home), settings.store_url, at, ANA],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    return process


def alarm_text(hands: Hands) -> str:
    """What the alarm line in view says."""
    return hands.app.screen.query_one(AlarmLine).text


@pytest.mark.usefixtures("both_stores")
async def test_a_danger_of_another_process_is_on_the_line_within_two_seconds(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text("A question about my bill").conversation_id
    assert number is not None
    clinic.do(clinic.agent, snooze, number, until=clinic.crm.clock.now().replace(hour=23))
    async with console(clinic.crm, "kim") as hands:
        assert alarm_text(hands) == "No alarm"
        process = another_process_receives(clinic, CHEST_PAIN)
        await hands.until(lambda: process.poll() is not None, seconds=60)
        assert process.stdout is not None and process.stdout.read() == "committed"
        process.stdout.close()
        await hands.until(lambda: alarm_text(hands).startswith("1 DANGER"), seconds=2)
    shown = clinic.now_at(number)
    assert (shown.lane, shown.priority, shown.owner_id, shown.danger) == ("clinical_triage", "stat", None, True)


async def test_an_agent_neither_snoozes_moves_nor_closes_a_danger(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(CHEST_PAIN).conversation_id
    async with console(clinic.crm, "kim") as hands:
        hands.expect("1 DANGER · oldest now · nobody has it · ! opens")
        await hands.press("!")
        hands.expect("nobody has it · fetch a nurse")
        await hands.press("escape", "enter")
        for key in ("s", "m", "d", "x"):
            await hands.press(key)
            hands.expect("only a clinician may")
            assert not isinstance(hands.app.screen, ModalScreen)
        await hands.press("A")
        hands.expect("Your role does not acknowledge the alarm")
        await hands.press("n")
        assert isinstance(hands.app.screen, ConversationScreen)
    shown = clinic.now_at(number)
    assert (shown.state, shown.lane, shown.owner_id) == ("open", "clinical_triage", None)


async def test_a_nurse_opens_and_acknowledges_it(clinic: Clinic, account: Account) -> None:
    nora = account("nora", Role.NURSE)
    number = clinic.text(CHEST_PAIN).conversation_id
    async with console(clinic.crm, "nora") as hands:
        await hands.press("!")
        hands.expect("Ana Lopez")
        await hands.press("A", "enter")
        assert clinic.now_at(number).danger, "the safe answer has the focus"
        await hands.press("A", "y")
        await hands.until(lambda: alarm_text(hands) == "No alarm")
        assert clinic.now_at(number).owner_id == nora.staff_id


async def test_a_locked_console_shows_the_count_and_nothing_else(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text(CHEST_PAIN)
    clinic.text(REFILL, BO)
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("Half a sentence")
        hands.ticker.pass_by(119)
        hands.app.tick()
        assert not hands.app.idle.is_locked
        hands.ticker.pass_by(2)
        hands.app.tick()
        await hands.settle()
        assert isinstance(hands.app.screen, EntranceScreen)
        hands.expect("Locked")
        hands.expect("1 DANGER")
        for secret in ("Ana", "Bo Iversen", "lisinopril", "Half a sentence", "nobody has it"):
            assert not hands.sees(secret), secret
        for key in ("n", "ctrl+f", "f1", "colon", "ctrl+p", "escape", "exclamation_mark", "f2"):
            await hands.press(key)
            assert isinstance(hands.app.screen, EntranceScreen), key
        await hands.press("enter")
        hands.expect("Bo Iversen")
        assert hands.app.screen.query_one(Composer).text == "Half a sentence"


async def test_a_session_ends_after_a_quarter_of_an_hour_under_lock(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("Half a sentence")
        await hands.press("ctrl+l")
        hands.ticker.pass_by(901)
        hands.app.tick()
        await hands.settle()
        assert hands.app.session is None
        hands.expect("The session ended after 15 minutes")
        await hands.press("enter", "!")
        assert not hands.sees("Half a sentence")
        await hands.press("j", "K", "enter")
        assert hands.app.screen.query_one(Composer).text == "Half a sentence"


async def test_a_password_is_asked_for_and_failures_are_told(clinic: Clinic) -> None:
    with clinic.crm.write(SYSTEM) as unit:
        create_staff(
            unit, login="pat", name="Pat", roles=[Role.AGENT], os_user="pat", password_hash=hash_password(SESAME)
        )
    async with console(clinic.crm, "pat", signed_in=False) as hands:
        await hands.type("wrong one")
        await hands.press("enter")
        hands.expect("do not fit an active account")
        clinic.crm.clock.move(clinic.crm.clock.now().resolution * 2_000_000)  # type: ignore[attr-defined]
        await hands.type(SESAME)
        await hands.press("enter")
        hands.expect("1 failed attempt since")
        await hands.press("ctrl+l")
        await hands.press("enter")
        assert hands.app.idle.is_locked, "the lock asks for it, too"
        await hands.type(SESAME)
        await hands.press("enter")
        assert not hands.app.idle.is_locked


async def test_a_disabled_account_is_cut_off_at_its_next_call(clinic: Clinic, account: Account) -> None:
    kim = account("kim", Role.AGENT)
    clinic.text(REFILL)
    async with console(clinic.crm, "kim") as hands:
        with clinic.crm.write(SYSTEM) as unit:
            disable(unit, kim.staff_id)
        await hands.press("n")
        assert hands.app.session is None
        assert not hands.sees("Ana")


async def test_keys_meant_for_the_patient_before_do_nothing_to_the_next(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)
    clinic.text(REFILL, BO)
    async with console(clinic.crm, "kim") as hands:
        await hands.press("K", "enter")
        hands.expect("Ana Lopez")
        await hands.press("right_square_bracket")
        hands.expect("Bo Iversen")
        for key in ("d", "s", "r", "t", "c", "z", "x"):
            await hands.pilot.press(key)
            await hands.settle()
            assert isinstance(hands.app.screen, ConversationScreen), key
            assert not hands.app.screen.query_one(Composer).display
        hands.ticker.pass_by(0.41)
        await hands.pilot.press("d")
        await hands.settle()
        hands.expect("How did C-2 Bo Iversen end?")


async def test_nothing_is_sent_while_identities_are_masked(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(REFILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("On its way")
        await hands.press("f2", "ctrl+s")
        hands.expect("Identities are masked")
        for secret in ("Ana", "lisinopril", "On its way"):
            assert not hands.sees(secret), secret
        assert clinic.now_at(number).state == "open"
        await hands.press("f2", "ctrl+s")
        assert clinic.now_at(number).state == "waiting_patient"


async def test_a_shared_number_needs_a_y(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.patient("Ann", "Lopez", BO, "1003")
    clinic.patient("Cy", "Lopez", "+1 212 555 0155", "1004")
    clinic.patient("Di", "Lopez", "+1 212 555 0155", "1005")
    number = clinic.text("Hello", "+1 212 555 0155").conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "L")
        await hands.type("cy lopez")
        await hands.until(lambda: hands.sees("1 found"))
        await hands.press("enter")
        await hands.until(lambda: hands.sees("shared by 2"))
        await hands.press("r")
        await hands.type("Hello Cy, we can.")
        await hands.press("ctrl+s", "x")
        assert clinic.now_at(number).state == "open"
        await hands.press("ctrl+s", "y")
        assert clinic.now_at(number).state == "waiting_patient"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_hostile_names_and_bodies_are_text_and_no_more(
    clinic: Clinic, account: Account, size: tuple[int, int]
) -> None:
    account("kim", Role.AGENT)
    for number, text in enumerate(HOSTILE):
        clean = text.encode("utf-8", "ignore").decode()
        phone = f"+1 212 555 02{number:02d}"
        clinic.patient(clean, "Hostile", phone, f"9{number}")
        clinic.text(f"refill please {clean}", phone)
    async with console(clinic.crm, "kim", size=size) as hands:
        await hands.press("K")
        shown = hands.screen
        for _ in HOSTILE:
            await hands.press("enter")
            assert isinstance(hands.app.screen, ConversationScreen)
            shown += hands.screen
            await hands.press("w", "escape", "escape", "j")
        assert "[@click=app.quit]Bob[/]" in shown
        assert not set(shown) & set("\x1b\x07\x9b\u202e\u200d")
        assert hands.app.is_running


async def test_a_cursor_move_runs_no_sql(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    for number in range(40):
        clinic.text(REFILL, f"+1212555{number:04d}")
    async with console(clinic.crm, "kim", size=(80, 24)) as hands:
        await hands.press("K")
        queue = hands.app.screen.query_one(QueueList)
        await hands.until(lambda: queue.total == 40)
        # What other processes change is looked at when it changes; here only keys are pressed.
        hands.app._stop_listening()
        await hands.settle()
        statements: list[str] = []
        engines = {clinic.crm.store.reading, clinic.crm.store.writing}
        for engine in engines:
            event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        for key in ("j", "j", "k", "G", "g", "ctrl+d", "ctrl+u", "down", "space"):
            await hands.press(key)
        assert queue.cursor > 0
        assert statements == []


async def test_what_breaks_tells_an_incident_and_the_console_stays(
    clinic: Clinic, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)

    def broken(self: LanesDesk, lane: str | None = None, **_: object) -> int | None:
        patient = "Sentinel Patient"
        raise RuntimeError(f"{patient} {lane}")

    monkeypatch.setattr(LanesDesk, "take_next", broken)
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n")
        assert "incident" in hands.toasts
        assert "Sentinel" not in hands.toasts
        assert hands.app.is_running
        await hands.press("K")
        hands.expect("Ana Lopez")
    assert crash.log.name == "crm_tui.crash"
