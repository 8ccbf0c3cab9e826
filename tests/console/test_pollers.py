"""A console does what pollers do while it is alone, says so when nothing does, and shows who does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM, Role
from crm_core.app import Crm
from crm_core.timers import heartbeats
from crm_core.timers.model import LATE, Alive
from crm_core.timers.service import NewTimer, set_timers
from crm_core.timers.tables import PollerRow
from tests.console.conftest import Account, Clinic
from tests.console.hands import Hands, console

REFILL = "I need a refill of my lisinopril please"
SERVICE = Alive(host="back-office", process=7, kinds=("timers", "outbox"), inside_console=False)


def service_begins(crm: Crm) -> int:
    """Another process polls from now on; returns its number."""
    with crm.write(SYSTEM) as unit:
        return heartbeats.begin(unit, SERVICE)


def pollers(crm: Crm) -> list[tuple[bool, bool]]:
    """Of each poller whether it is in a console, and whether it ended."""
    with crm.read(SYSTEM) as unit:
        rows = unit.execute(select(PollerRow.inside_console, PollerRow.stopped_at).order_by(PollerRow.id)).all()
        return [(row.inside_console, row.stopped_at is not None) for row in rows]


async def begins(hands: Hands) -> None:
    """The console looks around and finds that it is alone."""
    hands.app.look_at_pollers()
    await hands.until(lambda: pollers(hands.app.crm)[-1:] == [(True, False)])


async def answers(hands: Hands) -> None:
    """Somebody answers, and the hold ends."""
    await hands.press("n", "r")
    await hands.type("Yes, today.")
    await hands.press("ctrl+s")
    hands.ticker.pass_by(16)
    hands.app.crm.clock.move(timedelta(seconds=16))  # type: ignore[attr-defined]


@pytest.mark.usefixtures("both_stores", "polls_inside")
async def test_a_console_that_is_alone_delivers_what_was_held_and_ends_with_its_poller(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(REFILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await begins(hands)
        await answers(hands)
        hands.app.deliver()
        await hands.until(lambda: clinic.now_at(number).messages[-1].delivery == "sent")
        await hands.until(lambda: not hands.sees("goes out in"))
        await hands.press("z")
        assert "the message has left" in hands.toasts
        assert clinic.now_at(number).state == "waiting_patient"
    assert pollers(clinic.crm) == [(True, True)]


@pytest.mark.usefixtures("polls_inside")
async def test_a_text_that_cannot_be_delivered_comes_back_open(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(REFILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("Yes, today.")
        await hands.press("ctrl+s")
        clinic.text("STOP")
        clinic.crm.clock.move(timedelta(seconds=16))  # type: ignore[attr-defined]
        await begins(hands)
        await hands.until(lambda: hands.sees("suppressed"))
        await hands.press("w")
        hands.expect("opted out")
        assert clinic.now_at(number).state == "open"


@pytest.mark.usefixtures("polls_inside")
async def test_a_console_leaves_the_polling_to_others_and_takes_it_up_when_they_are_gone(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    service = service_begins(clinic.crm)
    async with console(clinic.crm, "kim") as hands:
        hands.app.look_at_pollers()
        await hands.settle()
        assert not hands.app.pollers.polls
        with clinic.crm.write(SYSTEM) as unit:
            heartbeats.end(unit, service)
        await begins(hands)
        service_begins(clinic.crm)
        hands.app.look_at_pollers()
        await hands.until(lambda: pollers(clinic.crm)[1] == (True, True))
        assert not hands.app.pollers.polls


async def test_a_console_that_is_told_not_to_poll_does_not(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    async with console(clinic.crm, "kim") as hands:
        hands.app.look_at_pollers()
        await hands.settle()
        assert pollers(clinic.crm) == []


async def test_one_line_says_that_nothing_polls_or_that_work_is_late_and_goes_when_all_is_well(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    async with console(clinic.crm, "kim") as hands:
        hands.app.look_at_pollers()
        await hands.settle()
        assert not hands.sees("Nothing polls"), "a poller that is started anew is away for a moment"
        hands.app.patience = 0.0
        hands.app.look_at_pollers()
        await hands.settle()
        hands.expect("Nothing polls: nothing is sent, fired or taken in · :pollers")
        service_begins(clinic.crm)
        await hands.until(lambda: not hands.sees("Nothing polls"))
        with clinic.crm.write(SYSTEM) as unit:
            late = unit.now - LATE - timedelta(minutes=1)
            set_timers(unit, [NewTimer(kind="incoming", subject_id=1, run_at=late, dedup_key="one")])
        hands.app.look_at_pollers()
        await hands.settle()
        hands.expect("Late: incoming 3 min, timers 3 min; nobody polls incoming · :pollers")
        await hands.press("g", "enter")
        hands.expect("Late: incoming 3 min, timers 3 min; nobody polls incoming · :pollers")


async def test_who_polls_what_and_how_late_it_is_can_be_looked_up(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    service_begins(clinic.crm)
    clinic.crm.clock.move(timedelta(minutes=5))  # type: ignore[attr-defined]
    with clinic.crm.write(SYSTEM) as unit:
        heartbeats.begin(unit, Alive(host="desk-1", process=8, kinds=("clocks", "outbox"), inside_console=True))
        due = unit.now - timedelta(minutes=3)
        set_timers(unit, [NewTimer(kind="incoming", subject_id=1, run_at=due, dedup_key="one")])
    async with console(clinic.crm, "kim") as hands:
        await hands.press(":")
        await hands.type("pollers")
        await hands.press("enter")
        hands.expect("nobody polls incoming, timers")
        hands.expect("desk-1 process 8, in a console, began just now")
        hands.expect("back-office process 7, last heard 5 min ago")
        hands.expect("outbox      polled by 1, nothing due")
        hands.expect("timers      nobody polls it, oldest due for 3 min")
