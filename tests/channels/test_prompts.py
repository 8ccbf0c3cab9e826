"""Replies to questions of ours: what confirms, what declines, whose reply it is, and what is left to a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from crm_core.access.model import SYSTEM
from crm_core.audit.tables import AuditRow
from crm_core.channels.inbound import Receiver
from crm_core.channels.model import Handled
from crm_core.channels.notices.service import cancel_notice, cancel_notices
from crm_core.channels.prompts.model import Answer
from crm_core.channels.prompts.replies import PromptHandler
from crm_core.channels.prompts.section import PromptsSection
from crm_core.channels.prompts.service import subjects_changed
from crm_core.channels.prompts.wording import read_answer
from crm_core.patients.merging import merge_records
from crm_core.patients.model import ContactKind
from crm_core.patients.queries import match_contact
from crm_core.patients.service import link_contact
from crm_core.patients.tables import Patient
from crm_core.playbook.service import in_force
from crm_core.work.units import WriteUnit
from tests.channels.planning import DAY, House, house_of
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import ANA, BO, Clinic

CONFIRMED = "Thank you, you are confirmed."
CHANGED = "This has changed since we asked"


@pytest.fixture
def house(clinic: Clinic, staff: StaffFactory) -> House:
    """A clinic that sends by itself."""
    return house_of(clinic, staff)


class Heard:
    """A room that asked, and what it heard."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, tuple[str, ...], Answer]] = []
        self.silent: list[tuple[int, tuple[str, ...]]] = []

    def answered(self, unit: WriteUnit, patient_id: int, codes: Sequence[str], answer: Answer) -> None:  # noqa: ARG002
        self.answers.append((patient_id, tuple(codes), answer))

    def unanswered(self, unit: WriteUnit, patient_id: int, codes: Sequence[str]) -> None:  # noqa: ARG002
        self.silent.append((patient_id, tuple(codes)))


@pytest.fixture
def heard(house: House) -> Heard:
    """One who is told of answers."""
    found = Heard()
    receiver = house.crm.receiver
    handlers = [
        PromptHandler(house.crm.gate, (found,)) if isinstance(one, PromptHandler) else one for one in receiver.handlers
    ]
    house.crm.receiver = Receiver(screen=receiver.screen, handlers=handlers, threads=receiver.threads)
    return found


@pytest.mark.parametrize(
    "said", ["C", "c.", " Confirm ", "c!!", "CONFIRMED", "yes", "Yes, please.", "Sí", "si", "Confirmo."]
)
def test_a_word_that_confirms_confirms_in_any_case_and_punctuation(said: str) -> None:
    assert read_answer(said) is Answer.CONFIRM


@pytest.mark.parametrize(
    "said", ["N", "no.", "No puedo", "can't make it", "I can\N{RIGHT SINGLE QUOTATION MARK}t come", "No podré ir"]
)
def test_a_word_that_declines_declines(said: str) -> None:
    assert read_answer(said) is Answer.DECLINE


@pytest.mark.parametrize(
    "said",
    [
        "",
        "ok",
        "thanks",
        "C?? what time is it again",
        "C, chest pain",
        "see you",
        "1",
        "maybe",
        "confirm my refill",
        "no more pills",
    ],
)
def test_anything_more_than_an_answer_is_none(said: str) -> None:
    assert read_answer(said) is None


def test_a_reply_confirms_what_was_asked_and_is_thanked_once(house: House, heard: Heard) -> None:
    number = house.plan()
    house.poll()
    received = house.text("Sí")
    assert (received.handled_by, received.conversation_id) == (Handled.CONFIRMATION, None)
    assert (received.why, received.patient_id) == (("confirms visit-1",), house.clinic.patients["Ana"])
    assert heard.answers == [(house.clinic.patients["Ana"], ("visit-1",), Answer.CONFIRM)]
    assert house.see(number).answer == "confirmed"
    assert house.sent()[1:] == [CONFIRMED]
    assert house.text("Sí").handled_by is not Handled.CONFIRMATION
    assert house.sent()[1:] == [CONFIRMED]


def test_without_a_question_the_same_words_are_texts_as_any(house: House) -> None:
    assert house.text("C").handled_by is Handled.ROUTING
    assert house.text("Sí", BO).handled_by is Handled.ROUTING


def test_before_its_text_has_left_a_question_is_asked_of_nobody(house: House) -> None:
    house.plan(due_at=MONDAY + timedelta(hours=1))
    assert house.text("C").handled_by is Handled.ROUTING


def test_a_reply_answers_the_latest_question_and_the_next_reply_the_one_before(house: House, heard: Heard) -> None:
    first = house.plan(about_at=MONDAY + 3 * DAY)
    house.poll()
    house.poll(MONDAY + DAY)
    second = house.plan(occasion="visit-2", about_at=MONDAY + 5 * DAY)
    house.poll()
    house.text("C")
    assert (house.see(first).answer, house.see(second).answer) == ("pending", "confirmed")
    house.text("C")
    assert house.see(first).answer == "confirmed"
    assert [codes for _, codes, _ in heard.answers] == [("visit-2",), ("visit-1",)]


def test_one_reply_confirms_both_of_two_that_share_a_question(house: House, heard: Heard) -> None:
    house.plan(about_at=MONDAY + DAY)
    house.plan(occasion="visit-2", about_at=MONDAY + DAY + timedelta(minutes=29))
    house.poll()
    house.text("C")
    assert [codes for _, codes, _ in heard.answers] == [("visit-1", "visit-2")]
    assert house.sent()[1:] == [CONFIRMED]


def test_what_changed_after_the_question_is_not_confirmed_and_the_patient_is_told(house: House, heard: Heard) -> None:
    number = house.plan()
    house.poll()
    assert house.clinic.do(SYSTEM, subjects_changed, ["visit-1"]) == 1
    assert house.see(number).answer == "void"
    received = house.text("C")
    assert received.handled_by is Handled.CONFIRMATION
    assert received.why == ("what was asked has changed since: nothing is confirmed",)
    assert (heard.answers, house.see(number).answer) == ([], "superseded")
    assert house.sent()[-1].startswith(CHANGED)


def test_of_two_in_one_question_only_the_one_that_stands_is_confirmed(house: House, heard: Heard) -> None:
    house.plan(about_at=MONDAY + DAY)
    house.plan(occasion="visit-2", about_at=MONDAY + DAY + timedelta(minutes=20))
    house.poll()
    done = house.clinic.do(SYSTEM, cancel_notices, "visit-2", "moved")
    assert (done.notices, done.questions) == ((), 1)
    house.text("C")
    assert [codes for _, codes, _ in heard.answers] == [("visit-1",)]
    assert CONFIRMED in house.sent()[-1]
    assert CHANGED in house.sent()[-1]


def test_what_staff_cancel_after_it_went_is_not_confirmed_any_more(house: House, heard: Heard) -> None:
    number = house.plan()
    house.poll()
    house.clinic.do(house.clinic.agent, cancel_notice, number, "moved by phone")
    house.text("C")
    assert heard.answers == []


def test_a_word_that_declines_leaves_a_telephone_task(house: House, heard: Heard) -> None:
    house.plan()
    house.poll()
    assert house.text("No puedo").handled_by is Handled.DECLINE
    (task,) = house.tasks("call_back")
    assert (task.patient_id, heard.answers[0][2]) == (house.clinic.patients["Ana"], Answer.DECLINE)
    assert house.sent()[-1].startswith("Thank you for telling us.")


def test_cancel_with_a_question_open_opts_out_and_asks_to_call_and_leaves_the_visit(house: House, heard: Heard) -> None:
    number = house.plan()
    house.poll()
    received = house.text("CANCEL")
    assert received.handled_by is Handled.OPT_OUT
    (task,) = house.tasks("may_want_to_cancel")
    assert task.patient_id == house.clinic.patients["Ana"]
    assert (heard.answers, house.see(number).answer) == ([], "pending")
    assert house.text("CANCEL", BO).handled_by is Handled.OPT_OUT
    assert len(house.tasks("may_want_to_cancel")) == 1


def test_stop_with_a_question_open_only_opts_out(house: House) -> None:
    house.plan()
    house.poll()
    assert house.text("STOP").handled_by is Handled.OPT_OUT
    assert house.tasks("may_want_to_cancel") == []


def test_danger_in_a_reply_alarms_and_confirms_nothing_silently(house: House, heard: Heard) -> None:
    house.plan()
    house.poll()
    received = house.text("C, chest pain")
    assert (received.priority, received.lane) == ("stat", "clinical_triage")
    assert (received.handled_by, heard.answers) == (Handled.ROUTING, [])


def _share(house: House) -> None:
    """Bo uses Ana's number too, and is reached there first."""
    clinic = house.clinic
    point = clinic.see(SYSTEM, match_contact, ContactKind.PHONE, ANA).contact_point_id
    clinic.do(SYSTEM, link_contact, clinic.patients["Bo"], point)
    with house.crm.write(SYSTEM) as unit:
        from crm_core.patients.tables import LINK

        own = (LINK.c.patient_id == clinic.patients["Bo"], LINK.c.contact_point_id != point)
        unit.execute(LINK.delete().where(*own))


def test_on_a_shared_number_with_one_asked_the_reply_is_theirs(house: House, heard: Heard) -> None:
    _share(house)
    house.plan("Bo", "visit-2")
    house.poll()
    assert house.text("C").handled_by is Handled.CONFIRMATION
    assert heard.answers == [(house.clinic.patients["Bo"], ("visit-2",), Answer.CONFIRM)]
    assert house.sent()[-1] == f"Bo: {CONFIRMED}"


def test_with_two_asked_they_are_asked_which_once_and_none_is_confirmed_until_then(house: House, heard: Heard) -> None:
    _share(house)
    house.plan("Ana", "visit-1")
    house.plan("Bo", "visit-2")
    house.poll()
    assert house.text("C").handled_by is Handled.CONFIRMATION
    assert heard.answers == []
    assert house.sent()[-1] == "Who is this for? Please reply 1 for Ana, 2 for Bo."
    house.text("C")
    assert len(house.sent()) == 3
    assert house.text("3").handled_by is not Handled.CONFIRMATION
    assert house.text("2").handled_by is Handled.CONFIRMATION
    assert heard.answers == [(house.clinic.patients["Bo"], ("visit-2",), Answer.CONFIRM)]
    assert house.text("C").handled_by is Handled.CONFIRMATION
    assert heard.answers[1][0] == house.clinic.patients["Ana"]


def test_a_number_still_says_which_after_that_record_was_merged(house: House, heard: Heard) -> None:
    _share(house)
    house.plan("Ana", "visit-1")
    house.plan("Bo", "visit-2")
    house.poll()
    house.text("C")
    kept = house.clinic.patient("Boris", "Iversen", "+1 212 555 0177", "1003")
    house.clinic.do(SYSTEM, merge_records, [(house.clinic.patients["Bo"], kept)])
    assert house.text("2").handled_by is Handled.CONFIRMATION
    assert heard.answers == [(kept, ("visit-2",), Answer.CONFIRM)]


def test_two_of_one_first_name_are_called_as_no_text_can_ask_them(house: House, heard: Heard) -> None:
    _share(house)
    house.plan("Ana", "visit-1")
    house.plan("Bo", "visit-2")
    house.poll()
    with house.crm.write(SYSTEM) as unit:
        from crm_core.vault.fields import Field

        number = house.clinic.patients["Bo"]
        sealed = unit.seal(Field.PATIENT_GIVEN, number, "Ana Maria")
        unit.execute(update(Patient).where(Patient.id == number).values(given_sealed=sealed))
    sent = len(house.sent())
    assert house.text("C").handled_by is Handled.CONFIRMATION
    assert (heard.answers, len(house.sent())) == ([], sent)
    assert {task.patient_id for task in house.tasks("call_back")} == set(house.clinic.patients.values())


def test_stop_from_a_shared_number_marks_the_number_and_each_patients_audit_says_so(house: House) -> None:
    _share(house)
    house.text("STOP")
    with house.crm.read(SYSTEM) as unit:
        whys = unit.scalars(select(AuditRow.why).where(AuditRow.tag == "patient:record:changed"))
    assert len([why for why in whys if why and why.startswith("contact:number:opted_out")]) == 2


def test_a_question_nobody_answers_expires_and_its_room_hears_of_it(house: House) -> None:
    number = house.plan(about_at=MONDAY + DAY)
    house.poll()
    house.poll(MONDAY + DAY)
    assert house.see(number).answer == "expired"
    assert house.text("C").handled_by is Handled.ROUTING


def test_three_unanswered_contacts_in_a_row_raise_one_task_and_a_text_begins_the_count_anew(house: House) -> None:
    found = []
    for at in range(4):
        house.clinic.at(MONDAY + 3 * at * DAY)
        house.plan(occasion=f"visit-{at}", about_at=MONDAY + (3 * at + 1) * DAY)
        house.poll()
        house.poll(MONDAY + (3 * at + 1) * DAY)
        if at == 0:
            house.text("hello, is this the clinic")
        found = [task for task in house.tasks("follow_up") if task.title.startswith("Three contacts")]
        assert len(found) == (at == 3), "the text came between the first and the second"
    assert (found[0].patient_id, found[0].role) == (house.clinic.patients["Ana"], "coordinator")


def test_no_text_that_ships_asks_for_the_word_cancel(house: House) -> None:
    from crm_core.library.lint import asks_for_cancel

    with house.crm.read(SYSTEM) as unit:
        texts = in_force(unit).section(PromptsSection).text
    assert set(texts) == {"en", "es"}
    assert not [said for one in texts.values() for _, said in one if asks_for_cancel(said)]
