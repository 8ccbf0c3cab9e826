"""What the house said by itself, and what was answered to that, is seen where the patient writes about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import SYSTEM
from crm_core.channels.model import Delivery
from crm_core.inbox.handling import close
from crm_core.patients.model import ContactKind
from crm_core.patients.queries import match_contact
from crm_core.patients.service import link_contact
from crm_core.patients.tables import LINK
from crm_core.words import Channel
from tests.channels.planning import DAY, House, house_of
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import ANA, Clinic
from tests.inbox.looking import audited


@pytest.fixture
def house(clinic: Clinic, staff: StaffFactory) -> House:
    """A clinic that sends by itself."""
    return house_of(clinic, staff)


def test_a_reminder_and_its_answer_stand_in_the_thread_of_what_the_patient_writes_next(house: House) -> None:
    number = house.plan(about_at=MONDAY + 2 * DAY)
    house.poll()
    house.clinic.at(MONDAY + timedelta(minutes=20))
    house.text("C")
    house.clinic.at(MONDAY + timedelta(minutes=25))
    conversation_id = house.text("which day was it?").conversation_id
    before = len(audited(house.crm))
    seen = house.clinic.now_at(conversation_id, house.clinic.agent).messages
    reminder, reply, thanks, question = seen
    assert [str(reply.body), str(question.body)] == ["C", "which day was it?"]
    assert str(thanks.body) == "Thank you, you are confirmed."
    assert [one.apart for one in seen] == [True, True, True, False]
    assert (reminder.author, reminder.kind, reminder.delivery) == (None, "automatic", Delivery.SENT)
    opened = [row["tag"] for row in audited(house.crm)[before:]]
    assert opened.count("message:body:opened") == 4
    notice = house.see(number)
    assert (notice.replied, notice.replied_at) == ("C", MONDAY + timedelta(minutes=20))


def test_a_call_of_the_call_list_that_lay_alone_is_seen_when_the_patient_rings_back(house: House) -> None:
    house.prefers("Ana", Channel.VOICE)
    house.plan()
    house.poll()
    (call,) = house.tasks("call")
    house.log(call.task_id, "no_answer")
    house.clinic.at(MONDAY + timedelta(minutes=5))
    tried, text = house.clinic.now_at(house.text("you called me?").conversation_id).messages
    assert (tried.call_outcome, tried.apart, tried.author) == ("no_answer", True, house.clinic.agent.name)
    assert not text.apart


def test_what_went_long_before_or_after_its_end_is_not_of_the_conversation(house: House) -> None:
    house.plan(about_at=MONDAY + DAY)
    house.poll()
    house.clinic.at(MONDAY + 14 * DAY + timedelta(minutes=1))
    conversation_id = house.text("hello").conversation_id
    assert len(house.clinic.now_at(conversation_id).messages) == 1
    house.clinic.do(house.clinic.supervisor, close, conversation_id, outcome="resolved")
    house.poll(MONDAY + 14 * DAY + timedelta(minutes=30))
    house.plan(occasion="visit-2", about_at=MONDAY + 16 * DAY)
    house.poll()
    assert len(house.sent()) == 2
    assert len(house.clinic.now_at(conversation_id).messages) == 1


def test_of_a_shared_number_nobody_sees_what_was_said_with_the_other(house: House) -> None:
    clinic = house.clinic
    point = clinic.see(SYSTEM, match_contact, ContactKind.PHONE, ANA).contact_point_id
    house.plan("Ana")
    house.poll()
    conversation_id = house.text("what is this about?").conversation_id
    clinic.do(SYSTEM, link_contact, clinic.patients["Bo"], point)
    with house.crm.write(SYSTEM) as unit:
        own = (LINK.c.patient_id == clinic.patients["Bo"], LINK.c.contact_point_id != point)
        unit.execute(LINK.delete().where(*own))
    clinic.at(MONDAY + timedelta(minutes=20))
    house.plan("Bo", "visit-2")
    house.poll()
    house.text("HELP")
    assert len(house.sent()) == 3
    bodies = [str(one.body) for one in clinic.now_at(conversation_id).messages]
    assert not any("Bo" in body for body in bodies)
    assert len([one for one in clinic.now_at(conversation_id).messages if one.apart]) == 2
