"""Who calls, at the console: a line while it rings, whom it may be, and the log of the call."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM, Role
from crm_core.audit.tags import Tag
from crm_core.channels.incoming.model import LISTENER
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.ringing.model import Ringing, RingState
from crm_core.patients.service import link_contact
from crm_core.patients.tables import LINK
from crm_tui.screens.conversation import ConversationScreen
from crm_tui.screens.patient_record import PatientRecord
from crm_tui.screens.patient_search import PatientSearch
from crm_tui.screens.ringing import RingPanel
from tests.channels.incoming import handle
from tests.console.conftest import Account, Clinic
from tests.console.hands import Hands, console
from tests.inbox.conftest import ANA
from tests.inbox.looking import audited, tags

CALL = "ring-1"


def ring(clinic: Clinic, number: str = ANA, call: str = CALL, state: RingState = RingState.RINGING) -> None:
    """The telephone system tells of a call, and a poller handles it."""
    said = Ringing(call_id=call, number=number, line="front desk", state=state, at=clinic.crm.clock.now())
    with clinic.crm.write(LISTENER) as unit:
        take_in(unit, "phone.reception", said)
    handle(clinic.crm)


def share(clinic: Clinic) -> None:
    """Bo uses Ana's number, too."""
    point = select(LINK.c.contact_point_id).where(LINK.c.patient_id == clinic.patients["Ana"])
    with clinic.crm.write(SYSTEM) as unit:
        link_contact(unit, clinic.patients["Bo"], unit.scalar(point))


async def open_panel(hands: Hands) -> None:
    await hands.press(":")
    await hands.type("ringing")
    await hands.press("enter")
    await hands.until(lambda: isinstance(hands.app.screen, RingPanel))
    await hands.settle()


@pytest.mark.usefixtures("both_stores")
async def test_a_call_shows_in_every_mode_as_it_rings_and_is_gone_when_it_is_answered(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    share(clinic)
    async with console(clinic.crm, "kim") as hands:
        assert not hands.sees("RINGING")
        ring(clinic)
        await hands.until(lambda: hands.sees("RINGING ···0101 · 2 candidates · front desk · :ringing opens"))
        await hands.press("4")
        hands.expect("RINGING ···0101 · 2 candidates")
        ring(clinic, "+1 212 555 0177", "ring-2")
        await hands.until(lambda: hands.sees("2 RINGING, newest ···0177 · not known"))
        ring(clinic, call="ring-2", state=RingState.ANSWERED)
        ring(clinic, state=RingState.ENDED)
        await hands.until(lambda: not hands.sees("RINGING"))


async def test_the_panel_names_whom_it_may_be_and_enter_opens_the_record(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    share(clinic)
    ring(clinic)
    async with console(clinic.crm, "kim") as hands:
        await hands.until(lambda: hands.sees("RINGING ···0101"))
        assert tags(clinic.crm).count(Tag.RING_OPENED) == 0
        await open_panel(hands)
        hands.expect("+12125550101 · front desk")
        hands.expect("Ana Lopez")
        hands.expect("Bo Iversen")
        hands.expect("31 Jan 1970")
        hands.expect("shared by 2")
        assert tags(clinic.crm).count(Tag.RING_OPENED) == 1
        await hands.press("j", "enter")
        await hands.until(lambda: isinstance(hands.app.screen, PatientRecord))
        hands.expect("Bo Iversen")


async def test_p_logs_the_call_in_what_is_open_and_begins_a_conversation_where_nothing_is(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    asked = clinic.text("May I come at four?").conversation_id
    ring(clinic)
    async with console(clinic.crm, "kim") as hands:
        await hands.until(lambda: hands.sees("RINGING"))
        await open_panel(hands)
        await hands.press("p")
        await hands.until(lambda: isinstance(hands.app.screen_stack[-2], ConversationScreen))
        hands.expect("how did it end?")
        front = hands.app.front
        assert isinstance(front, ConversationScreen)
        assert front.conversation_id == asked
        await hands.press("escape", "escape")
        ring(clinic, "+1 212 555 0177", "ring-2")
        ring(clinic, state=RingState.ENDED)
        await hands.until(lambda: hands.sees("RINGING ···0177 · not known"))
        await open_panel(hands)
        hands.expect("Not known: enter looks for the patient")
        await hands.press("p")
        await hands.until(lambda: hands.app.front is not front and isinstance(hands.app.front, ConversationScreen))
        hands.expect("how did it end?")


async def test_an_unknown_number_leads_to_the_search(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    ring(clinic, "anonymous")
    async with console(clinic.crm, "kim") as hands:
        await hands.until(lambda: hands.sees("RINGING number withheld"))
        await open_panel(hands)
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, PatientSearch))


async def test_behind_curtain_and_lock_only_the_count_is_shown_and_nothing_is_opened(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)

    def shown() -> list[str]:
        return [row["why"] for row in audited(clinic.crm) if row["why"] == "ringing"]

    async with console(clinic.crm, "kim") as hands:
        await hands.press("f2")
        ring(clinic)
        await hands.until(lambda: hands.sees("1 RINGING"))
        assert not hands.sees("0101")
        await hands.press(":")
        await hands.type("ringing")
        await hands.press("enter")
        hands.expect("The curtain is drawn")
        await hands.press("ctrl+l")
        hands.expect("1 RINGING")
        assert not hands.sees("0101")
        assert not hands.sees("candidate")
        assert shown() == []
        await hands.press("enter")
        await hands.press("f2")
        hands.app.tick()
        await hands.until(lambda: hands.sees("RINGING ···0101"))
        assert len(shown()) == 1


async def test_a_call_that_nobody_says_was_answered_fades(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    ring(clinic)
    async with console(clinic.crm, "kim") as hands:
        await hands.until(lambda: hands.sees("RINGING"))
        clinic.at(clinic.crm.clock.now() + timedelta(minutes=3, seconds=1))
        hands.app.tick()
        await hands.until(lambda: not hands.sees("RINGING"))
        await hands.press(":")
        await hands.type("ringing")
        await hands.press("enter")
        hands.expect("Nobody rings.")


async def test_who_may_not_read_patients_is_not_told_who_calls(clinic: Clinic, account: Account) -> None:
    account("ada", Role.ADMIN)
    ring(clinic)
    async with console(clinic.crm, "ada") as hands:
        await hands.settle()
        assert not hands.sees("RINGING")


async def test_a_hostile_line_is_shown_as_text(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    said = Ringing(call_id="x", number=ANA, line="[b]\x1b]52;c;x\x07", at=clinic.crm.clock.now())
    with clinic.crm.write(LISTENER) as unit:
        take_in(unit, "phone.reception", said)
    handle(clinic.crm)
    async with console(clinic.crm, "kim") as hands:
        await hands.until(lambda: hands.sees("1 candidate · [b]"))
        assert "\x1b]52" not in hands.screen


async def test_of_two_who_share_a_number_the_chosen_one_has_what_the_call_begins(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    share(clinic)
    ring(clinic)
    async with console(clinic.crm, "kim") as hands:
        await hands.until(lambda: hands.sees("RINGING"))
        await open_panel(hands)
        await hands.press("j", "p")
        await hands.until(lambda: isinstance(hands.app.front, ConversationScreen))
        front = hands.app.front
        assert isinstance(front, ConversationScreen)
        assert clinic.now_at(front.conversation_id).patient_id == clinic.patients["Bo"]
