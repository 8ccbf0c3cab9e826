"""`d` on a complaint asks three things one after another."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crm_core.access.model import Role
from crm_core.inbox.complaints import complaint_of
from crm_tui.screens.complaint_end import read_past_day
from tests.console.conftest import Account, Clinic
from tests.console.hands import console

RUDE = "I want to file a complaint about the rude receptionist"


async def test_a_complaint_is_closed_by_three_answers_and_z_opens_it_again(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(RUDE).conversation_id
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "d")
        await hands.type("resolved")
        await hands.press("enter")
        hands.expect("what was the complaint about?")
        await hands.type("behaved")
        await hands.press("enter")
        hands.expect("when was it answered?")
        hands.expect("Today Mon 23 Nov")
        await hands.press("enter")
        assert clinic.now_at(number).outcome == "resolved"
        shown = clinic.see(clinic.agent, complaint_of, number)
        assert (shown.category, shown.answered_on.isoformat()) == ("staff_behaviour", "2026-11-23")
        await hands.press("w")
        hands.expect("Complaint of 2026-11-23: How someone here behaved; answered 2026-11-23")
        await hands.press("escape", "z")
        assert clinic.now_at(number).state == "open"
        assert clinic.see(clinic.agent, complaint_of, number) is None


async def test_a_day_later_the_console_says_that_a_written_reply_is_missing(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    number = clinic.text(RUDE).conversation_id
    clinic.crm.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n")
        closing = ("d", *"resolved", "enter", *"behaved", "enter", *"tuesday", "enter")
        await hands.press(*closing)
        assert "so send a written reply first" in hands.toasts
        assert clinic.now_at(number).state == "open"
        await hands.press("r", *"Sorry", "ctrl+s")
        await hands.press(*closing)
        assert clinic.now_at(number).state == "closed"
        assert clinic.see(clinic.agent, complaint_of, number).grievance


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("2026-11-20", date(2026, 11, 20)),
        ("11/20", date(2026, 11, 20)),
        ("12/31", date(2025, 12, 31)),
        ("mon", date(2026, 11, 23)),
        ("Thursday", date(2026, 11, 19)),
        ("wed", date(2026, 11, 25)),
        ("2/30", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_past_day_is_read_as_people_type_it(typed: str, found: date | None) -> None:
    assert read_past_day(typed, date(2026, 11, 25)) == found
