"""The call list: who is called instead of written to, how often, and what ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from crm_core.access.model import SYSTEM
from crm_core.channels.calling.model import CallLine, CallState
from crm_core.channels.calling.queries import call_list
from crm_core.channels.consent.model import About, Decision, How, SaidBy
from crm_core.channels.model import MessageKind
from crm_core.channels.notices.model import NoticeState
from crm_core.channels.tables import Message
from crm_core.errors import NotFound, UsageError
from crm_core.patients.merging import merge_records
from crm_core.patients.observers import patient_observers
from crm_core.patients.tables import Patient
from crm_core.tasks.queries import task
from crm_core.words import Channel
from tests.channels.planning import DAY, House, house_of
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import BO, Clinic


@pytest.fixture
def house(clinic: Clinic, staff: StaffFactory) -> House:
    """A clinic that sends by itself, and calls Ana, who wants it so."""
    made = house_of(clinic, staff)
    made.prefers("Ana", Channel.VOICE)
    return made


def _to_call(house: House) -> tuple[CallLine, ...]:
    found: tuple[CallLine, ...] = house.clinic.see(house.clinic.agent, call_list, house.crm.gate)
    return found


def test_a_call_list_item_says_whom_to_call_where_and_what_to_say(house: House) -> None:
    house.plan()
    house.poll()
    (line,) = _to_call(house)
    assert (line.patient_name, line.number, line.attempts, line.max_attempts) == ("Ana Lopez", "+12125550101", 0, 3)
    told = house.clinic.see(house.clinic.agent, task, line.task_id)
    assert told.details.startswith("Hi Ana, you have a visit at Maple Street Primary Care")


def test_it_is_due_when_the_clinic_is_open(house: House) -> None:
    saturday = MONDAY + timedelta(days=5)
    house.plan(due_at=saturday, about_at=saturday + timedelta(days=3))
    house.poll(saturday)
    (line,) = _to_call(house)
    assert line.due_at == MONDAY.replace(day=30, hour=14)


def test_three_calls_that_do_not_reach_give_it_up_and_tell_a_coordinator_once(house: House) -> None:
    house.plan()
    house.poll()
    (line,) = _to_call(house)
    first = house.log(line.task_id, "no_answer")
    assert (first.state, first.attempts, first.next_at) == (CallState.WAITING, 1, MONDAY + DAY)
    at = MONDAY + timedelta(hours=3)
    second = house.log(line.task_id, "voicemail", next_call_at=at)
    assert (second.attempts, second.next_at) == (2, at)
    assert house.tasks("follow_up") == []
    third = house.log(line.task_id, "busy")
    assert (third.state, third.attempts, third.next_at) == (CallState.GIVEN_UP, 3, None)
    assert (_to_call(house), house.tasks("call")) == ((), [])
    (told,) = house.tasks("follow_up")
    assert (told.role, told.patient_id) == ("coordinator", house.clinic.patients["Ana"])
    with pytest.raises(UsageError):
        house.log(line.task_id, "reached")


def test_a_call_that_reached_ends_it_and_stops_the_clock_of_an_open_conversation(house: House) -> None:
    number = house.clinic.text("Could you refill my metformin please").conversation_id
    house.plan()
    house.poll(MONDAY + timedelta(minutes=11))
    (line,) = _to_call(house)
    reached = house.log(line.task_id, "reached", words="She will come.")
    assert reached.state is CallState.REACHED
    shown = house.clinic.now_at(number)
    assert (shown.messages[-1].kind, shown.due_at) == (MessageKind.CALL, None)
    assert (house.tasks("call"), _to_call(house)) == ([], ())


def test_without_a_conversation_the_call_is_kept_as_a_message_of_its_own(house: House) -> None:
    house.plan()
    house.poll()
    house.log(_to_call(house)[0].task_id, "no_answer", words="rang out")
    with house.crm.read(SYSTEM) as unit:
        row = unit.execute(select(Message.kind, Message.conversation_id, Message.call_outcome)).one()
    assert tuple(row) == (MessageKind.CALL, None, "no_answer")


def test_who_may_not_be_called_any_more_is_taken_off_when_the_call_is_worked(house: House) -> None:
    house.plan()
    house.poll()
    (line,) = _to_call(house)
    with house.crm.write(SYSTEM) as unit:
        unit.execute(update(Patient).where(Patient.id == house.clinic.patients["Ana"]).values(deceased=True))
    (dead,) = _to_call(house)
    assert (dead.number, dead.refused) == (None, "patient: deceased")
    became = house.log(line.task_id, "no_answer")
    assert (became.state, became.because) == (CallState.CANCELLED, "patient: deceased")
    assert _to_call(house) == ()


def test_a_call_that_is_none_is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        house.log(999, "no_answer")


def _observed(house: House, what: str, *args: Any) -> None:
    with house.crm.write(SYSTEM) as unit:
        for observer in patient_observers(unit):
            getattr(observer, what)(unit, *args)


def test_a_death_cancels_what_is_planned_asked_and_to_be_called(house: House) -> None:
    ana, bo = house.clinic.patients["Ana"], house.clinic.patients["Bo"]
    house.plan()
    house.plan("Bo", "visit-2")
    house.poll()
    later = house.plan(occasion="visit-3", due_at=MONDAY + DAY, about_at=MONDAY + 2 * DAY)
    asked = house.plan("Bo", "visit-4", due_at=MONDAY + DAY, about_at=MONDAY + 2 * DAY)
    _observed(house, "died", ana)
    _observed(house, "died", bo)
    assert (house.see(later).because, house.see(asked).state) == ("the patient has died", NoticeState.CANCELLED)
    assert (_to_call(house), house.tasks("call")) == ((), [])
    assert house.text("C", BO).handled_by.value == "routing"
    sent = house.sent()
    house.poll(MONDAY + DAY)
    assert house.sent() == sent


def test_two_records_that_turn_out_to_be_one_patient_get_one_notice_of_an_occasion(house: House) -> None:
    ana, bo = house.clinic.patients["Ana"], house.clinic.patients["Bo"]
    kept = house.plan("Bo", "visit-1", due_at=MONDAY + DAY, about_at=MONDAY + 2 * DAY)
    gone = house.plan("Ana", "visit-1", due_at=MONDAY + DAY, about_at=MONDAY + 2 * DAY)
    house.clinic.do(SYSTEM, merge_records, [(ana, bo)])
    assert {house.see(kept).state, house.see(gone).state} == {NoticeState.PLANNED, NoticeState.CANCELLED}
    house.poll(MONDAY + DAY)
    assert len(house.sent()) + len(house.tasks("call")) == 1


def test_a_call_follows_the_patient_to_a_new_number_and_ends_with_the_old(house: House) -> None:
    ana = house.clinic.patients["Ana"]
    house.plan()
    house.poll()
    with house.crm.read(SYSTEM) as unit:
        from crm_core.channels.calling.tables import CallItem

        old = unit.scalar(select(CallItem.contact_point_id))
    _observed(house, "number_changed", ana, old, None)
    assert _to_call(house) == ()


def test_who_withdrew_from_calls_is_not_on_the_list(house: House) -> None:
    from crm_core.channels.consent.ledger import NewEntry, append

    entry = NewEntry(
        patient_id=house.clinic.patients["Ana"],
        channel=Channel.VOICE,
        about=About.EVERYTHING,
        decision=Decision.WITHDRAWN,
        said_by=SaidBy.PATIENT,
        how=How.PHONE,
        evidence="asked not to be called",
    )
    house.plan()
    house.poll()
    (line,) = _to_call(house)
    house.clinic.do(SYSTEM, append, entry)
    (refused,) = _to_call(house)
    assert refused.refused is not None
    assert refused.refused.startswith("consent: reminder by voice was withdrawn")
    assert house.log(line.task_id, "reached").state is CallState.CANCELLED
