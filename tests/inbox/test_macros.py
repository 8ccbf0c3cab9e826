"""Templates that also close, snooze or make a task: done with the answer, taken back with it, on both stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm_core.access.model import Role
from crm_core.channels.model import Delivery
from crm_core.inbox import alarms, take, undo
from crm_core.inbox.answering import drafts, filling, macros
from crm_core.inbox.answering.macros import Answered
from crm_core.inbox.model import State, Verb
from crm_core.library import service, writing
from crm_core.tasks.queries import task
from tests.conftest import StaffFactory
from tests.inbox.conftest import ANA, Clinic
from tests.inbox.looking import outbox_rows, stored, verbs
from tests.library.conftest import text as template

HOLD = timedelta(seconds=15)
Macro = Callable[..., int]


@pytest.fixture
def macro(clinic: Clinic, staff: StaffFactory) -> Macro:
    """Makes an approved template `hello` with a macro; gives its version's id."""
    approver = staff(Role.APPROVER)

    def make(**then: Any) -> int:
        clinic.do(clinic.nurse, writing.write, template(then=then), above=None)
        version: int = clinic.do(approver, service.approve, "hello")
        return version

    return make


def answer(clinic: Clinic, number: int, version: int) -> Answered:
    made = clinic.see(clinic.agent, filling.filled, clinic.crm.gate, number, "hello")
    assert made.version_id == version
    answered: Answered = clinic.do(
        clinic.agent, macros.answer, clinic.crm.gate, number, made.text, template_version_id=version, hold=HOLD
    )
    return answered


def arrived(clinic: Clinic, words: str = "Thank you, that was all I needed to know") -> int:
    number = clinic.text(words).conversation_id
    assert number is not None
    return number


def test_a_macro_closes_with_its_outcome_in_the_unit_of_the_answer(clinic: Clinic, macro: Macro) -> None:
    version, number = macro(close="resolved"), arrived(clinic)
    answered = answer(clinic, number, version)
    assert (answered.done, answered.not_done) == (("closes as resolved",), ())
    row = stored(clinic.crm, number)
    assert (row["state"], row["outcome"]) == (State.CLOSED, "resolved")
    assert verbs(clinic.crm, number)[-2:] == ["replied", "closed"]


def test_what_a_macro_did_is_taken_back_with_its_text_which_is_a_draft_again(clinic: Clinic, macro: Macro) -> None:
    version, number = macro(close="resolved", task={"title": "Call again", "due": "1d"}), arrived(clinic)
    before = stored(clinic.crm, number)
    answer(clinic, number, version)
    assert clinic.do(clinic.agent, undo.undo_last, number) == (number, Verb.REPLIED)
    after = stored(clinic.crm, number)
    kept = ("state", "owner_id", "outcome", "closed_at", "due_at", "follow_up_at", "waiting_since")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert outbox_rows(clinic.crm)[-1]["state"] is Delivery.TAKEN_BACK
    draft = clinic.see(clinic.agent, drafts.my_draft, number)
    assert draft is not None
    assert str(draft.body) == "Hi Ana."
    with pytest.raises(undo.NothingToUndo):
        clinic.do(clinic.agent, undo.undo_last, number)


def test_once_the_text_has_left_what_followed_it_is_put_back_alone(clinic: Clinic, macro: Macro) -> None:
    version, number = macro(close="resolved"), arrived(clinic)
    answer(clinic, number, version)
    clinic.at(clinic.crm.clock.now() + HOLD)
    assert clinic.do(clinic.agent, undo.undo_last, number) == (number, Verb.CLOSED)
    assert stored(clinic.crm, number)["state"] is State.WAITING_PATIENT
    assert outbox_rows(clinic.crm)[-1]["state"] is Delivery.QUEUED


def test_a_text_still_held_is_taken_back_though_the_patient_has_written_since(clinic: Clinic, macro: Macro) -> None:
    version, number = macro(close="resolved"), arrived(clinic)
    answer(clinic, number, version)
    clinic.text("Wait, one more question about my bill please")
    assert clinic.do(clinic.agent, undo.undo_last, number) == (number, Verb.REPLIED)
    assert outbox_rows(clinic.crm)[-1]["state"] is Delivery.TAKEN_BACK
    assert stored(clinic.crm, number)["state"] is not State.CLOSED


def test_a_macro_snoozes_until_its_time_or_until_the_patient_writes(clinic: Clinic, macro: Macro) -> None:
    version, number = macro(snooze="2d"), arrived(clinic)
    assert answer(clinic, number, version).done == ("snoozes for 2 days, or until the patient writes",)
    row = stored(clinic.crm, number)
    assert (row["state"], row["snoozed_until"]) == (State.SNOOZED, clinic.crm.clock.now() + timedelta(days=2))
    clinic.text("I have a question about my bill", sender=ANA)
    assert stored(clinic.crm, number)["state"] is not State.SNOOZED


def test_a_macro_makes_a_task_of_the_one_who_answers_and_the_undo_cancels_it(clinic: Clinic, macro: Macro) -> None:
    version, number = macro(task={"title": "Call again", "due": "1d"}), arrived(clinic)
    assert answer(clinic, number, version).done == ("makes the task “Call again”, due in 1 day",)
    (row,) = _tasks(clinic)
    found = clinic.see(clinic.agent, task, row["id"])
    assert (str(found.title), row["owner_id"], row["conversation_id"]) == ("Call again", clinic.agent.staff_id, number)
    assert row["patient_id"] == clinic.patients["Ana"]
    assert row["due_at"] == clinic.crm.clock.now() + timedelta(days=1)
    assert clinic.do(clinic.agent, undo.undo_last, number) == (number, Verb.REPLIED)
    assert [row["state"] for row in _tasks(clinic)] == ["cancelled"]


def test_what_may_not_be_closed_is_answered_and_the_author_hears_why_it_stays(clinic: Clinic, macro: Macro) -> None:
    version, number = macro(close="resolved"), arrived(clinic, "I have crushing chest pain")
    clinic.do(clinic.nurse, alarms.acknowledge, number)
    answered = clinic.do(
        clinic.nurse, macros.answer, clinic.crm.gate, number, "Call 911 now.", template_version_id=version, hold=HOLD
    )
    assert answered.done == ("closes as resolved",)
    other = arrived(clinic, "my chest hurts and I cannot breathe")
    answered = clinic.do(
        clinic.nurse, macros.answer, clinic.crm.gate, other, "Call 911 now.", template_version_id=version, hold=HOLD
    )
    assert answered.done == ()
    assert "holds a danger that nobody has acknowledged" in answered.not_done[0]
    assert stored(clinic.crm, other)["state"] is not State.CLOSED
    assert verbs(clinic.crm, other)[-1] == "replied"


def test_an_answer_in_ones_own_words_or_from_a_plain_template_does_nothing_else(clinic: Clinic) -> None:
    number = arrived(clinic)
    answered = clinic.do(clinic.agent, macros.answer, clinic.crm.gate, number, "You are welcome.", hold=HOLD)
    assert answered == Answered(message_id=answered.message_id)
    assert stored(clinic.crm, number)["state"] is State.WAITING_PATIENT


def test_an_earlier_deed_of_mine_is_undone_apart_from_the_macro(clinic: Clinic, macro: Macro) -> None:
    version, number = macro(close="resolved"), arrived(clinic)
    clinic.do(clinic.agent, take.claim, number)
    answer(clinic, number, version)
    clinic.do(clinic.agent, undo.undo_last, number)
    assert stored(clinic.crm, number)["owner_id"] == clinic.agent.staff_id


def _tasks(clinic: Clinic) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from crm_core.tasks.tables import Task

    with clinic.crm.read(clinic.agent) as unit:
        return [dict(row) for row in unit.execute(select(Task.__table__)).mappings()]
