"""A death, a merge, a change of number: what was on its way is stopped, told, and never redirected (domain.md)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import NotSendable
from crm_core.channels.person_changes import DIED, NOT_THEIRS, TWICE
from crm_core.errors import UsageError
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.answering.scheduling import send_later
from crm_core.patients.briefs import briefs
from crm_core.patients.deaths import record_death, take_death_back
from crm_core.patients.merging import merge_records, unmerge
from crm_core.patients.model import DraftContact, PatientDraft
from crm_core.patients.queries import patient
from crm_core.patients.saving import save_many
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind
from tests.channels.consent.said import point_of, queue, tasks
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import ANA, BO, Clinic
from tests.inbox.looking import outbox_rows
from tests.patients.people import phone

BILL = "How much is my bill?"


def of_ana(clinic: Clinic, *contacts: DraftContact, deceased: bool = False, by: Actor = SYSTEM) -> None:
    """What her hospital says of her now, as an import brings it."""
    draft = PatientDraft(
        given="Ana", family="Lopez", birth_date="1970-01-31", contacts=contacts, deceased=deceased,
        patient_id=clinic.patients["Ana"],
    )  # fmt: skip
    clinic.do(by, save_many, [draft])


def fates(clinic: Clinic) -> list[tuple[Delivery, str | None]]:
    return [(row["state"], row["failure"]) for row in outbox_rows(clinic.crm)]


def busy(clinic: Clinic) -> int:
    """Ana with an answer on its way, one planned, a reminder, one held, and two tasks; Bo with a reminder."""
    number = clinic.text(BILL).conversation_id
    assert number is not None
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", hold=timedelta(seconds=15))
    queue(clinic, "Ana", point_of(clinic, 0), "visit-1")
    queue(clinic, "Bo", point_of(clinic, 1), "visit-2")
    for kind in (TaskKind.CALL_BACK, TaskKind.CALL, TaskKind.REVIEW):
        task = NewTask(kind=kind, title="about Ana", patient_id=clinic.patients["Ana"], owner_id=clinic.agent.staff_id)
        clinic.do(clinic.agent, add_task, task)
    return number


@pytest.mark.parametrize("told_by", ["staff", "import"])
def test_a_death_cancels_at_once_what_was_to_reach_the_patient_and_nobody_else(
    clinic: Clinic, staff: StaffFactory, told_by: str
) -> None:
    number = busy(clinic)
    if told_by == "staff":
        clinic.do(clinic.agent, record_death, clinic.patients["Ana"], MONDAY - timedelta(days=1))
    else:
        of_ana(clinic, phone(ANA), deceased=True, by=staff(Role.ADMIN))
    stopped = (Delivery.SUPPRESSED, DIED)
    assert fates(clinic) == [stopped, stopped, (Delivery.QUEUED, None)]
    assert {(kind, state) for kind, state, _ in tasks(clinic)} == {
        ("call_back", "cancelled"),
        ("call", "cancelled"),
        ("delivery_failed", "cancelled"),
        ("review", "open"),
    }
    assert "has died" in str(clinic.now_at(number).next_action)
    clinic.crm.courier.run_once()
    assert fates(clinic)[2][0] is Delivery.SENT


def test_an_answer_planned_for_later_is_cancelled_by_a_death_too_whoever_imports_it(
    clinic: Clinic, staff: StaffFactory
) -> None:
    number = clinic.text(BILL).conversation_id
    later = MONDAY + timedelta(hours=3)
    clinic.do(clinic.agent, send_later, clinic.crm.gate, number, "It is 20 dollars.", at=later)
    of_ana(clinic, phone(ANA), deceased=True, by=staff(Role.ADMIN))
    assert fates(clinic) == [(Delivery.SUPPRESSED, DIED)]
    assert "has died" in str(clinic.now_at(number).next_action)


def test_a_death_that_staff_recorded_is_taken_back_by_staff_and_by_no_import(clinic: Clinic) -> None:
    ana = clinic.patients["Ana"]
    clinic.do(clinic.agent, record_death, ana, MONDAY - timedelta(days=1))
    of_ana(clinic, phone(ANA))
    seen = clinic.see(clinic.agent, patient, ana)
    assert (seen.deceased, seen.deceased_at) == (True, MONDAY - timedelta(days=1))
    with pytest.raises(UsageError, match="known to have died"):
        clinic.do(clinic.agent, record_death, ana)
    with pytest.raises(UsageError, match="not come yet"):
        clinic.do(clinic.agent, record_death, clinic.patients["Bo"], MONDAY + timedelta(days=1))
    clinic.do(clinic.agent, take_death_back, ana)
    assert not clinic.see(clinic.agent, patient, ana).deceased
    of_ana(clinic, phone(ANA), deceased=True)
    of_ana(clinic, phone(ANA))
    assert not clinic.see(clinic.agent, patient, ana).deceased


@pytest.mark.parametrize("gone", ["Ana", "Bo"])
def test_a_death_known_to_either_of_two_merged_records_stops_what_goes_to_the_one_patient(
    clinic: Clinic, gone: str
) -> None:
    kept = "Bo" if gone == "Ana" else "Ana"
    dead, who = clinic.patients["Ana"], clinic.patients[kept]
    clinic.do(clinic.agent, record_death, dead)
    queue(clinic, "Bo", point_of(clinic, 1), "visit-2")
    clinic.do(SYSTEM, merge_records, [(clinic.patients[gone], who)])
    assert fates(clinic) == [(Delivery.SUPPRESSED, DIED)]
    assert clinic.see(clinic.agent, patient, who).deceased
    assert clinic.see(clinic.agent, briefs, [who])[0].deceased
    with pytest.raises(NotSendable, match="deceased"):
        queue(clinic, kept, point_of(clinic, 1), "visit-3")
    with pytest.raises(UsageError, match="known to have died"):
        clinic.do(clinic.agent, record_death, who)
    clinic.do(SYSTEM, unmerge, clinic.patients[gone])
    assert clinic.see(clinic.agent, patient, dead).deceased
    assert not clinic.see(clinic.agent, patient, clinic.patients["Bo"]).deceased


def test_a_death_that_came_by_a_merged_record_is_taken_back_with_it(clinic: Clinic) -> None:
    ana, bo = clinic.patients["Ana"], clinic.patients["Bo"]
    clinic.do(clinic.agent, record_death, ana)
    clinic.do(SYSTEM, merge_records, [(ana, bo)])
    clinic.do(clinic.agent, take_death_back, bo)
    assert not clinic.see(clinic.agent, patient, bo).deceased


def test_what_is_queued_to_a_number_that_changed_is_stopped_and_a_task_says_so(clinic: Clinic) -> None:
    queue(clinic, "Ana", point_of(clinic, 0), "visit-1")
    of_ana(clinic, phone("+1 212 555 0199"))
    assert fates(clinic) == [(Delivery.SUPPRESSED, NOT_THEIRS)]
    assert tasks(clinic) == [("delivery_failed", "open", clinic.patients["Ana"])]
    of_ana(clinic, phone("+1 212 555 0199"))
    assert len(tasks(clinic)) == 1


def test_without_any_number_left_a_number_is_to_be_found_and_nobody_else_is_written_to(clinic: Clinic) -> None:
    point = point_of(clinic, 0)
    clinic.patient("Eva", "Lopez", ANA, "1009")
    queue(clinic, "Ana", point, "visit-1")
    queue(clinic, "Eva", point, "visit-9")
    of_ana(clinic)
    assert fates(clinic) == [(Delivery.SUPPRESSED, NOT_THEIRS), (Delivery.QUEUED, None)]
    assert tasks(clinic) == [("find_number", "open", clinic.patients["Ana"])]


def test_after_a_merge_one_patient_hears_of_one_occasion_once(clinic: Clinic) -> None:
    tomorrow = {"send_by": MONDAY + timedelta(days=1)}
    queue(clinic, "Ana", point_of(clinic, 0), "visit-1", **tomorrow)
    queue(clinic, "Bo", point_of(clinic, 1), "visit-2", **tomorrow)
    queue(clinic, "Bo", point_of(clinic, 1), "visit-3", send_by=MONDAY + timedelta(days=2))
    clinic.do(SYSTEM, merge_records, [(clinic.patients["Bo"], clinic.patients["Ana"])])
    assert fates(clinic) == [(Delivery.QUEUED, None), (Delivery.SUPPRESSED, TWICE), (Delivery.QUEUED, None)]
    assert clinic.text("thanks", BO).patient_id == clinic.patients["Ana"]
