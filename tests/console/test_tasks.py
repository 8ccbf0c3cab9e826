"""Mode 4, by keys, in the real app over real stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm_core.access.model import SYSTEM, Role
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind, TaskView
from crm_core.tasks.queries import task
from crm_tui.screens.conversation import ConversationScreen
from crm_tui.screens.patient_record import PatientRecord
from crm_tui.screens.tasks import TasksScreen
from tests.console.conftest import Account, Clinic
from tests.console.hands import console

Add = Callable[..., int]


@pytest.fixture
def add(clinic: Clinic) -> Add:
    """Adds a task of the system's, for agents unless said otherwise."""

    def add(title: str, **more: Any) -> int:
        asked = NewTask(**{"kind": TaskKind.CALL_BACK, "title": title, "role": Role.AGENT, **more})
        number: int = clinic.do(SYSTEM, add_task, asked)
        return number

    return add


@pytest.mark.usefixtures("both_stores")
async def test_a_task_is_found_by_its_due_time_done_and_taken_back(clinic: Clinic, account: Account, add: Add) -> None:
    kim, now = account("kim", Role.AGENT), clinic.crm.clock.now()
    later = add("Call the pharmacy", due_at=now + timedelta(hours=3), patient_id=clinic.patients["Ana"])
    late = add("Ask for her new number", due_at=now - timedelta(hours=2), patient_id=clinic.patients["Bo"])
    add("For nurses", role=Role.NURSE)
    async with console(clinic.crm, "kim") as hands:
        await hands.press("4")
        hands.expect("Mine, and for my roles · 2 open · 1 overdue")
        hands.expect("2 h late Ask for her new number Bo Iversen any agent")
        hands.expect("3 h Call the pharmacy Ana Lopez any agent")
        await hands.press("o")
        hands.expect("All tasks · 3 open · 1 overdue")
        await hands.press("o", "c")
        assert seen(clinic, late).owner_id == kim.staff_id
        await hands.press("d", "enter")
        hands.expect("Done · z undoes")
        assert seen(clinic, late).state == "done"
        hands.expect("1 open · none overdue")
        await hands.press("z")
        assert (seen(clinic, late).state, seen(clinic, late).owner_id) == ("open", kim.staff_id)
        await hands.press("z")
        assert seen(clinic, late).owner_id is None
        assert seen(clinic, later).state == "open"


async def test_a_task_is_given_put_off_and_cancelled_with_a_reason(clinic: Clinic, account: Account, add: Add) -> None:
    account("kim", Role.AGENT)
    number = add("Call the pharmacy")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("4", "s")
        await hands.type("fri 10:00")
        await hands.press("enter")
        assert seen(clinic, number).due_at.isoformat() == "2026-11-27T15:00:00+00:00"
        hands.expect("Due Fri 27 Nov 10:00 · z undoes")
        await hands.press("a")
        await hands.type("nurse")
        await hands.press("enter")
        assert seen(clinic, number).owner_id == clinic.nurse.staff_id
        hands.expect("No task waits here.")
        await hands.press("o", "d")
        await hands.type("need not")
        await hands.press("enter")
        await hands.type("she came by")
        await hands.press("enter")
        shown = seen(clinic, number)
        assert (shown.state, str(shown.outcome)) == ("cancelled", "she came by")


async def test_what_a_task_requires_is_asked_for_before_it_is_done(clinic: Clinic, account: Account, add: Add) -> None:
    account("kim", Role.AGENT)
    number = add("Find her number", required=("new_number", "who_said_so"))
    async with console(clinic.crm, "kim") as hands:
        await hands.press("4", "d", "enter")
        hands.expect("asks for: new number")
        await hands.type("2125550199")
        await hands.press("enter")
        hands.expect("asks for: who said so")
        await hands.press("escape")
        assert seen(clinic, number).state == "open"
        await hands.press("d", "enter")
        await hands.type("2125550199")
        await hands.press("enter")
        await hands.type("her son")
        await hands.press("enter")
        shown = seen(clinic, number)
        assert (shown.state, {key: str(text) for key, text in shown.filled.items()}) == (
            "done",
            {"new_number": "2125550199", "who_said_so": "her son"},
        )


async def test_enter_opens_the_conversation_else_the_patient_else_what_it_says(
    clinic: Clinic, account: Account, add: Add
) -> None:
    account("kim", Role.AGENT)
    now = clinic.crm.clock.now()
    conversation_id = clinic.text("a refill please").conversation_id
    add("from a conversation", conversation_id=conversation_id, due_at=now)
    add("about a patient", patient_id=clinic.patients["Bo"], due_at=now + timedelta(hours=1))
    add("about nobody", details="in the back office", due_at=now + timedelta(hours=2))
    async with console(clinic.crm, "kim") as hands:
        await hands.press("4", "enter")
        assert isinstance(hands.app.screen, ConversationScreen)
        await hands.press("escape", "j", "enter")
        assert isinstance(hands.app.screen, PatientRecord)
        await hands.press("escape", "j", "enter")
        hands.expect("details in the back office")
        await hands.press("escape")
        assert isinstance(hands.app.screen, TasksScreen)


async def test_a_task_is_left_from_a_conversation_and_waits_in_mode_4(clinic: Clinic, account: Account) -> None:
    account("kim", Role.AGENT)
    clinic.text("a refill please")
    async with console(clinic.crm, "kim") as hands:
        await hands.press("n", "T", "enter")
        await hands.type("call the pharmacy")
        await hands.press("enter")
        hands.expect("Added: T-")
        await hands.press("4")
        hands.expect("call the pharmacy Ana Lopez")
        await hands.press("w")
        hands.expect("to do call the pharmacy")
        hands.expect("whose Kim")


async def test_several_tasks_are_done_only_after_their_number_is_typed(
    clinic: Clinic, account: Account, add: Add
) -> None:
    account("kim", Role.AGENT)
    numbers = [add(f"task {number}") for number in range(3)]
    async with console(clinic.crm, "kim") as hands:
        await hands.press("4", "space", "space", "d", "enter")
        hands.expect("Done: 2 tasks?")
        await hands.press("enter")
        assert [seen(clinic, number).state for number in numbers] == ["open"] * 3
        await hands.press("d", "enter", "2", "enter")
        assert [seen(clinic, number).state for number in numbers] == ["done", "done", "open"]


async def test_the_curtain_hides_what_a_task_says_and_for_whom(clinic: Clinic, account: Account, add: Add) -> None:
    account("kim", Role.AGENT)
    add("Call Ana about her visit", patient_id=clinic.patients["Ana"])
    async with console(clinic.crm, "kim", size=(120, 40)) as hands:
        await hands.press("4", "f2")
        assert not hands.sees("Ana")
        await hands.press("w")
        hands.expect("Identities are masked")
        assert not hands.sees("Ana")


async def test_another_s_task_is_seen_at_once_and_hostile_titles_are_text(
    clinic: Clinic, account: Account, add: Add
) -> None:
    account("kim", Role.AGENT)
    async with console(clinic.crm, "kim") as hands:
        await hands.press("4")
        hands.expect("No task waits here.")
        add("[@click=app.quit]x[/] \x1b]52;c;ZXZpbA==\x07 \u202eoops")
        await hands.until(lambda: hands.sees("[@click=app.quit]x[/]"), seconds=5)
        await hands.press("w")
        assert not set(hands.screen) & set("\x1b\x07\u202e")
        assert hands.app.is_running


def seen(clinic: Clinic, number: int) -> TaskView:
    found: TaskView = clinic.see(SYSTEM, task, number)
    return found
