"""`crm tasks`: added, listed, given on, put off, filled in, ended, by one person at a shell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.cli.conftest import Caller
from tests.cli.test_work import arrive, clinic

__all__ = ["clinic"]

LINE_KEYS = {
    "task", "due_at", "kind", "title", "patient", "conversation", "owner", "role", "lane", "state", "overdue",
}  # fmt: skip


def test_a_task_from_a_conversation_is_about_its_patient_and_mine(clinic: Caller) -> None:
    came = arrive(clinic)
    made = clinic.done(
        "tasks", "add", "Call the pharmacy", "--kind", "call_back", "--due", "2h", "--conversation",
        came["conversation"],
    )  # fmt: skip
    assert made["task"].startswith("T-")
    assert (made["patient"], made["conversation"]) == (came["patient"], came["conversation"])
    assert (made["title"], made["kind"], made["state"]) == ("Call the pharmacy", "call_back", "open")
    assert made["owner"] == made["created_by"]
    (listed,) = clinic.done("tasks", "list", "--mine")
    assert set(listed) == LINE_KEYS
    assert (listed["task"], listed["overdue"]) == (made["task"], False)
    assert clinic.done("tasks", "list", "--overdue") == []
    assert clinic.done("show", made["task"]) == made


def test_a_task_is_put_off_done_reopened_and_cancelled(clinic: Caller) -> None:
    made = clinic.done("tasks", "add", "-", "--role", "coordinator", stdin="Find her a ride\n")
    assert (made["title"], made["role"], made["owner"]) == ("Find her a ride", "coordinator", None)
    assert clinic.done("tasks", "assign", made["task"])["owner"] is not None
    later = clinic.done("tasks", "put-off", made["task"], "--until", "3d")
    assert (datetime.fromisoformat(later["due_at"]) - datetime.now(UTC)).days == 2
    assert clinic.done("tasks", "done", made["task"], "--words", "A cousin drives")["outcome"] == "A cousin drives"
    assert clinic.done("tasks", "list") == []
    assert clinic.done("tasks", "reopen", made["task"])["state"] == "open"
    ended = clinic.done("tasks", "cancel", made["task"], "--why", "She came by bus")
    assert (ended["state"], ended["outcome"]) == ("cancelled", "She came by bus")


def test_what_is_required_is_said_and_then_given(clinic: Caller) -> None:
    made = clinic.done("tasks", "add", "Find her number", "--require", "new_number", "--require", "source")
    refused = clinic("tasks", "done", made["task"], "--fill", "new_number=2125550199")
    assert (refused.code, refused.out) == (2, "")
    assert f"{made['task']} is not done yet: fill in source first." in refused.err
    done = clinic.done("tasks", "done", made["task"], "--fill", "new_number=2125550199", "--fill", "source=her son")
    assert done["requires"] == {"new_number": "2125550199", "source": "her son"}
    assert done["missing"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("done", "T-99"), 1, "No task T-99 that you may see"),
        (("done", "C-1"), 2, "That is not the id of a task; write it like T-12"),
        (("add", " "), 2, "A task needs a title"),
        (("add", "x", "--due", "soon"), 2, "That is not a time"),
        (("add", "x", "--patient", "P-999"), 1, "No patient P-999"),
        (("add", "x", "--conversation", "C-999"), 1, "No conversation C-999"),
        (("add", "x", "--lane", "nowhere"), 1, "No lane nowhere"),
        (("add", "x", "--to", "nobody"), 1, "No account nobody"),
        (("add", "x", "--require", "New Number"), 2, "cannot name what a task requires"),
        (("done", "T-1", "--fill", "number"), 2, "--fill takes KEY=TEXT"),
    ],
)
def test_bad_input_is_one_sentence_and_adds_nothing(
    clinic: Caller, arguments: tuple[str, ...], code: int, said: str
) -> None:
    answer = clinic("tasks", *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert clinic.done("tasks", "list") == []
