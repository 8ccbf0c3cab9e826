"""What did not go, at the console: listed, looked into, settled and tried again by who may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import SYSTEM, Role
from crm_core.channels.model import Delivery
from crm_core.inbox.answering.answers import reply
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import TimerState
from crm_core.timers.retrying import MOST_TRIES
from crm_core.timers.service import NewTimer, set_timers
from tests.channels.conftest import Line, line, provider
from tests.cli.test_outbox import Broken
from tests.console.conftest import Account
from tests.console.hands import Hands, console
from tests.inbox.conftest import ANA, BO
from tests.inbox.looking import outbox_rows
from tests.timers.conftest import row_of

__all__ = ["line", "provider"]


async def open_outbox(hands: Hands) -> None:
    """`:outbox`."""
    await hands.press("colon")
    await hands.type("outbox")
    await hands.press("enter")
    await hands.settle()


def answered(line: Line, sender: str, *, mood: str, tries: int = 1) -> int:
    """An answer that does not go; its conversation."""
    number = line.clinic.text("How much is my bill?", sender).conversation_id
    assert number is not None
    line.clinic.do(line.clinic.agent, reply, line.gate, number, "It is 20 dollars.")
    line.provider.mood, line.provider.asked = mood, "mute"
    for _ in range(tries):
        line.courier.run_once()
        line.clinic.at(line.clinic.crm.clock.now() + timedelta(hours=2))
    return number


def dead_timer(line: Line) -> None:
    """A timer that was given up."""
    crm = line.clinic.crm
    timer = NewTimer(kind=Broken.kind, subject_id=7, run_at=crm.clock.now(), dedup_key="torture-7")
    with crm.write(SYSTEM) as unit:
        set_timers(unit, [timer])
    chore = TimersChore(crm.units, [Broken()])
    for _ in range(MOST_TRIES):
        chore.run(lambda: False)
        line.clinic.at(crm.clock.now() + timedelta(hours=2))


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_what_did_not_go_is_listed_with_why_and_w_tells_every_reason(
    line: Line, account: Account, size: tuple[int, int]
) -> None:
    account("sue", Role.SUPERVISOR)
    busy = answered(line, ANA, mood="busy", tries=MOST_TRIES)
    dead_timer(line)
    refused = answered(line, BO, mood="stern")
    unknown = answered(line, BO, mood="deaf")
    async with console(line.clinic.crm, "sue", size=size) as hands:
        await open_outbox(hands)
        hands.expect("1 unknown · 2 given up · 1 refused in 7 days")
        shown = [one for one in hands.lines if f"C-{busy}" in one or f"C-{refused}" in one or "timer 1" in one]
        assert [one.split()[0] for one in shown] == ["UNKNOWN", "GIVEN", "GIVEN", "REFUSED"]
        assert f"C-{unknown}" in shown[0]
        hands.expect("torture: LookupError")
        assert "Lopez" not in hands.screen
        await hands.press("j", "w")
        hands.expect(f"Text to C-{busy}")
        hands.expect("gateway: yes")
        hands.expect(f"then: given up after {MOST_TRIES} tries: busy")
        await hands.press("escape", "j", "w")
        hands.expect("it failed 8 times, the last time by LookupError")
        await hands.press("escape", "g", "enter")
        hands.expect("Nobody knows whether the answer arrived")


async def test_unknown_is_settled_and_what_was_given_up_is_tried_again_after_asking(
    line: Line, account: Account
) -> None:
    account("sue", Role.SUPERVISOR)
    answered(line, ANA, mood="busy", tries=MOST_TRIES)
    dead_timer(line)
    answered(line, BO, mood="deaf")
    async with console(line.clinic.crm, "sue") as hands:
        await open_outbox(hands)
        await hands.press("R")
        hands.expect("Y says that it was sent, X that it was not.")
        await hands.press("X")
        hands.expect("the patient has it twice")
        await hands.press("enter")
        assert [row["state"] for row in outbox_rows(line.clinic.crm)] == [Delivery.FAILED, Delivery.UNKNOWN]
        await hands.press("X", "y")
        await hands.until(lambda: hands.sees("0 unknown · 2 given up"))
        assert [row["state"] for row in outbox_rows(line.clinic.crm)] == [Delivery.FAILED, Delivery.QUEUED]
        await hands.press("g", "Y")
        hands.expect("Only what is UNKNOWN is settled so; R tries this one again.")
        await hands.press("R", "y")
        await hands.until(lambda: hands.sees("0 unknown · 1 given up"))
        await hands.press("g", "R", "y")
        await hands.until(lambda: hands.sees("Nothing waits for a person here"))
    assert [row["state"] for row in outbox_rows(line.clinic.crm)] == [Delivery.QUEUED] * 2
    assert row_of(line.clinic.crm, 7).state is TimerState.WAITING


async def test_settled_as_sent_is_sent_no_more(line: Line, account: Account) -> None:
    account("sue", Role.SUPERVISOR)
    answered(line, BO, mood="deaf")
    async with console(line.clinic.crm, "sue") as hands:
        await open_outbox(hands)
        await hands.press("Y", "y")
        await hands.until(lambda: hands.sees("Nothing waits for a person here"))
    assert [row["state"] for row in outbox_rows(line.clinic.crm)] == [Delivery.SENT]
    assert line.courier.run_once().claimed == 0


async def test_an_agent_sees_the_list_and_is_told_who_may_settle(line: Line, account: Account) -> None:
    account("kim", Role.AGENT)
    answered(line, ANA, mood="busy", tries=MOST_TRIES)
    async with console(line.clinic.crm, "kim") as hands:
        await open_outbox(hands)
        for key in ("R", "Y", "X"):
            await hands.press(key)
            hands.expect("a supervisor can")
    assert [row["state"] for row in outbox_rows(line.clinic.crm)] == [Delivery.FAILED]


async def test_what_may_not_be_tried_again_is_refused_with_the_reason(line: Line, account: Account) -> None:
    account("sue", Role.SUPERVISOR)
    number = answered(line, ANA, mood="stern")
    line.provider.mood = "kind"
    line.clinic.do(line.clinic.agent, reply, line.gate, number, "Please call us about it.")
    line.courier.run_once()
    async with console(line.clinic.crm, "sue") as hands:
        await open_outbox(hands)
        await hands.press("R", "y")
        await hands.until(lambda: "The patient has been reached since" in hands.toasts)


async def test_a_supervisor_has_the_count_in_view_in_the_lanes_and_an_agent_has_not(
    line: Line, account: Account
) -> None:
    account("sue", Role.SUPERVISOR)
    account("kim", Role.AGENT)
    async with console(line.clinic.crm, "sue") as hands:
        assert "did not go" not in hands.lines[0]
        answered(line, ANA, mood="deaf")
        await hands.until(lambda: "Lanes · 1 did not go" in hands.lines[0])
        dead_timer(line)
        answered(line, BO, mood="stern")
        await hands.until(lambda: "Lanes · 2 did not go" in hands.lines[0])
    async with console(line.clinic.crm, "kim") as hands:
        assert "did not go" not in hands.lines[0]
