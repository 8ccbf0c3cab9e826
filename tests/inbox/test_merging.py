"""Merging two conversations of one person, and what else is open of theirs (issue 3, Threads)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import Role
from crm_core.errors import NotFound, UsageError
from crm_core.inbox.alarms import acknowledge
from crm_core.inbox.answering.answers import SomethingNewer, note, reply
from crm_core.inbox.answering.drafts import my_draft, save_draft
from crm_core.inbox.answering.scheduling import send_later, send_no_more
from crm_core.inbox.classifying import classify
from crm_core.inbox.handling import close, escalate, link
from crm_core.inbox.model import State, Verb
from crm_core.inbox.record import HeldForClinicians, resolved
from crm_core.inbox.sharing.escalation import escalated_by_me
from crm_core.inbox.take import claim
from crm_core.inbox.threads.duplicates import duplicates
from crm_core.inbox.threads.merging import (
    GoesLater,
    NotTheSamePerson,
    WithAPhysician,
    merge,
)
from crm_core.inbox.threads.splitting import split
from crm_core.inbox.timing.clock_ledger import clock_ledgers
from crm_core.inbox.undo import TooLate, undo_last
from crm_core.words import Channel, Priority
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import alarm_rows, audited, conversations, messages, stored, tags, verbs

BILL = "How much is my bill?"
VISIT = "I need to move my visit on Thursday"
STRANGER = "+1 646 555 0177"
_MAY_DIFFER = {"version"}


def two_of_ana(clinic: Clinic, second: str = VISIT) -> tuple[int, int]:
    """Ana's two open conversations, the second an hour after the first, from a number that was nobody's."""
    first = clinic.text(BILL).conversation_id
    clinic.at(MONDAY + timedelta(hours=1))
    other = clinic.text(second, STRANGER).conversation_id
    assert first is not None
    assert other is not None
    clinic.do(clinic.agent if not second.startswith("I have") else clinic.nurse, link, other, clinic.patients["Ana"])
    return first, other


def without_version(clinic: Clinic, number: int) -> dict[str, object]:
    return {name: value for name, value in stored(clinic.crm, number).items() if name not in _MAY_DIFFER}


def bodies(clinic: Clinic, number: int) -> list[str]:
    return [str(message.body) for message in clinic.now_at(number).messages]


def test_what_is_merged_lies_in_the_one_that_is_kept_and_the_other_is_its_duplicate(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, note, other, "She also called.")
    clinic.do(clinic.agent, merge, kept, other)
    assert bodies(clinic, kept) == [BILL, VISIT, "She also called."]
    assert bodies(clinic, other) == []
    row = stored(clinic.crm, other)
    assert (row["state"], row["outcome"], row["merged_into_id"]) == (State.CLOSED, "duplicate", kept)
    assert (row["closed_at"], row["due_at"]) == (MONDAY + timedelta(hours=1), None)
    assert clinic.see(clinic.agent, resolved, other) == kept
    assert clinic.see(clinic.agent, resolved, kept) == kept
    assert verbs(clinic.crm, kept)[-1] == verbs(clinic.crm, other)[-1] == "merged"
    assert tags(clinic.crm).count("conversation:thread:merged") == 2


@pytest.mark.parametrize("earlier_is_kept", [True, False])
def test_the_kept_one_waits_since_the_earlier_text_and_is_as_urgent_as_either(
    clinic: Clinic, earlier_is_kept: bool
) -> None:
    first, second = two_of_ana(clinic)
    clinic.do(clinic.agent, classify, second, priority=Priority.URGENT)
    kept, other = (first, second) if earlier_is_kept else (second, first)
    clinic.do(clinic.agent, merge, kept, other)
    row = stored(clinic.crm, kept)
    assert (row["waiting_since"], row["priority"], row["urgency"]) == (MONDAY, Priority.URGENT, 3)
    urgent = clinic.crm.units.shared["inbox.rules"].targets(row["lane"], Priority.URGENT).first_response
    assert row["due_at"] == MONDAY + urgent


def test_a_conversation_that_waits_is_open_again_where_the_other_was_not_answered(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, kept, "It is 20 dollars.")
    clinic.do(clinic.agent, merge, kept, other)
    row = stored(clinic.crm, kept)
    assert (row["state"], row["waiting_since"], row["owner_id"]) == (
        State.OPEN,
        MONDAY + timedelta(hours=1),
        clinic.agent.staff_id,
    )
    assert row["due_at"] is not None


def test_what_was_answered_already_waits_on(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    for number in (kept, other):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "We will tell you today.")
    clinic.do(clinic.agent, merge, kept, other)
    assert stored(clinic.crm, kept)["state"] is State.WAITING_PATIENT


def test_undo_puts_back_exactly_what_was_moved(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, note, other, "She also called.")
    before = {number: (without_version(clinic, number), bodies(clinic, number)) for number in (kept, other)}
    clinic.do(clinic.agent, merge, kept, other)
    assert clinic.do(clinic.agent, undo_last) == (kept, Verb.MERGED)
    after = {number: (without_version(clinic, number), bodies(clinic, number)) for number in (kept, other)}
    assert after == before
    assert clinic.see(clinic.agent, resolved, other) == other


@pytest.mark.parametrize("where", ["kept", "other"])
def test_undo_is_refused_once_something_newer_happened(clinic: Clinic, where: str) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, merge, kept, other)
    clinic.do(clinic.agent, note, kept if where == "kept" else other, "newer")
    with pytest.raises(TooLate, match="something else happened"):
        clinic.do(clinic.agent, undo_last, kept)
    assert clinic.see(clinic.agent, resolved, other) == kept


def test_unlinked_ones_of_one_number_are_merged_and_of_two_numbers_are_not(clinic: Clinic) -> None:
    clinic.patient("Cy", "Lopez", "+1 212 555 0101", "1003")
    shared = clinic.text("Can I have an appointment?").conversation_id
    foreign = clinic.text(VISIT, STRANGER).conversation_id
    with pytest.raises(NotTheSamePerson):
        clinic.do(clinic.agent, merge, shared, foreign)
    clinic.do(clinic.agent, link, shared, clinic.patients["Ana"])
    again = clinic.text("Another thing about the form").conversation_id
    with pytest.raises(NotTheSamePerson):
        clinic.do(clinic.agent, merge, again, shared)
    clinic.do(clinic.agent, undo_last, shared)
    clinic.do(clinic.agent, merge, again, shared)
    assert stored(clinic.crm, shared)["merged_into_id"] == again


def test_two_patients_are_never_merged_and_nothing_changes(clinic: Clinic) -> None:
    ana, bo = clinic.text(BILL).conversation_id, clinic.text(VISIT, BO).conversation_id
    before = conversations(clinic.crm)
    with pytest.raises(NotTheSamePerson, match="not known to be one person's"):
        clinic.do(clinic.agent, merge, ana, bo)
    with pytest.raises(UsageError, match="into itself"):
        clinic.do(clinic.agent, merge, ana, ana)
    assert conversations(clinic.crm) == before


def test_what_was_merged_is_merged_no_more_and_worked_on_no_more(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, merge, kept, other)
    for verb, arguments in ((merge, (kept, other)), (claim, (other,)), (merge, (other, kept))):
        with pytest.raises(UsageError, match=f"C-{other} was merged into C-{kept}"):
            clinic.do(clinic.agent, verb, *arguments)


def test_a_danger_is_merged_by_a_clinician_after_it_was_acknowledged_and_stays_in_triage(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic, "I have chest pain")
    clinic.do(clinic.nurse, acknowledge, other)
    with pytest.raises(HeldForClinicians):
        clinic.do(clinic.agent, merge, kept, other)
    supervisor = clinic.supervisor
    both = supervisor.with_roles(supervisor.staff_id, "Sup", frozenset({Role.SUPERVISOR, Role.NURSE}))
    clinic.do(both, merge, kept, other)
    row = stored(clinic.crm, kept)
    assert (row["lane"], row["priority"], row["owner_id"]) == ("clinical_triage", Priority.STAT, None)
    assert [alarm["conversation_id"] for alarm in alarm_rows(clinic.crm)] == [kept]
    clinic.do(both, undo_last, kept)
    assert [alarm["conversation_id"] for alarm in alarm_rows(clinic.crm)] == [other]


def test_what_a_physician_is_asked_is_not_merged(clinic: Clinic, staff: StaffFactory) -> None:
    kept, other = two_of_ana(clinic, "My knee is swollen and hurts since the surgery, what should I do?")
    both = staff(Role.NURSE, Role.SUPERVISOR)
    clinic.do(both, escalate, other, to=Role.PHYSICIAN, reason="clinical_judgement", question="Ibuprofen?")
    with pytest.raises(WithAPhysician):
        clinic.do(both, merge, kept, other)


def test_a_conversation_of_a_foreign_lane_is_not_found(clinic: Clinic, staff: StaffFactory) -> None:
    kept, other = two_of_ana(clinic)
    with pytest.raises(NotFound):
        clinic.do(staff(Role.COORDINATOR), merge, kept, other)


def test_the_next_text_joins_the_one_that_was_kept_even_after_it_was_closed(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, merge, kept, other)
    clinic.do(clinic.agent, close, kept, outcome="resolved")
    clinic.at(MONDAY + timedelta(hours=2))
    assert clinic.text("and the bill is still wrong", STRANGER).conversation_id == kept
    assert stored(clinic.crm, other)["state"] is State.CLOSED


def test_an_answer_still_held_goes_with_its_conversation(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, kept, "It is 20 dollars.", hold=timedelta(seconds=15))
    clinic.do(clinic.agent, merge, other, kept)
    clinic.at(MONDAY + timedelta(hours=2))
    assert clinic.crm.courier.run_once().sent == 1
    assert {message["conversation_id"] for message in messages(clinic.crm)} == {other}


def test_each_author_finds_their_own_draft_in_the_kept_one_and_no_other(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, save_draft, other, "begun in the other")
    clinic.do(clinic.supervisor, save_draft, kept, "begun in the kept")
    clinic.do(clinic.agent, merge, kept, other)
    mine, hers = (clinic.see(who, my_draft, kept) for who in (clinic.agent, clinic.supervisor))
    assert (mine.body, hers.body) == ("begun in the other", "begun in the kept")
    clinic.do(clinic.agent, save_draft, kept, "gone on with")
    clinic.do(clinic.agent, reply, clinic.crm.gate, kept, "gone on with")
    assert clinic.see(clinic.agent, my_draft, kept) is None


def test_of_two_drafts_of_one_author_the_second_comes_up_once_the_first_is_sent(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    for number, text in ((kept, "about the bill"), (other, "about the visit")):
        clinic.do(clinic.agent, save_draft, number, text)
    clinic.do(clinic.agent, merge, kept, other)
    assert clinic.see(clinic.agent, my_draft, kept).body == "about the bill"
    clinic.do(clinic.agent, reply, clinic.crm.gate, kept, "about the bill")
    assert clinic.see(clinic.agent, my_draft, kept).body == "about the visit"
    clinic.do(clinic.agent, save_draft, kept, "")
    assert clinic.see(clinic.agent, my_draft, kept) is None


def test_what_else_is_open_of_the_same_patient_is_listed_without_opening_a_word(clinic: Clinic) -> None:
    first, second = two_of_ana(clinic)
    clinic.text(VISIT, BO)
    opened = len(audited(clinic.crm))
    (found,) = clinic.see(clinic.agent, duplicates, first)
    assert (found.conversation_id, found.lane_title, found.same_person, found.same_text) == (
        second,
        "Scheduling",
        True,
        False,
    )
    assert len(audited(clinic.crm)) == opened
    clinic.do(clinic.agent, merge, first, second)
    assert clinic.see(clinic.agent, duplicates, first) == []


@pytest.mark.parametrize(("minutes", "found"), [(60, True), (61, False)])
def test_the_same_text_by_two_channels_within_an_hour_is_told(clinic: Clinic, minutes: int, found: bool) -> None:
    first = clinic.text("Please send me the form for school, thank you").conversation_id
    clinic.at(MONDAY + timedelta(minutes=minutes))
    mail = "please send me the form for school -- Thank you!"
    second = clinic.text(mail, "mother@example.org", channel=Channel.EMAIL).conversation_id
    third = clinic.text("Please send me a form, will you be so kind", STRANGER).conversation_id
    told = [
        (each.conversation_id, each.same_person, each.same_text) for each in clinic.see(clinic.agent, duplicates, first)
    ]
    assert told == ([(second, False, True)] if found else [])
    assert clinic.see(clinic.agent, duplicates, third) == []
    with pytest.raises(NotTheSamePerson):
        clinic.do(clinic.agent, merge, first, second)


def test_a_short_text_is_no_sign_of_one_person(clinic: Clinic) -> None:
    first = clinic.text("Please call me").conversation_id
    clinic.text("Please call me", "someone@example.org", channel=Channel.EMAIL)
    assert clinic.see(clinic.agent, duplicates, first) == []
    assert [message["text_token"] for message in messages(clinic.crm)] == [None, None]


def test_what_lies_in_a_lane_that_is_not_mine_is_not_listed(clinic: Clinic, staff: StaffFactory) -> None:
    first, second = two_of_ana(clinic)
    only_billing = staff(Role.AGENT, lanes=frozenset({stored(clinic.crm, first)["lane"]}))
    assert clinic.see(only_billing, duplicates, first) == []
    assert [each.conversation_id for each in clinic.see(clinic.agent, duplicates, first)] == [second]


def test_what_nobody_could_screen_is_nobodys_and_at_the_top_wherever_it_is_merged_into(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic, "Hallo, ich habe seit gestern furchtbare Schmerzen und bekomme keine Luft")
    clinic.do(clinic.agent, claim, kept)
    before = without_version(clinic, kept)
    clinic.do(clinic.agent, merge, kept, other)
    row = stored(clinic.crm, kept)
    assert (row["lane"], row["priority"], row["urgency"]) == ("front_desk", Priority.ASAP, 1)
    assert (row["unscreened"], row["owner_id"], row["taken_at"]) == (True, None, None)
    assert clinic.now_at(kept).next_action == "Read it now: it could not be screened for danger"
    clinic.do(clinic.agent, undo_last, kept)
    assert without_version(clinic, kept) == before


def test_nothing_is_merged_while_an_answer_is_set_to_go_later_in_either(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    later = MONDAY + timedelta(days=1)
    for waiting in (kept, other):
        clinic.do(clinic.agent, send_later, clinic.crm.gate, waiting, "We will see.", at=later)
        with pytest.raises(GoesLater, match=f"set to go later in C-{waiting}"):
            clinic.do(clinic.agent, merge, kept, other)
        clinic.do(clinic.agent, send_no_more, waiting)
    clinic.do(clinic.agent, merge, kept, other)


def test_what_was_merged_in_since_the_author_looked_refuses_the_answer(clinic: Clinic) -> None:
    first, second = two_of_ana(clinic)
    seen = clinic.now_at(second).newest_message_id
    clinic.do(clinic.supervisor, merge, second, first)
    with pytest.raises(SomethingNewer):
        clinic.do(clinic.agent, reply, clinic.crm.gate, second, "Thursday it is.", seen_message_id=seen)
    both = clinic.now_at(second).newest_message_id
    clinic.do(clinic.supervisor, undo_last, second)
    with pytest.raises(SomethingNewer):
        clinic.do(clinic.agent, reply, clinic.crm.gate, second, "Both.", seen_message_id=both)
    clinic.do(clinic.supervisor, merge, second, first)
    read = clinic.now_at(second).newest_message_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, second, "20 dollars, Thursday.", seen_message_id=read)
    clinic.at(MONDAY + timedelta(hours=2))
    clinic.text("thank you, and when?", STRANGER)
    with pytest.raises(SomethingNewer):
        clinic.do(clinic.agent, reply, clinic.crm.gate, second, "At three.", seen_message_id=read)


ANGRY = {"to": Role.SUPERVISOR, "reason": "policy", "question": "She is angry, please call her"}


def test_what_the_other_was_escalated_for_is_still_asked_of_whom_it_was_asked(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, claim, kept)
    clinic.do(clinic.agent, escalate, other, **ANGRY)
    before = without_version(clinic, kept)
    clinic.do(clinic.agent, merge, kept, other)
    row = stored(clinic.crm, kept)
    assert (row["escalated_by"], row["accepted_at"]) == (clinic.agent.staff_id, None)
    assert (row["owner_id"], row["priority"], row["state"]) == (
        clinic.supervisor.staff_id, Priority.URGENT, State.OPEN,
    )  # fmt: skip
    assert clinic.now_at(kept).next_action == "She is angry, please call her"
    assert [each.conversation_id for each in clinic.see(clinic.agent, escalated_by_me)] == [kept]
    clinic.do(clinic.agent, undo_last, kept)
    assert without_version(clinic, kept) == before


def test_an_escalation_of_the_kept_ones_own_goes_first_and_one_that_waits_is_open_again(clinic: Clinic) -> None:
    kept, other = two_of_ana(clinic)
    clinic.do(clinic.agent, escalate, kept, **ANGRY)
    clinic.do(clinic.agent, escalate, other, **{**ANGRY, "question": "May she come later?"})
    clinic.do(clinic.agent, merge, kept, other)
    assert clinic.now_at(kept).next_action == "She is angry, please call her"
    third = clinic.text("I have one more question about the form", BO).conversation_id
    clinic.at(MONDAY + timedelta(hours=2))
    visit = clinic.text(VISIT, BO).message_id
    fourth = clinic.do(clinic.agent, split, third, message_ids=[visit])
    clinic.do(clinic.agent, reply, clinic.crm.gate, third, "Which form?")
    clinic.do(clinic.agent, reply, clinic.crm.gate, fourth, "We will see.")
    clinic.do(clinic.agent, escalate, fourth, **ANGRY)
    clinic.do(clinic.agent, merge, third, fourth)
    row = stored(clinic.crm, third)
    assert (row["state"], row["owner_id"], row["follow_up_at"]) == (State.OPEN, clinic.supervisor.staff_id, None)
    assert row["due_at"] is not None


def test_the_kept_one_is_to_be_resolved_by_when_the_older_was(clinic: Clinic) -> None:
    older, newer = two_of_ana(clinic)
    clinic.do(clinic.agent, reply, clinic.crm.gate, older, "It is 20 dollars.")
    before = without_version(clinic, newer)
    clinic.do(clinic.agent, merge, newer, older)
    row = stored(clinic.crm, newer)
    first = MONDAY + timedelta(hours=1)
    assert (row["opened_at"], row["first_response_at"], row["waiting_since"]) == (MONDAY, first, first)
    clocks = {each.clock: each.since for each in clinic.see(clinic.agent, clock_ledgers, newer)}
    assert clocks == {"resolution": MONDAY, "first_response": first}
    assert row["due_at"] == before["due_at"]
    clinic.do(clinic.agent, undo_last, newer)
    assert without_version(clinic, newer) == before
