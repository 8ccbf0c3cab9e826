"""Splitting a conversation in which two needs came to lie (issue 3, Threads)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from crm_core.access.model import SYSTEM, Role
from crm_core.errors import NotFound
from crm_core.inbox.alarms import acknowledge
from crm_core.inbox.answering.answers import note, reply
from crm_core.inbox.answering.drafts import my_draft, save_draft
from crm_core.inbox.answering.scheduling import send_later, send_no_more
from crm_core.inbox.model import ClockKind, State, Verb
from crm_core.inbox.record import HeldForClinicians, resolved
from crm_core.inbox.tables import Step
from crm_core.inbox.threads.merging import GoesLater
from crm_core.inbox.threads.splitting import AlarmStaysWithClinicians, NothingLeft, UnreadStaysInView, split
from crm_core.inbox.undo import TooLate, undo_last
from crm_core.words import Priority
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import Clinic
from tests.inbox.looking import alarm_rows, messages, stored, tags, verbs

BILL = "How much is my bill?"
VISIT = "I need to move my visit on Thursday"
HOUR = timedelta(hours=1)
_MAY_DIFFER = {"version"}


def two_needs(clinic: Clinic, second: str = VISIT) -> tuple[int, list[int]]:
    """A bill at ten, answered at eleven, and another need at twelve; and the ids of those three messages."""
    number = clinic.text(BILL).conversation_id
    assert number is not None
    clinic.at(MONDAY + HOUR)
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    clinic.at(MONDAY + 2 * HOUR)
    clinic.text(second)
    return number, [message.id for message in clinic.now_at(number).messages]


def bodies(clinic: Clinic, number: int) -> list[str]:
    return [str(message.body) for message in clinic.now_at(number).messages]


def without_version(clinic: Clinic, number: int) -> dict[str, object]:
    return {name: value for name, value in stored(clinic.crm, number).items() if name not in _MAY_DIFFER}


def test_what_comes_from_a_message_on_is_a_conversation_of_its_own_where_the_rules_send_it(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    clinic.do(clinic.agent, note, number, "She means Thursday the 3rd.")
    new = clinic.do(clinic.agent, split, number, from_message=ids[2])
    assert bodies(clinic, number) == [BILL, "It is 20 dollars."]
    assert bodies(clinic, new) == [VISIT, "She means Thursday the 3rd."]
    row = stored(clinic.crm, new)
    assert (row["lane"], row["category"], row["state"]) == ("scheduling", "scheduling", State.NEW)
    assert (row["patient_id"], row["follows_id"], row["owner_id"]) == (clinic.patients["Ana"], number, None)
    assert verbs(clinic.crm, new) == ["received", "split"]
    assert verbs(clinic.crm, number)[-1] == "split"
    assert tags(clinic.crm).count("conversation:thread:split") == 2


def test_both_clocks_count_as_if_it_had_been_two_from_the_beginning(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    alone = clinic.text(VISIT, "+1 212 555 0102").conversation_id
    new = clinic.do(clinic.agent, split, number, from_message=ids[2])
    row = stored(clinic.crm, new)
    assert (row["opened_at"], row["waiting_since"]) == (MONDAY + 2 * HOUR, MONDAY + 2 * HOUR)
    assert row["due_at"] == stored(clinic.crm, alone)["due_at"]
    left = stored(clinic.crm, number)
    assert (left["state"], left["due_at"]) == (State.WAITING_PATIENT, None)
    assert left["follow_up_at"] is not None


def test_messages_are_chosen_one_by_one_and_a_lane_too(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    new = clinic.do(clinic.agent, split, number, message_ids=[ids[0], ids[1]], lane="records")
    row = stored(clinic.crm, new)
    assert bodies(clinic, new) == [BILL, "It is 20 dollars."]
    assert (row["lane"], row["state"], row["first_response_at"]) == ("records", State.WAITING_PATIENT, MONDAY + HOUR)
    left = stored(clinic.crm, number)
    assert (left["opened_at"], left["waiting_since"], left["state"]) == (
        MONDAY + 2 * HOUR,
        MONDAY + 2 * HOUR,
        State.OPEN,
    )
    assert left["due_at"] is not None


@pytest.mark.parametrize("which", ["from", "all"])
def test_nothing_left_is_refused(clinic: Clinic, which: str) -> None:
    number, ids = two_needs(clinic)
    asked = {"from_message": ids[0]} if which == "from" else {"message_ids": ids}
    with pytest.raises(NothingLeft):
        clinic.do(clinic.agent, split, number, **asked)


def test_a_message_of_another_conversation_is_not_found(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    foreign = clinic.text(BILL, "+1 212 555 0102").message_id
    with pytest.raises(NotFound):
        clinic.do(clinic.agent, split, number, from_message=foreign)
    with pytest.raises(NotFound):
        clinic.do(clinic.agent, split, number, message_ids=[ids[2], foreign])


def test_undo_merges_it_back_and_the_new_id_leads_there(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    before = without_version(clinic, number), bodies(clinic, number), verbs(clinic.crm, number)
    new = clinic.do(clinic.agent, split, number, from_message=ids[2])
    assert clinic.do(clinic.agent, undo_last) == (number, Verb.SPLIT)
    assert (without_version(clinic, number), bodies(clinic, number)) == before[:2]
    assert verbs(clinic.crm, number) == [*before[2], "split", "undone"]
    row = stored(clinic.crm, new)
    assert (row["state"], row["outcome"], row["merged_into_id"]) == (State.CLOSED, "duplicate", number)
    assert clinic.see(clinic.agent, resolved, new) == number


def test_undo_is_refused_once_something_happened_in_the_new_one(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    new = clinic.do(clinic.agent, split, number, from_message=ids[2])
    clinic.do(clinic.agent, note, new, "newer")
    with pytest.raises(TooLate):
        clinic.do(clinic.agent, undo_last, number)
    assert bodies(clinic, new) == [VISIT, "newer"]


def test_the_message_of_an_alarm_is_split_by_a_clinician_and_stays_in_triage(
    clinic: Clinic, staff: StaffFactory
) -> None:
    number, ids = two_needs(clinic, "I have chest pain")
    both = staff(Role.NURSE, Role.SUPERVISOR)
    clinic.do(both, acknowledge, number)
    with pytest.raises(HeldForClinicians):
        clinic.do(clinic.agent, split, number, from_message=ids[2])
    with pytest.raises(AlarmStaysWithClinicians):
        clinic.do(both, split, number, from_message=ids[2], lane="billing")
    new = clinic.do(both, split, number, from_message=ids[2])
    assert stored(clinic.crm, new)["lane"] == "clinical_triage"
    assert [alarm["conversation_id"] for alarm in alarm_rows(clinic.crm)] == [new]


def test_a_draft_stays_where_it_was_begun(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    clinic.do(clinic.agent, save_draft, number, "about the bill")
    new = clinic.do(clinic.agent, split, number, from_message=ids[2])
    assert clinic.see(clinic.agent, my_draft, new) is None
    assert clinic.see(clinic.agent, my_draft, number).body == "about the bill"
    clinic.do(clinic.agent, save_draft, new, "about the visit")
    assert clinic.see(clinic.agent, my_draft, number).body == "about the bill"


def test_a_held_answer_goes_with_the_messages_it_was_split_with(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    held = clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Friday at 3?", hold=timedelta(seconds=15))
    new = clinic.do(clinic.agent, split, number, from_message=ids[2])
    assert stored(clinic.crm, new)["state"] is State.WAITING_PATIENT
    clinic.at(MONDAY + 3 * HOUR)
    assert clinic.crm.courier.run_once().sent == 2
    assert {row["id"]: row["conversation_id"] for row in messages(clinic.crm)}[held] == new


FOREIGN = "Hallo, ich habe seit gestern furchtbare Schmerzen in der Brust und bekomme keine Luft mehr"


def test_what_nobody_could_screen_stays_at_the_top_of_the_catch_all_lane_when_it_is_split(clinic: Clinic) -> None:
    number, ids = two_needs(clinic, FOREIGN)
    with pytest.raises(UnreadStaysInView, match="could not be screened and stays in"):
        clinic.do(clinic.agent, split, number, from_message=ids[2], lane="billing")
    new = clinic.do(clinic.agent, split, number, from_message=ids[2])
    row = stored(clinic.crm, new)
    assert (row["lane"], row["priority"], row["urgency"]) == ("front_desk", Priority.ASAP, 1)
    assert (row["unscreened"], row["owner_id"], row["state"]) == (True, None, State.NEW)
    assert clinic.now_at(new).next_action == "Read it now: it could not be screened for danger"
    assert stored(clinic.crm, number)["unscreened"] is False


def test_what_could_not_be_screened_and_stays_behind_keeps_its_place(clinic: Clinic) -> None:
    number = clinic.text(FOREIGN).conversation_id
    clinic.at(MONDAY + HOUR)
    bill = clinic.text(BILL).message_id
    new = clinic.do(clinic.agent, split, number, message_ids=[bill])
    row, left = stored(clinic.crm, new), stored(clinic.crm, number)
    assert (row["lane"], row["unscreened"]) == ("billing", False)
    assert (left["lane"], left["unscreened"], left["urgency"]) == ("front_desk", True, 1)


def test_nothing_is_split_while_an_answer_is_set_to_go_later(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    later = MONDAY + 30 * HOUR
    planned = clinic.do(clinic.agent, send_later, clinic.crm.gate, number, "Friday at 3?", at=later)
    for chosen in ([ids[2], planned], [ids[2]]):
        with pytest.raises(GoesLater, match="set to go later"):
            clinic.do(clinic.agent, split, number, message_ids=chosen)
    clinic.do(clinic.agent, send_no_more, number)
    new = clinic.do(clinic.agent, split, number, message_ids=[ids[2]])
    assert (stored(clinic.crm, new)["state"], stored(clinic.crm, new)["first_response_at"]) == (State.NEW, None)


def test_of_two_texts_of_one_second_each_keeps_its_own_clock(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    clinic.at(MONDAY + timedelta(minutes=10))
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    clinic.at(MONDAY + HOUR)
    sent_at = MONDAY + HOUR - timedelta(seconds=5)
    clinic.text("That bill is wrong, I paid it", at=sent_at)
    visit = clinic.text(VISIT, at=sent_at).message_id
    before = stored(clinic.crm, number)
    new = clinic.do(clinic.agent, split, number, message_ids=[visit])
    left, row = stored(clinic.crm, number), stored(clinic.crm, new)
    assert (left["due_clock"], left["due_at"]) == (ClockKind.NEXT_RESPONSE, before["due_at"])
    assert (row["due_clock"], row["waiting_since"]) == (ClockKind.FIRST_RESPONSE, sent_at)
    assert (verbs(clinic.crm, number)[-2:], verbs(clinic.crm, new)) == (["received", "split"], ["received", "split"])


def test_a_step_that_names_no_message_stays_where_another_text_bears_its_time(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    clinic.at(MONDAY + HOUR)
    clinic.text("That bill is wrong, I paid it")
    visit = clinic.text(VISIT).message_id
    with clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Step).where(Step.conversation_id == number).values(message_id=None))
    new = clinic.do(clinic.agent, split, number, message_ids=[visit])
    assert stored(clinic.crm, number)["due_clock"] is ClockKind.NEXT_RESPONSE
    assert verbs(clinic.crm, new) == ["split"]


def test_an_answer_that_went_at_its_time_is_split_with_its_step(clinic: Clinic) -> None:
    number, ids = two_needs(clinic)
    later = MONDAY + 3 * HOUR
    planned = clinic.do(clinic.agent, send_later, clinic.crm.gate, number, "Friday at 3?", at=later)
    clinic.at(later)
    clinic.crm.courier.run_once()
    clinic.at(MONDAY + 4 * HOUR)
    clinic.text("and my bill is still wrong")
    new = clinic.do(clinic.agent, split, number, message_ids=[ids[2], planned])
    assert verbs(clinic.crm, new) == ["received", "replied", "split"]
    assert stored(clinic.crm, number)["due_clock"] is ClockKind.NEXT_RESPONSE
    assert stored(clinic.crm, number)["waiting_since"] == MONDAY + 4 * HOUR
