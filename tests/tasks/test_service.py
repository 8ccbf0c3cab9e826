"""What people do with tasks, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from crm_core.access.model import SYSTEM, Role
from crm_core.access.service import disable
from crm_core.errors import AlreadyInUse, NotFound, NotPermitted, Stale, UsageError
from crm_core.tasks import service
from crm_core.tasks.model import NewTask, TaskKind, TaskState
from crm_core.tasks.queries import task
from crm_core.tasks.tables import Task
from tests.conftest import StaffFactory
from tests.inbox.looking import audited, tags
from tests.tasks.conftest import Add, Clinic


def test_a_failure_told_twice_makes_one_task(clinic: Clinic, add: Add) -> None:
    first = add("The text did not arrive", dedup_key="delivery_failed:7")
    assert add("The text did not arrive", dedup_key="delivery_failed:7") == first
    clinic.do(clinic.agent, service.finish, first)
    assert add("The text did not arrive", dedup_key="delivery_failed:7") == first, "even after it was done"
    assert add("The text did not arrive", dedup_key="delivery_failed:8") != first
    assert tags(clinic.crm).count("task:record:created") == 2


def test_a_task_is_given_put_off_and_finished_and_each_is_audited(clinic: Clinic, add: Add) -> None:
    number = add(details="She waits for a word about her visit", patient_id=clinic.patients["Ana"])
    later = clinic.crm.clock.now() + timedelta(hours=3)
    clinic.do(clinic.agent, service.assign_task, number, clinic.nurse.staff_id)
    clinic.do(clinic.nurse, service.put_off, number, later)
    clinic.do(clinic.nurse, service.finish, number, words="Reached her")
    shown = clinic.see(clinic.agent, task, number)
    assert (shown.state, shown.owner, shown.due_at) == (TaskState.DONE, clinic.nurse.name, later)
    assert (str(shown.title), str(shown.patient_name)) == ("Call Ana back", "Ana Lopez")
    assert (str(shown.outcome), shown.ended_by) == ("Reached her", clinic.nurse.name)
    done = [row["tag"] for row in audited(clinic.crm) if row["tag"].startswith("task:")]
    assert done == [
        "task:record:created", "task:work:assigned", "task:work:put_off", "task:work:done", "task:record:opened",
    ]  # fmt: skip


def test_what_a_task_requires_must_be_filled_in_before_it_is_done(clinic: Clinic, add: Add) -> None:
    number = add("Find her number", required=("new_number", "who_said_so"))
    with pytest.raises(service.InformationMissing, match="fill in new_number, who_said_so first") as refused:
        clinic.do(clinic.agent, service.finish, number)
    assert refused.value.exit_code == 2
    clinic.do(clinic.agent, service.fill_in, number, {"new_number": "212 555 0199"})
    assert clinic.see(clinic.agent, task, number).missing == ("who_said_so",)
    with pytest.raises(UsageError, match="does not ask for age"):
        clinic.do(clinic.agent, service.fill_in, number, {"age": "50"})
    clinic.do(clinic.agent, service.finish, number, known={"who_said_so": "her son"})
    shown = clinic.see(clinic.agent, task, number)
    assert {key: str(text) for key, text in shown.filled.items()} == {
        "new_number": "212 555 0199",
        "who_said_so": "her son",
    }
    assert shown.state is TaskState.DONE


def test_an_empty_answer_takes_what_was_filled_in_away_again(clinic: Clinic, add: Add) -> None:
    number = add("Find her number", required=("new_number",))
    clinic.do(clinic.agent, service.fill_in, number, {"new_number": "212 555 0199"})
    with pytest.raises(service.InformationMissing):
        clinic.do(clinic.agent, service.finish, number, known={"new_number": "  "})
    assert clinic.see(clinic.agent, task, number).missing == (), "what was refused changed nothing"


def test_a_task_is_cancelled_for_a_reason_and_taken_up_again(clinic: Clinic, add: Add) -> None:
    number = add()
    with pytest.raises(UsageError, match="cancelled for a reason"):
        clinic.do(clinic.agent, service.cancel, number, " ")
    clinic.do(clinic.agent, service.cancel, number, "She called herself")
    with pytest.raises(UsageError, match="is cancelled already"):
        clinic.do(clinic.agent, service.finish, number)
    clinic.do(clinic.agent, service.take_up_again, number)
    shown = clinic.see(clinic.agent, task, number)
    assert (shown.state, shown.outcome, shown.ended_at) == (TaskState.OPEN, None, None)
    with pytest.raises(UsageError, match="is open already"):
        clinic.do(clinic.agent, service.take_up_again, number)


def test_each_change_can_be_taken_back_while_nothing_has_happened_since(clinic: Clinic, add: Add) -> None:
    number, due = add("Find her number", required=("new_number",)), clinic.crm.clock.now()
    clinic.crm.clock.move(timedelta(hours=1))  # type: ignore[attr-defined]
    later = clinic.crm.clock.now() + timedelta(days=1)
    for change, args in (
        (service.assign_task, (clinic.nurse.staff_id,)),
        (service.put_off, (later,)),
        (service.fill_in, ({"new_number": "1"},)),
        (service.cancel, ("she called",)),
    ):
        before = clinic.do(clinic.agent, change, number, *args)
        clinic.do(clinic.agent, service.undo, before)
        shown = clinic.see(clinic.agent, task, number)
        assert (shown.state, shown.owner, shown.due_at, shown.missing) == ("open", None, due, ("new_number",)), change
    before = clinic.do(clinic.agent, service.assign_task, number, clinic.nurse.staff_id)
    clinic.do(clinic.nurse, service.put_off, number, later)
    with pytest.raises(Stale, match="was changed by someone else"):
        clinic.do(clinic.agent, service.undo, before)
    assert tags(clinic.crm).count("task:work:undone") == 4


def test_a_task_is_given_back_to_its_role_and_never_to_nobody(clinic: Clinic, add: Add) -> None:
    offered, owned = add(), add(role=None, owner_id=clinic.agent.staff_id)
    clinic.do(clinic.agent, service.assign_task, offered, clinic.agent.staff_id)
    clinic.do(clinic.agent, service.assign_task, offered, None)
    assert clinic.see(clinic.agent, task, offered).owner is None
    with pytest.raises(UsageError, match="for no role and no lane"):
        clinic.do(clinic.agent, service.assign_task, owned, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": " \n"}, "needs a title"),
        ({"title": "x" * 201}, "longer than 200"),
        ({"role": None}, "A task is somebody's"),
        ({"required": ("New number",)}, "cannot name what a task requires"),
        ({"required": ("a", "a")}, "same thing twice"),
    ],
)
def test_a_task_that_says_too_little_is_refused(add: Add, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        add(**wrong)


def test_a_person_s_own_task_goes_to_someone_who_works_and_into_a_lane_they_see(
    clinic: Clinic, staff: StaffFactory
) -> None:
    approver, gone = staff(Role.APPROVER), staff(Role.AGENT)
    clinic.do(SYSTEM, disable, gone.staff_id)
    mine = NewTask(kind=TaskKind.FOLLOW_UP, title="Ask the pharmacy", owner_id=clinic.agent.staff_id)
    assert clinic.do(clinic.agent, service.create_task, mine)
    for owner in (approver.staff_id, gone.staff_id):
        with pytest.raises(UsageError, match="does not work on tasks"):
            theirs = NewTask(kind=TaskKind.FOLLOW_UP, title="Ask", owner_id=owner)
            clinic.do(clinic.agent, service.create_task, theirs)
    for lane in ("no_such_lane", "physician_review"):
        with pytest.raises(NotFound):
            hidden = NewTask(kind=TaskKind.FOLLOW_UP, title="Ask", lane=lane)
            clinic.do(clinic.agent, service.create_task, hidden)
    with pytest.raises(NotPermitted):
        clinic.do(approver, service.create_task, mine)


def test_a_task_is_put_off_to_a_time_to_come_within_a_year(clinic: Clinic, add: Add) -> None:
    number, now = add(), clinic.crm.clock.now()
    for until, said in ((now, "has passed"), (now + timedelta(days=400), "more than a year away")):
        with pytest.raises(UsageError, match=said):
            clinic.do(clinic.agent, service.put_off, number, until)


@pytest.mark.parametrize(
    "broken",
    [
        {"role": None},
        {"state": TaskState.DONE},
        {"state": TaskState.OPEN, "ended_by": 0},
        {"state": TaskState.CANCELLED, "ended_by": 0, "outcome_sealed": None},
    ],
)
def test_the_store_itself_refuses_a_task_that_breaks_the_rules(clinic: Clinic, broken: dict[str, Any]) -> None:
    now = clinic.crm.clock.now()
    values = {
        "id": 900, "kind": TaskKind.OTHER, "state": TaskState.OPEN, "role": Role.AGENT, "due_at": now,
        "created_by": 0, "created_at": now, "title_sealed": b"x",
    }  # fmt: skip
    if "ended_by" in broken:
        values["ended_at"] = now
    with clinic.crm.store.writing.connect() as connection, pytest.raises((IntegrityError, AlreadyInUse)):
        connection.execute(insert(Task.__table__).values({**values, **broken}))  # type: ignore[arg-type]
