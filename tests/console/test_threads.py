"""Threads set right from the console: merged, split, moved to another patient, put off, answered later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import Role
from crm_core.inbox.answering.drafts import save_draft
from crm_core.inbox.handling import link
from crm_core.inbox.threads.relinking import relink
from crm_core.words import Channel
from crm_tui.widgets.composer import Composer
from tests.conftest import MONDAY
from tests.console.conftest import Account, Clinic
from tests.console.hands import Hands, console
from tests.inbox.looking import outbox_rows, stored

BILL = "How much is my bill?"
VISIT = "I need to move my visit on Thursday"
STRANGER = "+1 646 555 0177"


def two_of_ana(clinic: Clinic) -> tuple[int, int]:
    """Ana's bill, and her visit from another number."""
    first = clinic.text(BILL).conversation_id
    clinic.at(MONDAY + timedelta(minutes=5))
    second = clinic.text(VISIT, STRANGER).conversation_id
    assert first is not None
    assert second is not None
    clinic.do(clinic.agent, link, second, clinic.patients["Ana"])
    return first, second


async def opened(hands: Hands, number: int) -> None:
    """Open one conversation, as a row's enter does."""
    hands.app.open_conversation(number)
    await hands.settle()


@pytest.mark.usefixtures("both_stores")
async def test_another_conversation_of_the_patient_is_told_and_merged_and_z_undoes(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    first, second = two_of_ana(clinic)
    async with console(clinic.crm, "kim") as hands:
        await opened(hands, first)
        hands.expect(f"also open: C-{second} Scheduling · M merges")
        await hands.press("M")
        hands.expect(f"Merge which conversation into C-{first}?")
        await hands.press("enter")
        hands.expect("closes as its duplicate")
        await hands.press("enter")
        assert clinic.now_at(second).state == "new"
        await hands.press("M", "enter", "y")
        hands.expect("merged into it · z undoes")
        assert (clinic.now_at(second).merged_into_id, len(clinic.now_at(first).messages)) == (first, 2)
        await hands.until(lambda: not hands.sees("also open:"))
        await opened(hands, second)
        hands.expect(f"C-{first}")
        assert hands.app.front.conversation_id == first  # type: ignore[union-attr]
        await hands.press("z")
        assert (clinic.now_at(second).merged_into_id, len(clinic.now_at(first).messages)) == (None, 1)
        await hands.until(lambda: hands.sees("also open:"))


async def test_a_typed_number_is_merged_too_and_what_is_no_number_is_said(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    first, second = two_of_ana(clinic)
    async with console(clinic.crm, "kim") as hands:
        await opened(hands, first)
        await hands.press("M")
        await hands.type("the other")
        await hands.press("enter")
        hands.expect("not the id of a conversation")
        await hands.press("M")
        await hands.type(f"C-{second}0000")
        await hands.press("enter", "y")
        assert "that you may see" in hands.toasts


async def test_what_comes_from_a_message_on_is_split_off_and_its_rest_cannot_be(
    clinic: Clinic, account: Account
) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL).conversation_id
    clinic.at(MONDAY + timedelta(minutes=5))
    clinic.text(VISIT)
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        assert number is not None
        await opened(hands, number)
        await hands.press("S")
        hands.expect("from which message on?")
        hands.expect("nothing would be left before it")
        await hands.press("enter")
        hands.expect("Where the rules send it")
        await hands.press("enter")
        hands.expect("is a conversation of its own now · z undoes")
        assert [str(one.body) for one in clinic.now_at(number).messages] == [BILL]
        await hands.until(lambda: hands.sees("also open:"))
        await hands.press("z")
        assert [str(one.body) for one in clinic.now_at(number).messages] == [BILL, VISIT]


async def test_it_is_moved_to_another_patient_after_both_names_were_shown(clinic: Clinic, account: Account) -> None:
    account("sue", Role.SUPERVISOR)
    number = clinic.text(BILL).conversation_id
    async with console(clinic.crm, "sue") as hands:
        assert number is not None
        await opened(hands, number)
        await hands.press("P")
        await hands.type("Iversen")
        await hands.until(lambda: hands.sees("1 found"))
        await hands.press("enter")
        hands.expect(f"Why is C-{number} not Ana Lopez's?")
        await hands.press("enter")
        hands.expect("And the number it came from?")
        await hands.press("enter")
        hands.expect("It is with Ana Lopez now, and will be with Bo Iversen, born 31 Jan 1970")
        await hands.press("enter")
        assert clinic.now_at(number).patient_id == clinic.patients["Ana"]
        await hands.press("P")
        await hands.type("Iversen")
        await hands.until(lambda: hands.sees("1 found"))
        await hands.press("enter", "enter", "enter", "y")
        assert clinic.now_at(number).patient_id == clinic.patients["Bo"]
        hands.expect("Bo Iversen")
        await hands.press("z")
        assert clinic.now_at(number).patient_id == clinic.patients["Ana"]


async def test_who_may_not_move_it_to_another_patient_is_told_at_the_key(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        assert number is not None
        await opened(hands, number)
        await hands.press("P")
        hands.expect("Your role does not move to another patient; a supervisor can.")
        assert not hands.sees("Whose is")


async def test_a_draft_begun_for_another_patient_says_so(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        assert number is not None
        await opened(hands, number)
        await hands.press("r")
        await hands.type("let me look")
        await hands.press("escape", "escape")
        clinic.do(clinic.supervisor, relink, number, clinic.patients["Bo"], reason="wrong_patient")
        await opened(hands, number)
        assert "another patient was meant" in hands.toasts


async def test_an_answer_begun_for_one_patient_is_not_sent_to_the_next(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL, channel=Channel.PORTAL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        assert number is not None
        await opened(hands, number)
        await hands.press("r")
        await hands.type("Ana, it is 20 dollars")
        clinic.do(clinic.supervisor, relink, number, clinic.patients["Bo"], reason="wrong_patient")
        await hands.press("ctrl+s")
        assert "with another patient now" in hands.toasts
        assert outbox_rows(clinic.crm) == []
        hands.expect("Ana, it is 20 dollars")
        hands.expect("Bo Iversen")


async def test_a_draft_whose_template_was_retired_is_not_sent(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        assert number is not None
        assert hands.app.session is not None
        kim = hands.app.session.lanes.actor
        clinic.do(kim, save_draft, number, "We have it.", template_key="other_received")
        await opened(hands, number)
        await hands.press("ctrl+s")
        assert "may not be sent any more" in hands.toasts
        assert outbox_rows(clinic.crm) == []


async def test_a_category_and_a_priority_are_picked(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        assert number is not None
        await opened(hands, number)
        await hands.press("C")
        await hands.type("record")
        await hands.press("enter")
        await hands.type("asap")
        await hands.press("enter")
        shown = clinic.now_at(number)
        assert (shown.category, shown.priority) == ("records_request", "asap")


@pytest.mark.parametrize(
    ("typed", "until", "holds"),
    [
        (("they reply",), MONDAY + timedelta(days=2), False),
        (("even", "tomorrow"), MONDAY + timedelta(hours=23), True),
        (("tomorrow",), MONDAY + timedelta(hours=23), False),
    ],
)
async def test_it_is_put_off_in_three_ways(
    clinic: Clinic, account: Account, typed: tuple[str, ...], until: object, holds: bool
) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        assert number is not None
        await opened(hands, number)
        await hands.press("s")
        for word in typed:
            await hands.type("until they" if word == "they reply" else word)
            await hands.press("enter")
        row = stored(clinic.crm, number)
        assert (row["state"], row["snoozed_until"], row["snooze_holds"]) == ("snoozed", until, holds)


@pytest.mark.usefixtures("both_stores")
async def test_an_answer_is_set_for_later_changed_and_taken_back(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL).conversation_id
    async with console(clinic.crm, "kim", size=(100, 30)) as hands:
        await hands.press("n", "f6")
        hands.expect("r begins an answer; f6 then says when it goes")
        await hands.press("r")
        await hands.type("It is 20 dollars.")
        hands.expect("f6 later")
        await hands.press("f6")
        hands.expect("go?")
        await hands.type("tomorrow")
        await hands.press("enter")
        hands.expect("goes Tue 24 Nov 09:00 · z takes it back · f6 changes it")
        hands.expect("sends Tue 24 Nov 09:00")
        assert clinic.now_at(number).state == "waiting_other"
        await hands.press("f6")
        await hands.type("fri 10:00")
        await hands.press("enter")
        hands.expect("sends Fri 27 Nov 10:00")
        await hands.press("f6")
        await hands.type("take")
        await hands.press("enter")
        assert [row["state"] for row in outbox_rows(clinic.crm)] == ["taken_back"]
        hands.expect("Taken back: it is a draft")


async def test_z_brings_what_was_set_for_later_back_into_the_composer(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("It is 20 dollars.")
        await hands.press("f6", "enter", "z")
        assert clinic.now_at(number).state == "open"
        assert hands.app.screen.query_one(Composer).text == "It is 20 dollars."


async def test_a_time_that_is_none_or_has_passed_keeps_the_text(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(BILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("It is 20 dollars.")
        await hands.press("f6")
        await hands.type("whenever")
        await hands.press("enter")
        hands.expect("is no time")
        await hands.press("f6")
        await hands.type("2020-01-01")
        await hands.press("enter")
        assert "has passed" in hands.toasts
        assert hands.app.screen.query_one(Composer).text == "It is 20 dollars."
        await hands.press("ctrl+s")
        assert clinic.now_at(number).sends_at is None
        assert clinic.now_at(number).state == "waiting_patient"


async def test_a_danger_is_neither_merged_nor_split_by_who_is_no_clinician(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text("I have chest pain").conversation_id
    async with console(clinic.crm, "kim") as hands:
        assert number is not None
        await opened(hands, number)
        for key in ("M", "S"):
            await hands.press(key)
            hands.expect("only a clinician may put it aside")
