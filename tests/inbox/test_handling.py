"""Passing on, putting off, ending: each with what the playbook asks for, and only in one's own lanes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.service import disable
from crm_core.errors import NotFound, NotPermitted, UsageError
from crm_core.inbox import alarms, handling, queries, take, thread
from crm_core.inbox.answering import answers, calls, drafts, filling, sending
from crm_core.inbox.model import State
from crm_core.words import Priority
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import Clinic
from tests.inbox.looking import audited, stored, tags, verbs

BILL = "How much is my bill?"
KNEE = "My knee is swollen and hurts since the surgery, what should I do?"
UNTIL = MONDAY + timedelta(days=3)


def taken(clinic: Clinic, text: str = BILL, by: Actor | None = None) -> int:
    """A conversation in that person's hands, the agent's by default."""
    clinic.text(text)
    number: int = clinic.do(by or clinic.agent, take.take_next)
    return number


def test_closing_needs_an_outcome_of_the_playbook_and_keeps_the_owner(clinic: Clinic) -> None:
    number = taken(clinic)
    with pytest.raises(UsageError, match="no_response"):
        clinic.do(clinic.agent, handling.close, number, outcome="done")
    clinic.do(clinic.agent, handling.close, number, outcome="resolved", words="sent the bill again")
    row = stored(clinic.crm, number)
    assert (row["state"], row["outcome"], row["closed_at"]) == (State.CLOSED, "resolved", MONDAY)
    assert (row["owner_id"], row["due_at"]) == (clinic.agent.staff_id, None)
    assert any("sent the bill again" in line for line in clinic.see(clinic.agent, thread.why_here, number))
    with pytest.raises(UsageError, match="closed"):
        clinic.do(clinic.agent, handling.close, number, outcome="resolved")


def test_moving_needs_a_reason_and_leaves_it_unowned_with_the_new_lanes_clock(clinic: Clinic) -> None:
    number = taken(clinic)
    with pytest.raises(UsageError, match="wrong_lane"):
        clinic.do(clinic.agent, handling.move, number, lane="scheduling", reason="bored")
    assert clinic.do(clinic.agent, handling.move, number, lane="scheduling", reason="wrong_lane")
    row = stored(clinic.crm, number)
    # Scheduling answers routine texts in four working hours, billing in eight.
    assert (row["lane"], row["owner_id"], row["due_at"]) == ("scheduling", None, MONDAY + timedelta(hours=4))


@pytest.mark.parametrize("lane", ["billing", "physician_review", "nowhere"])
def test_it_moves_neither_where_it_is_nor_to_physicians_nor_nowhere(clinic: Clinic, lane: str) -> None:
    number = taken(clinic)
    with pytest.raises((UsageError, NotFound)):
        clinic.do(clinic.agent, handling.move, number, lane=lane, reason="wrong_lane")


def test_the_third_transfer_between_two_lanes_is_refused_and_a_supervisor_has_it(clinic: Clinic) -> None:
    number = taken(clinic)
    moves = [
        clinic.do(clinic.agent, handling.move, number, lane=lane, reason="wrong_lane")
        for lane in ("records", "billing", "records")
    ]
    assert moves == [True, True, False]
    row = stored(clinic.crm, number)
    assert (row["lane"], row["owner_id"], row["priority"]) == ("billing", clinic.supervisor.staff_id, Priority.URGENT)
    assert clinic.do(clinic.agent, handling.move, number, lane="front_desk", reason="wrong_lane")


def test_a_transfer_that_was_undone_does_not_count(clinic: Clinic) -> None:
    from crm_core.inbox.undo import undo_last

    number = taken(clinic)
    for _ in range(3):
        assert clinic.do(clinic.agent, handling.move, number, lane="records", reason="wrong_lane")
        clinic.do(clinic.agent, undo_last)
    assert clinic.do(clinic.agent, handling.move, number, lane="records", reason="wrong_lane")


def test_only_a_nurse_puts_a_question_to_a_physician_and_only_with_words(clinic: Clinic, staff: StaffFactory) -> None:
    physician = staff(Role.PHYSICIAN)
    number = taken(clinic, KNEE, clinic.nurse)
    ask: dict[str, Any] = {"to": Role.PHYSICIAN, "reason": "clinical_judgement", "question": "MRI now?"}
    with pytest.raises(NotPermitted):
        clinic.do(clinic.agent, handling.escalate, number, **ask)
    with pytest.raises(UsageError):
        clinic.do(clinic.nurse, handling.escalate, number, **{**ask, "question": " "})
    with pytest.raises(NotFound):
        clinic.now_at(number, physician)
    clinic.do(clinic.nurse, handling.escalate, number, **ask)
    seen = clinic.now_at(number, physician)
    assert (seen.lane, seen.next_action, seen.owner) == ("physician_review", "MRI now?", None)
    assert clinic.do(physician, take.take_next) == number


def test_a_physicians_reply_is_the_nurses_conversation_again(clinic: Clinic, staff: StaffFactory) -> None:
    physician = staff(Role.PHYSICIAN)
    number = taken(clinic, KNEE, clinic.nurse)
    question = "MRI now?"
    clinic.do(
        clinic.nurse, handling.escalate, number, to=Role.PHYSICIAN, reason="clinical_judgement", question=question
    )
    clinic.do(physician, answers.reply, clinic.crm.gate, number, "Please come in tomorrow at 9.")
    row = stored(clinic.crm, number)
    assert (row["lane"], row["owner_id"], row["state"]) == (
        "clinical_triage",
        clinic.nurse.staff_id,
        State.WAITING_PATIENT,
    )


def test_escalating_to_a_supervisor_raises_it_and_gives_it_to_the_one_with_least_work(
    clinic: Clinic, staff: StaffFactory
) -> None:
    idle = staff(Role.SUPERVISOR)
    clinic.do(clinic.supervisor, take.claim, clinic.text("Are you open on Friday", "+1 646 555 0101").conversation_id)
    number = taken(clinic)
    clinic.do(clinic.agent, handling.escalate, number, to=Role.SUPERVISOR, reason="policy", question="Waive it?")
    row = stored(clinic.crm, number)
    assert (row["owner_id"], row["priority"], row["lane"]) == (idle.staff_id, Priority.URGENT, "billing")
    assert row["escalated_by"] == clinic.agent.staff_id
    with pytest.raises(UsageError):
        clinic.do(clinic.agent, handling.escalate, number, to=Role.ADMIN, reason="policy", question="?")


def test_it_is_assigned_only_to_someone_active_who_works_the_lane(clinic: Clinic, staff: StaffFactory) -> None:
    number = taken(clinic)
    other, narrow, gone = staff(Role.AGENT), staff(Role.AGENT, lanes=frozenset({"records"})), staff(Role.AGENT)
    with clinic.crm.write(SYSTEM) as unit:
        disable(unit, gone.staff_id)
    with pytest.raises(NotPermitted):
        clinic.do(clinic.agent, handling.assign, number, other.staff_id)
    for unfit in (clinic.nurse, narrow, gone):
        with pytest.raises(UsageError):
            clinic.do(clinic.supervisor, handling.assign, number, unfit.staff_id)
    with pytest.raises(NotFound):
        clinic.do(clinic.supervisor, handling.assign, number, 999_999)
    clinic.do(clinic.supervisor, handling.assign, number, other.staff_id)
    assert clinic.do(clinic.agent, take.take_next) is None
    assert clinic.do(other, take.take_next) == number


def test_what_another_has_in_hands_is_neither_claimed_nor_released(clinic: Clinic, staff: StaffFactory) -> None:
    number = taken(clinic)
    other = staff(Role.AGENT)
    with pytest.raises(take.InOtherHands):
        clinic.do(other, take.claim, number)
    with pytest.raises(take.NotYours):
        clinic.do(other, take.release, number)
    for person in (other, clinic.supervisor):
        with pytest.raises(take.InOtherHands):
            clinic.do(person, handling.assign, number, person.staff_id)
    assert stored(clinic.crm, number)["owner_id"] == clinic.agent.staff_id
    clinic.do(clinic.supervisor, take.release, number)
    clinic.do(other, take.claim, number)
    assert stored(clinic.crm, number)["owner_id"] == other.staff_id


def test_what_waits_for_the_patient_may_be_claimed_from_its_owner_and_keeps_its_follow_up(
    clinic: Clinic, staff: StaffFactory
) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, answers.reply, clinic.crm.gate, number, "It is 20 dollars.")
    other = staff(Role.AGENT)
    clinic.do(other, take.claim, number)
    seen = clinic.now_at(number)
    assert (seen.owner_id, seen.state, seen.clock) == (other.staff_id, State.OPEN, "follow up")


def test_skipping_needs_a_reason_of_the_playbook_and_hands_out_the_next(clinic: Clinic) -> None:
    first = taken(clinic)
    second = clinic.text("Are you open on Friday", "+1 646 555 0101").conversation_id
    with pytest.raises(UsageError, match="not_my_skill"):
        clinic.do(clinic.agent, take.release, first, reason="boring")
    clinic.do(clinic.agent, take.release, first, reason="not_my_skill")
    assert clinic.do(clinic.agent, take.take_next, skipped=[first, second]) is None
    assert clinic.do(clinic.agent, take.take_next, skipped=[first]) == second


def test_it_is_not_snoozed_into_the_past_and_stays_its_owners(clinic: Clinic) -> None:
    number = taken(clinic)
    with pytest.raises(UsageError):
        clinic.do(clinic.agent, handling.snooze, number, until=MONDAY)
    clinic.do(clinic.agent, handling.snooze, number, until=UNTIL)
    seen = clinic.now_at(number)
    assert (seen.state, seen.owner_id, seen.clock, seen.clock_at) == (
        State.SNOOZED,
        clinic.agent.staff_id,
        "snoozed until",
        UNTIL,
    )


def test_linking_goes_to_who_the_patient_is_now_and_only_once(clinic: Clinic) -> None:
    number = clinic.text(BILL, "+1 646 555 0188").conversation_id
    with pytest.raises(NotFound):
        clinic.do(clinic.agent, handling.link, number, 999_999)
    clinic.do(clinic.agent, handling.link, number, clinic.patients["Ana"])
    with pytest.raises(UsageError, match="already with"):
        clinic.do(clinic.agent, handling.link, number, clinic.patients["Bo"])
    clinic.do(clinic.agent, answers.reply, clinic.crm.gate, number, "It is 20 dollars.")
    assert clinic.text("thank you, paid", "+1 646 555 0188").patient_id == clinic.patients["Ana"]


WRITES: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    (take.claim, (), {}),
    (take.release, (), {}),
    (answers.reply, ("gate",), {"text": "x"}),
    (calls.log_call, (), {"outcome": "reached", "words": None}),
    (answers.note, (), {"text": "x"}),
    (handling.assign, (), {"staff_id": "me"}),
    (handling.move, (), {"lane": "billing", "reason": "wrong_lane"}),
    (handling.escalate, (), {"to": Role.SUPERVISOR, "reason": "policy", "question": "?"}),
    (handling.snooze, (), {"until": UNTIL}),
    (handling.close, (), {"outcome": "resolved"}),
    (handling.link, (), {"patient_id": 1}),
    (drafts.save_draft, (), {"body": "x"}),
]
READS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    (thread.conversation, (), {}),
    (thread.why_here, (), {}),
    (sending.composer_line, ("gate",), {}),
    (filling.offers, ("gate",), {}),
    (filling.filled, ("gate",), {"key": "other_received"}),
]


def denied(clinic: Clinic) -> int:
    """How many refusals the audit holds."""
    return tags(clinic.crm).count("access:call:denied")


def test_a_conversation_of_a_foreign_lane_is_not_found_by_any_verb_and_each_look_is_audited_once(
    clinic: Clinic, staff: StaffFactory
) -> None:
    clinic.text(BILL)
    number = clinic.text(KNEE, "+1 646 555 0101").conversation_id
    stranger = staff(Role.COORDINATOR)
    before = stored(clinic.crm, number)
    for verbs_, do in ((WRITES, clinic.do), (READS, clinic.see)):
        for function, first, more in verbs_:
            extra = {name: stranger.staff_id if value == "me" else value for name, value in more.items()}
            head = (clinic.crm.gate,) if first else ()
            for wanted in (number, 987_654):
                seen = denied(clinic)
                with pytest.raises(NotFound):
                    do(stranger, function, *head, wanted, **extra)
                assert denied(clinic) == seen + 1, function.__name__
    assert stored(clinic.crm, number) == before
    with pytest.raises(NotFound):
        clinic.see(stranger, queries.queue, "clinical_triage")


def test_each_change_leaves_a_step_and_an_audit_row_without_a_patients_word(clinic: Clinic) -> None:
    number = taken(clinic, "Xylophonist: how much is my bill?")
    question = "Quagmire asks: may we waive it?"
    clinic.do(clinic.agent, answers.note, number, "Zugzwang called before")
    clinic.do(clinic.agent, calls.log_call, number, outcome="voicemail", words="Abracadabra")
    clinic.do(clinic.agent, take.claim, number)
    clinic.do(clinic.agent, handling.escalate, number, to=Role.SUPERVISOR, reason="policy", question=question)
    clinic.do(clinic.supervisor, answers.reply, clinic.crm.gate, number, "Syzygy: it is waived.")
    clinic.text("Kerfuffle, thank you, and please confirm it")
    clinic.do(clinic.supervisor, handling.move, number, lane="records", reason="part_done", words="Flummox")
    clinic.do(clinic.agent, handling.snooze, number, until=UNTIL, action="Bamboozle them")
    clinic.do(clinic.agent, handling.close, number, outcome="resolved", words="Gobbledygook")
    clinic.text("I have chest pain, Lollygag")
    clinic.do(clinic.nurse, alarms.acknowledge, number)
    assert verbs(clinic.crm, number) == [
        "taken", "noted", "called", "taken", "escalated", "replied", "received", "moved", "snoozed", "closed",
        "reopened", "alarmed", "acknowledged",
    ]  # fmt: skip
    rows = audited(clinic.crm)
    told = {row["tag"] for row in rows}
    for verb in ("taken", "noted", "called", "escalated", "replied", "moved", "snoozed", "closed"):
        assert f"conversation:work:{verb}" in told
    assert {"conversation:alarm:raised", "conversation:alarm:acknowledged", "message:outbound:queued"} <= told
    secret = {
        *("xylophonist", "quagmire", "zugzwang", "abracadabra", "syzygy", "kerfuffle", "flummox", "bamboozle"),
        *("gobbledygook", "lollygag", "lopez", "ana"),
    }
    for row in rows:
        words = f"{row['why'] or ''} {row['ids']} {row['tag']}".casefold().replace("_", " ").split()
        assert not secret & set(words), row
