"""Handing a shift over, by keys; who else has a conversation before them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from crm_core.access.model import Actor, Role
from crm_core.access.roster import plan_absence, set_capacity
from crm_core.inbox import handling, take
from crm_core.inbox.sharing import handover, presence
from crm_tui.screens.company import InCompany
from crm_tui.screens.handoff import HandoffScreen
from crm_tui.widgets.company_line import CompanyLine
from crm_tui.widgets.composer import Composer
from tests.console.conftest import Account, Clinic
from tests.console.hands import Hands, console
from tests.inbox.conftest import BO
from tests.inbox.looking import audited, stored
from tests.inbox.test_handover import on_offer

BILL, VISIT = "How much is my bill?", "I want to book a visit please"


def owned(clinic: Clinic, who: Actor, text: str = BILL, sender: str = "+1 212 555 0101") -> int:
    number = clinic.text(text, sender).conversation_id
    assert number is not None
    clinic.do(who, take.claim, number)
    return number


async def open_handoff(hands: Hands) -> None:
    """As a person does: the palette, by name."""
    await hands.press(":")
    await hands.type("handoff")
    await hands.press("enter")
    await hands.until(lambda: isinstance(hands.app.screen, HandoffScreen))
    await hands.settle()


@pytest.mark.usefixtures("both_stores")
async def test_a_shift_is_handed_over_and_accepted_item_by_item(clinic: Clinic, account: Account) -> None:
    kim, ben = account("kim", Role.AGENT), account("ben", Role.AGENT)
    first, second = owned(clinic, kim), owned(clinic, kim, VISIT, BO)
    async with console(clinic.crm, "kim") as hands:
        await open_handoff(hands)
        hands.expect("2 yours · 2 without a next step")
        hands.expect("Ana Lopez")
        await hands.press("space", "j", "space", "h")
        hands.expect("Hand 2 conversations to")
        await hands.type("ben")
        await hands.press("enter")
        await hands.type("she calls at 4")
        await hands.press("enter")
        await hands.until(lambda: hands.sees("OFFERED to Ben"))
    assert stored(clinic.crm, first)["owner_id"] == kim.staff_id
    async with console(clinic.crm, "ben") as hands:
        await hands.until(lambda: "2 conversations were handed to you" in hands.toasts)
        await open_handoff(hands)
        hands.expect("2 handed to you · 0 yours")
        hands.expect("HANDED TO YOU · “she calls at 4”")
        await hands.press("g", "enter")
        hands.expect("is handed to you")
        await hands.press("enter")
        await hands.until(lambda: hands.sees("1 handed to you · 1 yours"))
        await hands.press("g", "enter")
        await hands.type("decline")
        await hands.press("enter")
        await hands.type("I leave at noon")
        await hands.press("enter")
        await hands.until(lambda: not on_offer(clinic, ben))
    owners = {stored(clinic.crm, number)["owner_id"] for number in (first, second)}
    assert owners == {kim.staff_id, ben.staff_id}
    async with console(clinic.crm, "kim", size=(120, 30)) as hands:
        await open_handoff(hands)
        hands.expect("DECLINED by Ben: I leave at noon")


async def test_an_offer_comes_up_as_it_is_made_and_claim_accepts_it(clinic: Clinic, account: Account) -> None:
    kim, ben = account("kim", Role.AGENT), account("ben", Role.AGENT)
    number = owned(clinic, kim)
    async with console(clinic.crm, "ben") as hands:
        assert "handed to you" not in hands.toasts
        clinic.do(kim, handover.offer, number, ben.staff_id)
        await hands.until(lambda: "A conversation was handed to you" in hands.toasts)
        await open_handoff(hands)
        await hands.press("c")
        await hands.until(lambda: stored(clinic.crm, number)["owner_id"] == ben.staff_id)
        await hands.press("c")
        hands.expect("Only what is handed to you is accepted")


async def test_an_offer_is_withdrawn_and_who_cannot_have_it_is_not_picked(clinic: Clinic, account: Account) -> None:
    kim, ben = account("kim", Role.AGENT), account("ben", Role.AGENT)
    away = account("zoe", Role.AGENT)
    number = owned(clinic, kim)
    now = clinic.crm.clock.now()
    clinic.do(clinic.supervisor, plan_absence, away.staff_id, starts_at=now, ends_at=now + timedelta(days=1))
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await open_handoff(hands)
        await hands.press("h")
        await hands.type("zoe")
        hands.expect("absent until Tue 24 Nov 10:00")
        await hands.press("enter")
        hands.expect("Zoe: absent until")
        await hands.press("escape", "h")
        await hands.type("nurse")
        hands.expect("does not work this lane")
        await hands.press("escape", "h")
        await hands.type("ben")
        await hands.press("enter", "enter")
        await hands.until(lambda: on_offer(clinic, ben) == [number])
        await hands.press("enter")
        await hands.type("withdraw")
        await hands.press("enter")
        await hands.until(lambda: on_offer(clinic, ben) == [])


async def test_what_i_escalated_is_marked_mine_until_it_is_accepted(clinic: Clinic, account: Account) -> None:
    kim = account("kim", Role.AGENT)
    number = owned(clinic, kim)
    clinic.do(kim, handling.escalate, number, to=Role.SUPERVISOR, reason="policy", question="Waive it?")
    async with console(clinic.crm, "kim", size=(160, 40)) as hands:
        hands.app.open_conversation(number)
        await hands.settle()
        hands.expect("Supervisor3 · mine, escalated · Waive it?")
        await open_handoff(hands)
        hands.expect("mine, escalated, not accepted yet")
        hands.expect("1 escalated")
        clinic.do(clinic.supervisor, take.claim, number)
        await hands.until(lambda: not hands.sees("not accepted yet"))


async def test_a_supervisor_sees_what_each_holds_and_may_give_to_the_full(clinic: Clinic, account: Account) -> None:
    account("sue", Role.SUPERVISOR)
    ben = account("ben", Role.AGENT)
    clinic.do(clinic.supervisor, set_capacity, ben.staff_id, 0)
    number = clinic.text(BILL).conversation_id
    assert number is not None
    async with console(clinic.crm, "sue", size=(100, 30)) as hands:
        hands.app.open_conversation(number)
        await hands.press("a")
        await hands.type("ben")
        hands.expect("holds 0 of 0: full")
        await hands.press("enter")
        await hands.until(lambda: stored(clinic.crm, number)["owner_id"] == ben.staff_id)


def shows(hands: Hands, text: str) -> Callable[[], bool]:
    return lambda: hands.sees(text)


@pytest.mark.usefixtures("both_stores")
async def test_i_see_who_is_here_and_who_writes_until_it_fades(clinic: Clinic, account: Account) -> None:
    kim, ben = account("kim", Role.AGENT), account("ben", Role.AGENT)
    number = owned(clinic, kim)
    rows = len(audited(clinic.crm))
    clinic.do(ben, presence.here, number, writing=False)
    assert len(audited(clinic.crm)) == rows
    async with console(clinic.crm, "kim") as hands:
        hands.app.open_conversation(number)
        await hands.until(shows(hands, "Ben is here"))
        assert [one.name for one in clinic.see(ben, presence.who_is_here, number)] == ["Kim"]
        clinic.do(ben, presence.here, number, writing=True)
        await hands.until(shows(hands, "Ben is writing"))
        clinic.crm.clock.move(timedelta(seconds=29))  # type: ignore[attr-defined]
        hands.app.screen.query_one(CompanyLine).fade()
        await hands.settle()
        hands.expect("Ben is writing")
        clinic.crm.clock.move(timedelta(seconds=1))  # type: ignore[attr-defined]
        hands.app.screen.query_one(CompanyLine).fade()
        await hands.settle()
        assert not hands.sees("Ben is")
        clinic.do(ben, presence.here, number, writing=False)
        await hands.until(shows(hands, "Ben is here"))
        clinic.do(ben, presence.leave, number)
        await hands.until(lambda: not hands.sees("Ben is here"))


async def test_signs_go_out_at_most_every_ten_seconds_and_end_on_leaving(clinic: Clinic, account: Account) -> None:
    kim, ben = account("kim", Role.AGENT), account("ben", Role.AGENT)
    number = owned(clinic, kim)

    def seen() -> list[tuple[bool, timedelta]]:
        found = clinic.see(ben, presence.who_is_here, number)
        return [(one.writing, one.fades_at - clinic.crm.clock.now()) for one in found]

    async with console(clinic.crm, "kim") as hands:
        hands.app.open_conversation(number)
        await hands.until(lambda: len(seen()) == 1)
        await hands.press("r")
        await hands.type("Hello")
        screen = hands.app.screen
        assert isinstance(screen, InCompany)
        clinic.crm.clock.move(timedelta(seconds=9))  # type: ignore[attr-defined]
        screen.sign()
        await hands.settle()
        assert seen() == [(False, timedelta(seconds=21))]
        clinic.crm.clock.move(timedelta(seconds=1))  # type: ignore[attr-defined]
        screen.sign()
        await hands.settle()
        assert seen() == [(True, timedelta(seconds=30))]
        await hands.press("escape", "escape")
        await hands.until(lambda: seen() == [])


async def test_the_second_of_two_who_write_is_refused_and_keeps_the_draft(clinic: Clinic, account: Account) -> None:
    from crm_core.inbox.answering import answers

    kim, ben = account("kim", Role.AGENT), account("ben", Role.AGENT)
    number = owned(clinic, kim)
    async with console(clinic.crm, "kim") as hands:
        hands.app.open_conversation(number)
        await hands.press("r")
        await hands.type("It is thirty")
        clinic.do(ben, presence.here, number, writing=True)
        await hands.until(shows(hands, "Ben is writing"))
        clinic.do(ben, answers.reply, clinic.crm.gate, number, "It is 20 dollars.")
        await hands.press("ctrl+s")
        await hands.until(shows(hands, "It is 20 dollars."))
        assert hands.app.screen.query_one(Composer).text == "It is thirty"
        assert len([one for one in clinic.now_at(number).messages if one.direction == "out"]) == 1
