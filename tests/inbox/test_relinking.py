"""Moving a conversation to another patient (issue 3, Threads; domain.md, Never fall back to another person)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_core.access.model import SYSTEM
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import NotSendable
from crm_core.errors import NotFound, NotPermitted, UsageError
from crm_core.inbox.alarms import acknowledge
from crm_core.inbox.answering.answers import AnotherPatient, reply
from crm_core.inbox.answering.drafts import my_draft, save_draft
from crm_core.inbox.answering.scheduling import send_later
from crm_core.inbox.handling import link
from crm_core.inbox.model import State, Verb
from crm_core.inbox.queries import of_patient
from crm_core.inbox.record import HeldForClinicians, NotAcknowledged
from crm_core.inbox.tasks import task_from
from crm_core.inbox.thread import why_here
from crm_core.inbox.threads.merging import merge
from crm_core.inbox.threads.relinking import relink
from crm_core.inbox.threads.splitting import split
from crm_core.inbox.undo import undo_last
from crm_core.patients.merging import merge_records
from crm_core.patients.queries import identity
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.tasks.queries import of_patient as tasks_of
from crm_core.tasks.queries import task as task_view
from crm_core.tasks.service import create_task, finish
from crm_core.words import Channel
from tests.conftest import MONDAY
from tests.inbox.conftest import Clinic
from tests.inbox.looking import audited, outbox_rows, stored, tags, verbs

BILL = "How much is my bill?"
HOLD = timedelta(seconds=15)
WRONG = {"reason": "wrong_patient"}
_MAY_DIFFER = {"version"}


def of_ana(clinic: Clinic) -> tuple[int, int, int]:
    """A conversation that is with Ana, and the ids of Ana and Bo."""
    number = clinic.text(BILL).conversation_id
    assert number is not None
    return number, clinic.patients["Ana"], clinic.patients["Bo"]


def points_of(clinic: Clinic, name: str) -> set[int]:
    seen = clinic.see(clinic.agent, identity, clinic.patients[name])
    return {contact.contact_point_id for contact in seen.contacts}


def test_it_is_with_the_other_patient_and_both_audits_say_so(clinic: Clinic) -> None:
    number, ana, bo = of_ana(clinic)
    assert clinic.do(clinic.nurse if False else clinic.supervisor, relink, number, bo, **WRONG) == (ana, bo)
    assert clinic.now_at(number).patient_id == bo
    assert verbs(clinic.crm, number)[-1] == "relinked"
    assert "conversation:patient:relinked" in tags(clinic.crm)
    told = [
        row
        for row in audited(clinic.crm)
        if row["tag"] == "patient:record:changed" and "relinked" in (row["why"] or "")
    ]
    assert len(told) == 1
    assert f"from P-{ana} to P-{bo}" in clinic.see(clinic.supervisor, why_here, number)[-1]


def test_only_a_nurse_or_a_supervisor_moves_it_and_gives_a_reason_of_the_playbooks(clinic: Clinic) -> None:
    number, _, bo = of_ana(clinic)
    with pytest.raises(NotPermitted, match="move conversations to another patient"):
        clinic.do(clinic.agent, relink, number, bo, **WRONG)
    with pytest.raises(UsageError, match="shared_number"):
        clinic.do(clinic.supervisor, relink, number, bo, reason="just so")
    assert clinic.now_at(number).patient_id == clinic.patients["Ana"]


@pytest.mark.parametrize("case", ["nobody", "the same", "merged into the same", "unlinked"])
def test_where_there_is_nobody_else_to_move_it_to_nothing_changes(clinic: Clinic, case: str) -> None:
    number, ana, bo = of_ana(clinic)
    if case == "merged into the same":
        clinic.do(SYSTEM, merge_records, [(bo, ana)])
    if case == "unlinked":
        number = clinic.text(BILL, "+1 646 555 0177").conversation_id  # type: ignore[assignment]
    before = stored(clinic.crm, number)
    to = {"nobody": 9999, "the same": ana}.get(case, bo)
    with pytest.raises((NotFound, UsageError)):
        clinic.do(clinic.supervisor, relink, number, to, **WRONG)
    assert stored(clinic.crm, number) == before


def test_what_is_queued_to_the_patient_before_is_stopped_and_it_waits_for_us_again(clinic: Clinic) -> None:
    number, _, bo = of_ana(clinic)
    asked = stored(clinic.crm, number)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars, Ana.", hold=HOLD)
    clinic.do(clinic.supervisor, relink, number, bo, **WRONG)
    (row,) = outbox_rows(clinic.crm)
    assert (row["state"], row["failure"]) == (Delivery.SUPPRESSED, "this was written to another patient")
    clinic.at(MONDAY + timedelta(hours=1))
    assert clinic.crm.courier.run_once().sent == 0
    after = stored(clinic.crm, number)
    assert (after["state"], after["follow_up_at"]) == (State.OPEN, None)
    assert (after["due_at"], after["due_clock"], after["first_response_at"]) == (
        asked["due_at"],
        "first_response",
        None,
    )
    assert clinic.see(clinic.agent, my_draft, number) is None


def test_undo_puts_back_the_patient_and_queues_again_what_was_stopped(clinic: Clinic) -> None:
    number, ana, bo = of_ana(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars, Ana.", hold=HOLD)
    before = {name: value for name, value in stored(clinic.crm, number).items() if name not in _MAY_DIFFER}
    clinic.at(MONDAY + timedelta(minutes=5))
    clinic.do(clinic.supervisor, relink, number, bo, **WRONG)
    assert clinic.do(clinic.supervisor, undo_last) == (number, Verb.RELINKED)
    after = {name: value for name, value in stored(clinic.crm, number).items() if name not in _MAY_DIFFER}
    assert after == before
    (row,) = outbox_rows(clinic.crm)
    assert (row["state"], row["due_at"], row["patient_id"]) == (
        Delivery.QUEUED,
        MONDAY + timedelta(minutes=5) + HOLD,
        ana,
    )
    clinic.at(MONDAY + timedelta(minutes=6))
    assert clinic.crm.courier.run_once().sent == 1


def test_the_number_stays_with_the_patient_before_unless_asked_and_no_answer_goes_to_it(clinic: Clinic) -> None:
    number, _, bo = of_ana(clinic)
    before = points_of(clinic, "Ana"), points_of(clinic, "Bo")
    clinic.do(clinic.supervisor, relink, number, bo, **WRONG)
    assert (points_of(clinic, "Ana"), points_of(clinic, "Bo")) == before
    with pytest.raises(NotSendable, match="not on the patient's record"):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Bo, it is 20 dollars.")


def test_the_number_goes_along_where_asked_and_comes_back_with_undo(clinic: Clinic) -> None:
    stranger = "+1 646 555 0188"
    number = clinic.text(BILL, stranger).conversation_id
    clinic.do(clinic.agent, link, number, clinic.patients["Ana"])
    before = points_of(clinic, "Ana"), points_of(clinic, "Bo")
    clinic.do(clinic.supervisor, relink, number, clinic.patients["Bo"], with_number=True, **WRONG)
    assert len(points_of(clinic, "Ana")) == len(before[0]) - 1
    assert len(points_of(clinic, "Bo")) == len(before[1]) + 1
    assert clinic.text("and one more thing", stranger).conversation_id == number
    clinic.do(clinic.supervisor, relink, number, clinic.patients["Ana"], with_number=True, **WRONG)
    clinic.do(clinic.supervisor, undo_last)
    assert clinic.now_at(number).patient_id == clinic.patients["Bo"]
    assert len(points_of(clinic, "Bo")) == len(before[1]) + 1
    assert len(points_of(clinic, "Ana")) == len(before[0]) - 1


def test_a_draft_stays_with_its_author_and_one_from_a_template_never_names_the_patient_before(clinic: Clinic) -> None:
    number, ana, bo = of_ana(clinic)
    clinic.do(clinic.agent, save_draft, number, "Hi Ana, about your bill", template_key="billing_received")
    clinic.do(clinic.supervisor, save_draft, number, "let me look")
    clinic.do(clinic.supervisor, relink, number, bo, **WRONG)
    assert clinic.see(clinic.agent, my_draft, number) is None
    free = clinic.see(clinic.supervisor, my_draft, number)
    assert (free.body, free.for_another) == ("let me look", True)
    clinic.do(clinic.supervisor, save_draft, number, "let me look, Ana")
    assert clinic.see(clinic.supervisor, my_draft, number).for_another is True
    clinic.do(clinic.supervisor, relink, number, ana, **WRONG)
    back = clinic.see(clinic.agent, my_draft, number)
    assert (back.body, back.for_another) == ("Hi Ana, about your bill", False)


def test_linking_an_unknown_sender_leaves_the_draft_as_it_is(clinic: Clinic) -> None:
    number = clinic.text(BILL, "+1 646 555 0188").conversation_id
    clinic.do(clinic.agent, save_draft, number, "Who is this?", template_key="who_is_this")
    clinic.do(clinic.agent, link, number, clinic.patients["Ana"])
    assert clinic.see(clinic.agent, my_draft, number).for_another is False


def test_a_danger_is_relinked_by_a_clinician_who_has_acknowledged_it(clinic: Clinic) -> None:
    number = clinic.text("crushing chest pain, cannot breathe").conversation_id
    ana, bo = clinic.patients["Ana"], clinic.patients["Bo"]
    with pytest.raises(HeldForClinicians):
        clinic.do(clinic.supervisor, relink, number, bo, **WRONG)
    with pytest.raises(NotAcknowledged):
        clinic.do(clinic.nurse, relink, number, bo, **WRONG)
    assert stored(clinic.crm, number)["patient_id"] == ana
    clinic.do(clinic.nurse, acknowledge, number)
    with pytest.raises(HeldForClinicians):
        clinic.do(clinic.supervisor, relink, number, bo, **WRONG)
    clinic.do(clinic.nurse, relink, number, bo, **WRONG)
    assert stored(clinic.crm, number)["patient_id"] == bo


def merged_with_a_task(clinic: Clinic) -> tuple[int, int, int]:
    """Ana's two conversations, the second merged into the first, and a task that came from the second."""
    kept = clinic.text(BILL).conversation_id
    clinic.at(MONDAY + timedelta(minutes=1))
    visit = clinic.text("I need to move my visit on Thursday").message_id
    other = clinic.do(clinic.agent, split, kept, message_ids=[visit])
    due = NewTask(kind=TaskKind.CALL_BACK, title="call her", owner_id=clinic.agent.staff_id)
    task = clinic.do(clinic.agent, task_from, other, due)
    clinic.do(clinic.agent, merge, kept, other)
    assert kept is not None
    return kept, other, task


def test_what_was_merged_into_it_and_its_open_tasks_go_along_and_come_back_with_undo(clinic: Clinic) -> None:
    kept, other, task = merged_with_a_task(clinic)
    ana, bo = clinic.patients["Ana"], clinic.patients["Bo"]
    clinic.do(clinic.supervisor, relink, kept, bo, **WRONG)
    assert [stored(clinic.crm, each)["patient_id"] for each in (kept, other)] == [bo, bo]
    assert clinic.see(clinic.supervisor, of_patient, ana) == []
    assert [each.task_id for each in clinic.see(clinic.agent, tasks_of, bo)] == [task]
    assert clinic.see(clinic.agent, tasks_of, ana) == ()
    assert tags(clinic.crm).count("task:record:refiled") == 1
    clinic.do(clinic.supervisor, undo_last)
    assert [stored(clinic.crm, each)["patient_id"] for each in (kept, other)] == [ana, ana]
    assert [each.task_id for each in clinic.see(clinic.agent, tasks_of, ana)] == [task]
    assert tags(clinic.crm).count("task:record:refiled") == 2
    clinic.do(clinic.agent, undo_last, kept)
    assert stored(clinic.crm, other)["merged_into_id"] is None


def test_a_task_that_is_done_or_about_somebody_else_stays_where_it_is(clinic: Clinic) -> None:
    kept, _, task = merged_with_a_task(clinic)
    ana, bo = clinic.patients["Ana"], clinic.patients["Bo"]
    cy = clinic.patient("Cy", "Moe", "+1 212 555 0103", "1003")
    about = NewTask(kind=TaskKind.OTHER, title="her son", patient_id=cy, conversation_id=kept)
    about = replace(about, owner_id=clinic.agent.staff_id)
    son = clinic.do(clinic.agent, create_task, about)
    clinic.do(clinic.agent, finish, task)
    clinic.do(clinic.supervisor, relink, kept, bo, **WRONG)
    rows = {each: clinic.see(clinic.agent, task_view, each).patient_id for each in (task, son)}
    assert rows == {task: ana, son: cy}


def test_what_was_merged_is_linked_no_more(clinic: Clinic) -> None:
    stranger = "+1 646 555 0188"
    kept = clinic.text(BILL, stranger).conversation_id
    clinic.at(MONDAY + timedelta(minutes=1))
    visit = clinic.text("I need to move my visit on Thursday", stranger).message_id
    other = clinic.do(clinic.agent, split, kept, message_ids=[visit])
    clinic.do(clinic.agent, merge, kept, other)
    with pytest.raises(UsageError, match=f"C-{other} was merged into C-{kept}; link that one"):
        clinic.do(clinic.agent, link, other, clinic.patients["Bo"])
    assert stored(clinic.crm, other)["patient_id"] is None


@pytest.mark.parametrize(("minutes", "goes"), [(60, True), (61, False)])
def test_what_was_stopped_more_than_an_hour_ago_is_its_authors_draft_again(
    clinic: Clinic, minutes: int, goes: bool
) -> None:
    number, ana, bo = of_ana(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars, Ana.", hold=HOLD)
    clinic.do(clinic.supervisor, relink, number, bo, **WRONG)
    clinic.at(MONDAY + timedelta(minutes=minutes))
    clinic.do(clinic.supervisor, undo_last)
    clinic.at(MONDAY + timedelta(minutes=minutes + 1))
    assert clinic.crm.courier.run_once().sent == int(goes)
    row, draft = stored(clinic.crm, number), clinic.see(clinic.agent, my_draft, number)
    assert row["patient_id"] == ana
    if goes:
        assert (row["state"], draft) == (State.WAITING_PATIENT, None)
        return
    assert (draft.body, draft.for_another) == ("It is 20 dollars, Ana.", False)
    assert (row["state"], row["waiting_since"], row["follow_up_at"]) == (State.OPEN, MONDAY, None)
    assert row["due_at"] is not None
    assert "draft again" in str(clinic.now_at(number).next_action)


@pytest.mark.parametrize("later", [False, True])
def test_what_was_written_to_one_patient_is_not_sent_to_the_next(clinic: Clinic, later: bool) -> None:
    number = clinic.text(BILL, channel=Channel.PORTAL).conversation_id
    shown = clinic.now_at(number)
    more = {"seen_message_id": shown.newest_message_id, "seen_patient_id": shown.patient_id}
    send, when = (send_later, {"at": MONDAY + timedelta(hours=2)}) if later else (reply, {})
    clinic.do(clinic.agent, save_draft, number, "Ana, it is 20 dollars.")
    clinic.do(clinic.supervisor, relink, number, clinic.patients["Bo"], **WRONG)
    with pytest.raises(AnotherPatient):
        clinic.do(clinic.agent, send, clinic.crm.gate, number, "Ana, it is 20 dollars.", **when, **more)
    assert outbox_rows(clinic.crm) == []
    kept = clinic.see(clinic.agent, my_draft, number)
    assert (kept.body, kept.for_another) == ("Ana, it is 20 dollars.", True)
    shown = clinic.now_at(number)
    more = {"seen_message_id": shown.newest_message_id, "seen_patient_id": shown.patient_id}
    clinic.do(clinic.agent, send, clinic.crm.gate, number, "Bo, it is 20 dollars.", **when, **more)
    assert [row["patient_id"] for row in outbox_rows(clinic.crm)] == [clinic.patients["Bo"]]


def test_one_patient_with_two_records_is_no_other_patient(clinic: Clinic) -> None:
    number, ana, bo = of_ana(clinic)
    clinic.do(SYSTEM, merge_records, [(bo, ana)])
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", seen_patient_id=bo)
    assert len(outbox_rows(clinic.crm)) == 1
