"""Which tasks are shown to whom, in which order, and what of that is audited."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import SYSTEM, Role
from crm_core.errors import NotFound
from crm_core.inbox import handling
from crm_core.inbox.tasks import task_from
from crm_core.patients.merging import merge_records
from crm_core.tasks import service
from crm_core.tasks.model import NewTask, TaskItem, TaskKind, TaskPage
from crm_core.tasks.queries import of_conversation, of_patient, task, tasks
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.looking import audited
from tests.tasks.conftest import Add, Clinic


def ids(page: TaskPage | tuple[TaskItem, ...]) -> list[int]:
    return [item.task_id for item in (page.items if isinstance(page, TaskPage) else page)]


def test_what_is_due_first_comes_first_page_by_page(clinic: Clinic, add: Add) -> None:
    now = clinic.crm.clock.now()
    late = add("late", due_at=now - timedelta(hours=1))
    far = add("far", due_at=now + timedelta(days=2))
    near = add("near", due_at=now + timedelta(hours=2))
    page = clinic.see(clinic.agent, tasks, limit=2)
    assert (ids(page), page.total) == ([late, near], 3)
    assert ids(clinic.see(clinic.agent, tasks, after=page.items[-1])) == [far]
    assert ids(clinic.see(clinic.agent, tasks, offset=1)) == [near, far]
    assert ids(clinic.see(clinic.agent, tasks, overdue=True)) == [late]


def test_mine_are_those_i_own_and_those_of_my_roles_that_nobody_has(
    clinic: Clinic, add: Add, staff: StaffFactory
) -> None:
    other = staff(Role.NURSE)
    owned = add("owned", owner_id=clinic.nurse.staff_id)
    offered = add("offered", role=Role.NURSE)
    add("another's", role=Role.NURSE, owner_id=other.staff_id)
    add("for agents", role=Role.AGENT)
    assert ids(clinic.see(clinic.nurse, tasks, mine=True)) == [owned, offered]
    assert clinic.see(clinic.nurse, tasks).total == 4


def test_a_task_in_a_lane_is_for_those_who_see_the_lane_and_for_its_owner(clinic: Clinic, add: Add) -> None:
    hidden = add("for physicians", lane="physician_review", role=None)
    assert clinic.see(clinic.agent, tasks).total == 0
    for asked in (task, service.finish):
        with pytest.raises(NotFound):
            (clinic.do if asked is service.finish else clinic.see)(clinic.agent, asked, hidden)
    owned = add("a question", lane="physician_review", owner_id=clinic.agent.staff_id)
    assert ids(clinic.see(clinic.agent, tasks)) == [owned]
    denied = [row for row in audited(clinic.crm) if row["tag"] == "access:call:denied"]
    assert len(denied) == 2


def test_a_task_from_a_conversation_is_for_those_who_see_the_lane_in_which_that_lies_now(clinic: Clinic) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    assert number is not None
    clinic.do(clinic.agent, handling.escalate, number, to=Role.NURSE, reason="policy", question="Is it yours?")
    clinic.do(
        clinic.nurse,
        handling.escalate,
        number,
        to=Role.PHYSICIAN,
        reason="clinical_judgement",
        question="May she stop?",
    )
    asked = NewTask(title="Ask Ana about her pills", kind=TaskKind.FOLLOW_UP, due_at=MONDAY, role=Role.NURSE)
    hidden = clinic.do(clinic.nurse, task_from, number, asked)
    assert ids(clinic.see(clinic.nurse, tasks)) == [hidden]
    assert clinic.see(clinic.agent, tasks).total == 0
    for asked_for in (task, service.finish):
        with pytest.raises(NotFound):
            (clinic.do if asked_for is service.finish else clinic.see)(clinic.agent, asked_for, hidden)
    clinic.do(clinic.nurse, handling.move, number, lane="clinical_triage", reason="wrong_lane")
    assert ids(clinic.see(clinic.agent, tasks)) == [hidden]


def test_a_merged_patient_s_tasks_are_the_other_s_from_then_on(clinic: Clinic, add: Add) -> None:
    ana, bo = clinic.patients["Ana"], clinic.patients["Bo"]
    number = add(patient_id=ana)
    clinic.do(SYSTEM, merge_records, [(ana, bo)])
    shown = clinic.see(clinic.agent, task, number)
    assert (shown.patient_id, str(shown.patient_name)) == (bo, "Bo Iversen")
    after = add("Another", patient_id=ana)
    for known in (ana, bo):
        assert ids(clinic.see(clinic.agent, of_patient, known)) == [number, after]


def test_a_conversation_s_tasks_are_found_by_it(clinic: Clinic, add: Add) -> None:
    conversation_id = clinic.text("Can I get a refill?").conversation_id
    number = add(conversation_id=conversation_id)
    add("elsewhere")
    assert ids(clinic.see(clinic.agent, of_conversation, conversation_id)) == [number]


def test_a_list_is_audited_as_one_listing_without_what_it_says(clinic: Clinic, add: Add) -> None:
    for number in range(3):
        add(f"task {number}", patient_id=clinic.patients["Ana"])
    clinic.see(clinic.agent, tasks)
    rows = [row for row in audited(clinic.crm) if row["tag"] == "list:records:shown"]
    assert sorted(row["subject"] for row in rows) == ["patient", "task"]
    assert {row["why"] for row in rows} == {"tasks"}
