"""Escalating: it stays mine until somebody accepts it, and the conversation stays whole."""

from __future__ import annotations

from typing import Any

import pytest

from crm_core.access.model import Actor, Role
from crm_core.access.service import disable
from crm_core.errors import UsageError
from crm_core.inbox import handling, queries, take
from crm_core.inbox.answering import answers, calls, drafts
from crm_core.inbox.model import State
from crm_core.inbox.sharing import escalation
from crm_core.inbox.undo import undo_last
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import Clinic
from tests.inbox.looking import stored, verbs

BILL = "How much is my bill?"
KNEE = "My knee is swollen and hurts since the surgery, what should I do?"


def raised(clinic: Clinic, who: Actor) -> list[int]:
    """What that person has escalated and nobody has accepted."""
    return [one.conversation_id for one in clinic.see(who, escalation.escalated_by_me)]


def to_supervisor(clinic: Clinic, text: str = BILL) -> int:
    """A conversation that the agent took and escalated to a supervisor."""
    clinic.text(text)
    number: int = clinic.do(clinic.agent, take.take_next)
    clinic.do(clinic.agent, handling.escalate, number, to=Role.SUPERVISOR, reason="policy", question="Waive it?")
    return number


def test_it_is_mine_escalated_until_the_supervisor_takes_it(clinic: Clinic) -> None:
    number = to_supervisor(clinic)
    assert raised(clinic, clinic.agent) == [number]
    assert clinic.now_at(number, clinic.agent).escalated_by_me
    assert not clinic.now_at(number, clinic.supervisor).escalated_by_me
    (row,) = clinic.see(clinic.agent, queries.queue, "billing").items
    assert row.escalated_by_me
    clinic.do(clinic.supervisor, take.claim, number)
    assert raised(clinic, clinic.agent) == []
    assert not clinic.now_at(number, clinic.agent).escalated_by_me
    assert stored(clinic.crm, number)["accepted_at"] == MONDAY


@pytest.mark.parametrize("how", ["assigned", "answered"])
def test_being_assigned_it_or_answering_accepts_it_too(clinic: Clinic, how: str) -> None:
    number = to_supervisor(clinic)
    if how == "assigned":
        clinic.do(clinic.supervisor, handling.assign, number, clinic.supervisor.staff_id)
    else:
        clinic.do(clinic.supervisor, answers.reply, clinic.crm.gate, number, "It is waived.")
    assert raised(clinic, clinic.agent) == []


def test_taking_it_back_myself_accepts_nothing_and_ends_nothing_for_another(clinic: Clinic) -> None:
    number = to_supervisor(clinic)
    clinic.do(clinic.agent, take.claim, number)
    assert stored(clinic.crm, number)["accepted_at"] is None
    assert raised(clinic, clinic.agent) == []
    clinic.do(clinic.agent, undo_last)
    assert raised(clinic, clinic.agent) == [number]


def test_undoing_the_taking_undoes_the_accepting_and_a_second_escalation_waits_anew(clinic: Clinic) -> None:
    number = to_supervisor(clinic)
    clinic.do(clinic.supervisor, take.claim, number)
    clinic.do(clinic.supervisor, undo_last)
    assert raised(clinic, clinic.agent) == [number]
    clinic.do(clinic.supervisor, take.claim, number)
    clinic.do(
        clinic.supervisor, handling.escalate, number, to=Role.NURSE, reason="clinical_judgement", question="Is it safe?"
    )
    assert (raised(clinic, clinic.agent), raised(clinic, clinic.supervisor)) == ([], [number])
    clinic.do(clinic.nurse, take.take_next)
    assert raised(clinic, clinic.supervisor) == []


def test_a_nurses_question_is_hers_until_a_physician_takes_it_even_from_a_lane_she_does_not_see(
    clinic: Clinic, staff: StaffFactory
) -> None:
    nurse = staff(Role.NURSE, name="nora", lanes=frozenset({"clinical_triage"}))
    physician = staff(Role.PHYSICIAN)
    clinic.text(KNEE)
    number: int = clinic.do(nurse, take.take_next)
    ask = {"to": Role.PHYSICIAN, "reason": "clinical_judgement", "question": "MRI now?"}
    clinic.do(nurse, handling.escalate, number, **ask)
    (waits,) = clinic.see(nurse, escalation.escalated_by_me)
    assert (waits.lane, waits.may_open, waits.owner) == ("physician_review", False, None)
    clinic.do(physician, take.take_next)
    assert raised(clinic, nurse) == []


def test_thread_notes_and_drafts_stay_whole_on_escalation(clinic: Clinic) -> None:
    clinic.text(BILL)
    number: int = clinic.do(clinic.agent, take.take_next)
    clinic.do(clinic.agent, answers.note, number, "She pays in two parts")
    clinic.do(clinic.agent, drafts.save_draft, number, "Dear Ana")
    before = clinic.now_at(number, clinic.agent).messages
    clinic.do(clinic.agent, handling.escalate, number, to=Role.SUPERVISOR, reason="policy", question="Waive it?")
    assert clinic.now_at(number, clinic.supervisor).messages == before
    kept = clinic.see(clinic.agent, drafts.my_draft, number)
    assert kept is not None and str(kept.body) == "Dear Ana"
    assert clinic.see(clinic.supervisor, drafts.my_draft, number) is None
    joined = clinic.text("And please tell me when it is due")
    assert joined.conversation_id == number
    assert verbs(clinic.crm, number)[-2:] == ["escalated", "received"]


ASK: dict[str, Any] = {"to": Role.PHYSICIAN, "reason": "clinical_judgement", "question": "MRI now?"}


def asked(clinic: Clinic, nurse: Actor | None = None) -> int:
    """A question that the nurse has put to a physician."""
    clinic.text(KNEE)
    number: int = clinic.do(nurse or clinic.nurse, take.take_next)
    clinic.do(nurse or clinic.nurse, handling.escalate, number, **ASK)
    return number


def lies(clinic: Clinic, number: int) -> tuple[object, ...]:
    row = stored(clinic.crm, number)
    return row["lane"], row["owner_id"], row["state"]


def test_a_question_to_physicians_is_handed_to_physicians_only(clinic: Clinic, staff: StaffFactory) -> None:
    physician, number = staff(Role.PHYSICIAN), asked(clinic)
    for actor in (clinic.nurse, clinic.supervisor):
        assert clinic.do(actor, take.take_next) is None
        with pytest.raises(UsageError, match="Physicians take"):
            clinic.do(actor, take.take_next, "physician_review")
        with pytest.raises(escalation.ForPhysicians):
            clinic.do(actor, take.claim, number)
        with pytest.raises(escalation.ForPhysicians):
            clinic.do(actor, handling.assign, number, actor.staff_id)
        with pytest.raises(escalation.ForPhysicians):
            clinic.do(actor, handling.snooze, number)
    clinic.do(clinic.supervisor, handling.assign, number, physician.staff_id)
    assert clinic.do(physician, take.take_next) == number


def test_a_question_is_taken_back_to_triage_as_often_as_asked_and_goes_nowhere_else(clinic: Clinic) -> None:
    number = asked(clinic)
    for _ in range(4):
        with pytest.raises(UsageError, match="clinical_triage first"):
            clinic.do(clinic.supervisor, handling.move, number, lane="billing", reason="wrong_lane")
        assert clinic.do(clinic.supervisor, handling.move, number, lane="clinical_triage", reason="wrong_lane")
        assert lies(clinic, number) == ("clinical_triage", clinic.nurse.staff_id, State.OPEN)
        clinic.do(clinic.nurse, handling.escalate, number, **ASK)


@pytest.mark.parametrize("who", ["nurse", "supervisor", "physician"])
@pytest.mark.parametrize("how", ["answer", "call", "missed"])
def test_what_is_answered_while_physicians_have_it_is_the_nurses_again(
    clinic: Clinic, staff: StaffFactory, who: str, how: str
) -> None:
    number = asked(clinic)
    actor = {"nurse": clinic.nurse, "supervisor": clinic.supervisor, "physician": staff(Role.PHYSICIAN)}[who]
    if how == "answer":
        clinic.do(actor, answers.reply, clinic.crm.gate, number, "Please rest the knee.")
    else:
        outcome = "reached" if how == "call" else "no_answer"
        clinic.do(actor, calls.log_call, number, outcome=outcome, words=None)
    if how == "missed" and who == "physician":
        assert lies(clinic, number) == ("physician_review", actor.staff_id, State.WAITING_OTHER)
        return
    state = State.WAITING_OTHER if how == "missed" else State.WAITING_PATIENT
    assert lies(clinic, number) == ("clinical_triage", clinic.nurse.staff_id, state)


def test_what_a_physician_passes_to_a_nurse_is_hers_who_asked(clinic: Clinic, staff: StaffFactory) -> None:
    physician, number = staff(Role.PHYSICIAN), asked(clinic)
    staff(Role.NURSE)
    clinic.do(physician, take.take_next)
    ask = {**ASK, "to": Role.NURSE, "question": "Tell her yes"}
    clinic.do(physician, handling.escalate, number, **ask)
    assert lies(clinic, number) == ("clinical_triage", clinic.nurse.staff_id, State.OPEN)
    assert clinic.now_at(number).next_action == "Tell her yes"
    assert clinic.do(clinic.nurse, take.take_next) == number


def test_what_a_physician_passes_to_a_supervisor_lies_where_supervisors_work(
    clinic: Clinic, staff: StaffFactory
) -> None:
    physician, number = staff(Role.PHYSICIAN), asked(clinic)
    clinic.do(physician, handling.escalate, number, **{**ASK, "to": Role.SUPERVISOR})
    assert lies(clinic, number) == ("clinical_triage", clinic.supervisor.staff_id, State.OPEN)
    assert clinic.do(clinic.supervisor, take.take_next) == number


@pytest.mark.parametrize("how", ["note", "nurse", "move"])
def test_an_answer_for_a_nurse_who_is_gone_is_handed_to_somebody(clinic: Clinic, staff: StaffFactory, how: str) -> None:
    gone, physician = staff(Role.NURSE), staff(Role.PHYSICIAN)
    number = asked(clinic, gone)
    clinic.do(staff(Role.ADMIN), disable, gone.staff_id)
    if how == "note":
        clinic.do(physician, answers.note, number, "Yes, 400 mg.")
    elif how == "nurse":
        clinic.do(physician, handling.escalate, number, **{**ASK, "to": Role.NURSE})
    else:
        clinic.do(physician, handling.move, number, lane="clinical_triage", reason="wrong_lane")
    assert lies(clinic, number) == ("clinical_triage", None, State.OPEN)
    assert clinic.do(clinic.nurse, take.take_next) == number


def test_a_physicians_note_on_what_is_closed_opens_nothing(clinic: Clinic, staff: StaffFactory) -> None:
    physician, number = staff(Role.PHYSICIAN), asked(clinic)
    clinic.do(physician, handling.close, number, outcome="resolved")
    clinic.do(physician, answers.note, number, "For the record.")
    assert stored(clinic.crm, number)["state"] is State.CLOSED
