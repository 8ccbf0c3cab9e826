"""The loop of the work, by keys, in the real app over real stores."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import Role
from crm_tui.widgets.composer import Composer
from tests.console.conftest import Account, Clinic
from tests.console.hands import console
from tests.inbox.conftest import BO

REFILL = "Can I get a refill of my lisinopril? Two pills left"


@pytest.mark.usefixtures("approved", "both_stores")
async def test_a_person_clears_a_queue_without_browsing_it(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    first = clinic.text(REFILL)
    second = clinic.text("I need to move my visit on Thursday", BO)
    async with console(clinic.crm, "kim") as hands:
        hands.expect("Your first sign-in here")
        await hands.press("n")
        hands.expect("Bo Iversen · born 31 Jan 1970")

        await hands.press("t")
        await hands.type("change")
        hands.expect("Hi Bo,")
        await hands.press("enter")
        assert "Hi Bo" in hands.app.screen.query_one(Composer).text
        await hands.press("ctrl+s")
        hands.expect("goes out in 15 s · z takes it back")
        assert clinic.now_at(second.conversation_id).state == "waiting_patient"

        await hands.press("z")
        assert clinic.now_at(second.conversation_id).state == "open"
        assert "Hi Bo" in hands.app.screen.query_one(Composer).text
        await hands.press("escape", "n")
        hands.expect("Your draft is unsent")

        await hands.press("r")
        await hands.press("ctrl+s")
        await hands.press("d")
        await hands.type("appoint")
        await hands.press("enter")
        assert clinic.now_at(second.conversation_id).outcome == "appointment_made"
        hands.expect("nobody · closed: appointment made")

        await hands.press("n")
        hands.expect("Ana Lopez")
        assert clinic.now_at(first.conversation_id).owner == "Kim"


async def test_unfinished_work_is_asked_for_its_next_action(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(REFILL).conversation_id
    moved = clinic.text("I need to move my visit on Thursday", BO).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "n")
        hands.expect("is unfinished: what happens with it?")
        await hands.type("trained")
        await hands.press("enter")
        hands.expect("Ana Lopez")
        assert clinic.now_at(moved).owner is None
        await hands.press("n")
        await hands.type("1 hour")
        await hands.press("enter")
        await hands.type("ask the pharmacy")
        await hands.press("enter")
        hands.expect("Nothing waits that you may take")
        shown = clinic.now_at(number)
        assert (shown.state, str(shown.next_action)) == ("snoozed", "ask the pharmacy")


async def test_with_an_unsent_draft_nothing_ends_or_moves_it(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(REFILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("Half a sen")
        await hands.press("escape")
        for key in "ndmxs":
            await hands.press(key)
            assert hands.sees("Your draft is unsent"), key
        assert clinic.now_at(number).state == "open"
        await hands.press("f8", "y", "s")
        hands.expect("Snooze C-")


async def test_a_draft_survives_a_restart(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text(REFILL)
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("Half a sentence")
        await hands.press("ctrl+q")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("j", "K", "enter")
        await hands.until(lambda: bool(hands.app.screen.query(Composer)))
        assert hands.app.screen.query_one(Composer).text == "Half a sentence"
        hands.expect("Your draft is back")


async def test_someone_who_answered_first_is_not_talked_over(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(REFILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "r")
        await hands.type("Your refill is on its way")
        clinic.text("Forget it, I found some")
        await hands.press("ctrl+s")
        assert hands.sees("A newer message is in C-") or "newer message" in hands.toasts
        await hands.until(lambda: hands.sees("Forget it, I found some"))
        assert hands.app.screen.query_one(Composer).text == "Your refill is on its way"
        assert clinic.now_at(number).state == "open"
        await hands.press("ctrl+s")
        assert clinic.now_at(number).state == "waiting_patient"


async def test_a_note_is_saved_and_never_sent(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(REFILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "i")
        hands.expect("INTERNAL · no patient sees this")
        await hands.type("ask Dr. Iwu")
        await hands.press("ctrl+s")
        hands.expect("Note saved")
    shown = clinic.now_at(number)
    assert [str(message.body) for message in shown.messages if message.internal] == ["ask Dr. Iwu"]
    assert shown.state == "open"


async def test_each_verb_does_what_it_says_and_z_takes_it_back(clinic: Clinic, account: Account) -> None:
    kim = account("kim", Role.AGENT, Role.SUPERVISOR)
    number = clinic.text(REFILL).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "s")
        await hands.type("fri 10:00")
        await hands.press("enter")
        shown = clinic.now_at(number)
        assert shown.snoozed_until is not None and shown.snoozed_until.isoformat() == "2026-11-27T15:00:00+00:00"
        await hands.press("z")
        assert clinic.now_at(number).state == "open"

        await hands.press("m")
        await hands.type("billing")
        await hands.press("enter", "enter")
        assert clinic.now_at(number).lane == "billing"
        await hands.press("z")
        assert clinic.now_at(number).lane == "refills"

        await hands.press("x", "enter", "enter")
        await hands.type("May I promise today?")
        await hands.press("enter")
        shown = clinic.now_at(number)
        assert (shown.owner_id, str(shown.next_action)) == (clinic.supervisor.staff_id, "May I promise today?")
        await hands.press("z", "a")
        await hands.type("supervisor")
        await hands.press("enter")
        assert clinic.now_at(number).owner_id == clinic.supervisor.staff_id
        await hands.press("c")
        assert clinic.now_at(number).owner_id == kim.staff_id

        await hands.press("p")
        await hands.type("reached")
        await hands.press("enter")
        await hands.type("medication")
        await hands.press("enter")
        await hands.type("she has enough")
        await hands.press("enter")
        logged = clinic.now_at(number).messages[-1]
        assert (logged.call_outcome, logged.call_reason, logged.body) == ("reached", "medication", "she has enough")


async def test_an_unknown_sender_is_linked_to_a_patient(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text("Can I book a visit?", "+12125550199").conversation_id
    async with console(clinic.crm, "kim") as hands:
        clinic.crm.clock.move(timedelta(minutes=1))  # type: ignore[attr-defined]
        await hands.press("n")
        hands.expect("Unknown sender · not linked to a patient · ···0199")
        await hands.press("L")
        await hands.type("lopez 1970")
        await hands.until(lambda: hands.sees("Ana Lopez"))
        await hands.press("enter")
        assert clinic.now_at(number).patient_id == clinic.patients["Ana"]
        await hands.until(lambda: hands.sees("changed today"))

        await hands.press("r")
        await hands.type("Yes, Ana")
        await hands.press("ctrl+s")
        hands.expect("Press y to send it for Ana Lopez")
        await hands.press("y")
        assert clinic.now_at(number).state == "waiting_patient"


@pytest.mark.usefixtures("approved")
async def test_a_template_that_wants_a_sentence_of_one_s_own_asks_for_it(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text("I want to complain, I was on hold for 40 minutes and nobody helped")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "t")
        await hands.type("sorry")
        await hands.press("enter")
        hands.expect("A sentence of your own, for this patient")
        await hands.type("I waited too")
        await hands.press("enter")
        assert "I waited too" in hands.app.screen.query_one(Composer).text


@pytest.mark.usefixtures("approved")
async def test_a_template_whose_field_is_missing_is_refused_with_its_name(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text("Please refill my inhaler", "+12125550199")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "t")
        await hands.type("pharmacy")
        hands.expect("Cannot be used here: missing: patient.first_name")
        await hands.press("enter")
        assert not hands.app.screen.query_one(Composer).text


async def test_n_pressed_twice_takes_one(clinic: Clinic, account: Account) -> None:
    kim = account("kim", Role.AGENT)
    numbers = [clinic.text("a refill please", f"+1212555{number:04d}").conversation_id for number in range(3)]
    async with console(clinic.crm, "kim") as hands:
        await hands.pilot.press("n", "n", "n")
        await hands.settle()
        assert [clinic.now_at(number).owner_id for number in numbers].count(kim.staff_id) == 1


async def test_esc_leads_back_from_an_alarm_to_where_one_was(clinic: Clinic, account: Account) -> None:
    account("nora", Role.NURSE)
    clinic.text("I have chest pain", BO)
    number = clinic.text("a refill please").conversation_id
    async with console(clinic.crm, "nora") as hands:
        await hands.press("K", "enter", "r")
        await hands.type("On its")
        await hands.press("escape", "!")
        hands.expect("Bo Iversen")
        await hands.press("escape")
        hands.expect("Ana Lopez")
        await hands.pilot.press("d")
        await hands.settle()
        assert not hands.sees("Your draft"), "keys wait until this one has been seen"
        await hands.press("d")
        hands.expect("Your draft is unsent")
    assert clinic.now_at(number).state == "new"
