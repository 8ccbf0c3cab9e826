"""Undo: what can be put back, once, and what is then left (domain.md, Two at one desk; Wrong patient)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.channels.model import Delivery
from crm_core.inbox.answering.answers import note, reply
from crm_core.inbox.answering.drafts import my_draft
from crm_core.inbox.handling import assign, close, link, move, snooze
from crm_core.inbox.model import State, Verb
from crm_core.inbox.take import take_next
from crm_core.inbox.undo import NothingToUndo, TooLate, undo_last
from crm_core.patients.queries import identity
from tests.conftest import MONDAY
from tests.inbox.conftest import ANA, Clinic
from tests.inbox.looking import outbox_rows, stored, tags, verbs

BILL = "How much is my bill?"
HOLD = timedelta(seconds=15)
_MAY_DIFFER = {"version"}


def taken(clinic: Clinic) -> int:
    """A conversation in the agent's hands."""
    clinic.text(BILL)
    number: int = clinic.do(clinic.agent, take_next)
    return number


def without_version(clinic: Clinic, number: int) -> dict[str, object]:
    """The stored columns beside the version."""
    return {name: value for name, value in stored(clinic.crm, number).items() if name not in _MAY_DIFFER}


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        (snooze, {"until": MONDAY + timedelta(days=3)}),
        (move, {"lane": "records", "reason": "wrong_lane"}),
        (close, {"outcome": "resolved", "words": "paid"}),
    ],
)
def test_a_verb_is_put_back_to_the_column(clinic: Clinic, verb, more: dict[str, object]) -> None:  # type: ignore[no-untyped-def]
    number = taken(clinic)
    before = without_version(clinic, number)
    clinic.do(clinic.agent, verb, number, **more)
    assert without_version(clinic, number) != before
    assert clinic.do(clinic.agent, undo_last)[0] == number
    assert without_version(clinic, number) == before
    assert verbs(clinic.crm, number)[-1] == "undone"
    assert "conversation:work:undone" in tags(clinic.crm)


def test_undo_goes_back_step_by_step_and_ends(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, assign, number, clinic.agent.staff_id)
    clinic.do(clinic.agent, snooze, number, until=MONDAY + timedelta(days=3))
    undone = [clinic.do(clinic.agent, undo_last)[1] for _ in range(3)]
    assert undone == [Verb.SNOOZED, Verb.ASSIGNED, Verb.TAKEN]
    row = stored(clinic.crm, number)
    assert (row["state"], row["owner_id"]) == (State.NEW, None)
    with pytest.raises(NothingToUndo):
        clinic.do(clinic.agent, undo_last)


def test_nobody_undoes_what_another_did(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, close, number, outcome="resolved")
    with pytest.raises(NothingToUndo):
        clinic.do(clinic.supervisor, undo_last, number)


def test_what_someone_has_changed_since_is_not_put_back(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, snooze, number, until=MONDAY + timedelta(days=3))
    clinic.text("I have chest pain")
    with pytest.raises(TooLate):
        clinic.do(clinic.agent, undo_last, number)
    assert stored(clinic.crm, number)["danger"]


def test_a_held_text_is_taken_back_once_and_is_a_draft_again(clinic: Clinic) -> None:
    number = taken(clinic)
    before = stored(clinic.crm, number)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", hold=HOLD)
    clinic.at(MONDAY + timedelta(seconds=14))
    assert clinic.do(clinic.agent, undo_last) == (number, Verb.REPLIED)
    assert [row["state"] for row in outbox_rows(clinic.crm)] == [Delivery.TAKEN_BACK]
    after = stored(clinic.crm, number)
    for name in ("state", "due_at", "first_response_at", "owner_id", "next_action_sealed"):
        assert after[name] == before[name], name
    draft = clinic.see(clinic.agent, my_draft, number)
    assert draft is not None
    assert (draft.body, draft.internal) == ("It is 20 dollars.", False)
    clinic.at(MONDAY + timedelta(hours=1))
    assert clinic.crm.courier.run_once().sent == 0


def test_after_the_hold_it_has_left(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", hold=HOLD)
    clinic.at(MONDAY + HOLD)
    with pytest.raises(TooLate, match="has left"):
        clinic.do(clinic.agent, undo_last)
    assert clinic.crm.courier.run_once().sent == 1


def test_a_held_text_can_be_taken_back_though_a_note_was_added_meanwhile(clinic: Clinic) -> None:
    number = taken(clinic)
    due = stored(clinic.crm, number)["due_at"]
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", hold=HOLD)
    clinic.do(clinic.agent, note, number, "wrong sum?")
    clinic.do(clinic.agent, undo_last)
    row = stored(clinic.crm, number)
    assert (row["state"], row["due_at"]) == (State.OPEN, due)


def test_a_held_text_can_be_taken_back_though_the_patient_wrote_and_the_first_question_is_owed_again(
    clinic: Clinic,
) -> None:
    number = taken(clinic)
    asked = stored(clinic.crm, number)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", hold=HOLD)
    clinic.at(MONDAY + timedelta(seconds=5))
    clinic.text("is it 20?")
    clinic.do(clinic.agent, undo_last)
    row = stored(clinic.crm, number)
    assert [each["state"] for each in outbox_rows(clinic.crm)] == [Delivery.TAKEN_BACK]
    for name in ("state", "due_at", "due_clock", "waiting_since", "first_response_at"):
        assert row[name] == asked[name], name


def test_closing_after_a_reply_is_undone_first_and_the_reply_next(clinic: Clinic) -> None:
    number = taken(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", hold=HOLD)
    clinic.do(clinic.agent, close, number, outcome="resolved")
    assert clinic.do(clinic.agent, undo_last)[1] is Verb.CLOSED
    assert clinic.do(clinic.agent, undo_last)[1] is Verb.REPLIED
    assert stored(clinic.crm, number)["state"] is State.OPEN


def points_of(clinic: Clinic, name: str) -> set[int]:
    """The contact points on a patient's record."""
    seen = clinic.see(clinic.agent, identity, clinic.patients[name])
    return {contact.contact_point_id for contact in seen.contacts}


def test_undoing_a_link_takes_the_number_from_the_patient_again(clinic: Clinic) -> None:
    number = clinic.text(BILL, "+1 646 555 0188").conversation_id
    before = points_of(clinic, "Ana")
    clinic.do(clinic.agent, link, number, clinic.patients["Ana"])
    assert len(points_of(clinic, "Ana")) == len(before) + 1
    clinic.do(clinic.agent, undo_last)
    assert points_of(clinic, "Ana") == before
    assert clinic.now_at(number).patient_id is None
    assert clinic.text("hello again", "+1 646 555 0188").patient_id is None


def test_undoing_a_link_leaves_a_number_that_the_patient_had_before(clinic: Clinic) -> None:
    clinic.patient("Cy", "Lopez", ANA, "1003")
    number = clinic.text("Can I have an appointment?").conversation_id
    before = points_of(clinic, "Ana")
    clinic.do(clinic.agent, link, number, clinic.patients["Ana"])
    clinic.do(clinic.agent, undo_last)
    assert points_of(clinic, "Ana") == before


def test_an_undone_close_of_something_unscreened_is_unscreened_again(clinic: Clinic) -> None:
    number = clinic.text("", attachments=1).conversation_id
    clinic.do(clinic.agent, take_next)
    clinic.do(clinic.agent, close, number, outcome="resolved")
    clinic.do(clinic.agent, undo_last)
    row = stored(clinic.crm, number)
    assert (row["unscreened"], row["urgency"]) == (True, 1)
