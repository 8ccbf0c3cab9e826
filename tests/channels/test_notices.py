"""Notices: planned, looked at again when their time has come, sent once, or ended with the reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, update

from crm_core.access.model import SYSTEM
from crm_core.channels.notices.model import KIND, About, Asks, NoticeState
from crm_core.channels.notices.service import cancel_notices
from crm_core.errors import NotFound, UsageError
from crm_core.library.merge import MissingField
from crm_core.patients.model import ContactKind
from crm_core.patients.queries import match_contact
from crm_core.patients.service import opt_out
from crm_core.patients.tables import POINT, Patient
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Timer
from crm_core.words import Channel
from tests.channels.planning import DAY, House, house_of
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import ANA, Clinic

ASKED = (
    "Hi Ana, you have a visit at Maple Street Primary Care on Tuesday, November 24 at 10:00 AM."
    " Reply C to confirm, or N if you cannot come. To talk to us, call 212-555-0142."
)


@pytest.fixture
def house(clinic: Clinic, staff: StaffFactory) -> House:
    """A clinic that sends by itself."""
    return house_of(clinic, staff)


def test_what_is_planned_goes_at_its_time_in_the_patients_words_and_says_why(house: House) -> None:
    number = house.plan(due_at=MONDAY + timedelta(hours=1), about_at=MONDAY + DAY)
    house.poll()
    assert (house.sent(), house.see(number).state) == ([], NoticeState.PLANNED)
    house.poll(MONDAY + timedelta(hours=1))
    assert house.sent() == [ASKED]
    seen = house.see(number)
    assert (seen.state, seen.fate, seen.channel, seen.answer) == ("handed_over", "sent", Channel.SMS, "pending")
    assert any(line.startswith("number: yes") for line in seen.why)


def test_of_one_occasion_and_step_there_is_one_notice_until_it_is_cancelled(house: House) -> None:
    house.plan()
    with pytest.raises(AssertionError):
        house.plan()
    house.clinic.do(SYSTEM, cancel_notices, "visit-1", "moved")
    house.plan()
    house.poll()
    assert len(house.sent()) == 1


def test_what_is_cancelled_in_time_never_goes(house: House) -> None:
    number = house.plan(due_at=MONDAY + timedelta(hours=1))
    done = house.clinic.do(SYSTEM, cancel_notices, "visit-1", "moved", steps=["day_before"])
    assert done.notices == (number,)
    house.poll(MONDAY + timedelta(hours=2))
    assert (house.sent(), house.see(number).because) == ([], "moved")


def test_spanish_is_spoken_to_who_speaks_it(house: House) -> None:
    with house.crm.write(SYSTEM) as unit:
        unit.execute(update(Patient).where(Patient.id == house.clinic.patients["Ana"]).values(language="es-MX"))
    house.plan(about_at=MONDAY + DAY)
    house.poll()
    (text,) = house.sent()
    assert text.startswith(
        "Hola Ana, tiene una visita en Maple Street Primary Care el martes 24 de noviembre a las 10:00."
    )


def test_a_field_that_is_missing_refuses_and_no_brace_reaches_a_patient(house: House) -> None:
    number = house.plan(about=About(code="visit-1"))
    house.poll()
    seen = house.see(number)
    assert (house.sent(), seen.state) == ([], NoticeState.REFUSED)
    assert any("needs about.when" in line for line in seen.why)
    with house.crm.write(SYSTEM) as unit:
        sealed = {"given_sealed": None, "family_sealed": None}
        unit.execute(update(Patient).where(Patient.id == house.clinic.patients["Bo"]).values(**sealed))
    nameless = house.plan("Bo", "visit-2")
    house.poll()
    assert (house.sent(), house.see(nameless).state) == ([], NoticeState.REFUSED)


def test_a_template_that_is_not_approved_any_more_refuses(house: House) -> None:
    number = house.plan(template_key="scheduling_ask_times")
    house.poll()
    assert house.see(number).state is NoticeState.REFUSED
    assert house.tasks("find_number") == []


def test_what_is_stale_by_then_expires_with_the_reason(house: House) -> None:
    number = house.plan(send_by=MONDAY + timedelta(hours=1))
    house.poll(MONDAY + timedelta(hours=2))
    seen = house.see(number)
    assert (house.sent(), seen.state, seen.because) == ([], NoticeState.EXPIRED, "its time to be sent had passed")


def test_nobody_is_asked_to_confirm_what_has_begun(house: House) -> None:
    number = house.plan(about_at=MONDAY + DAY)
    house.poll(MONDAY + DAY)
    assert (house.sent(), house.see(number).state) == ([], NoticeState.EXPIRED)


def test_two_things_less_than_half_an_hour_apart_share_one_text_that_names_both(house: House) -> None:
    at = MONDAY + DAY
    first = house.plan(about_at=at)
    second = house.plan(occasion="visit-2", about_at=at + timedelta(minutes=29), due_at=MONDAY + timedelta(minutes=29))
    third = house.plan(occasion="visit-3", about_at=at + timedelta(minutes=30), due_at=MONDAY + timedelta(days=2))
    house.poll()
    (text,) = house.sent()
    assert "on Tuesday, November 24 at 10:00 AM and Tuesday, November 24 at 10:29 AM." in text
    assert house.see(first).message_id == house.see(second).message_id
    assert house.see(third).state is NoticeState.PLANNED
    house.poll(MONDAY + timedelta(hours=1))
    assert len(house.sent()) == 1


def test_a_poller_that_stops_half_way_and_runs_again_sends_once(house: House) -> None:
    number = house.plan()
    handler = next(one for one in house.crm.timer_handlers if one.kind == KIND)
    timer = Timer(id=1, kind=KIND, subject_id=number, due_at=MONDAY, attempt=1, token=1)
    with pytest.raises(ZeroDivisionError), house.crm.write(SYSTEM) as unit:
        handler.fire(unit, [timer])
        raise ZeroDivisionError
    assert house.sent() == []
    house.poll()
    with house.crm.write(SYSTEM) as unit:
        assert handler.fire(unit, [timer]) == {}
    house.poll()
    assert len(house.sent()) == 1


def test_what_is_due_a_minute_after_hours_goes_in_the_morning_or_expires_where_that_is_too_late(house: House) -> None:
    at, morning = MONDAY + timedelta(hours=10, minutes=1), MONDAY + timedelta(hours=22)
    waits = house.plan(due_at=at, about_at=MONDAY + 3 * DAY)
    stale = house.plan("Bo", "visit-2", due_at=at, send_by=morning - timedelta(minutes=1), about_at=MONDAY + DAY)
    house.poll(at)
    seen, late = house.see(waits), house.see(stale)
    assert (house.sent(), seen.state, seen.next_at) == ([], NoticeState.PLANNED, morning)
    assert (late.state, late.fate) == (NoticeState.EXPIRED, "expired")
    assert any(line.startswith("sms hours: NO, 20:01") for line in late.why)
    house.poll(morning)
    assert len(house.sent()) == 1


def test_a_person_is_told_at_once_what_could_not_be_filled_in_later(house: House) -> None:
    agent = house.clinic.agent
    with pytest.raises(MissingField):
        house.plan_by_hand(agent, template_key="visit_confirm")
    with pytest.raises(UsageError):
        house.plan_by_hand(agent, fields={"patient.first_name": "Eve"})
    with pytest.raises(UsageError):
        house.plan_by_hand(agent, send_by=MONDAY)
    for at, about in ((MONDAY - DAY, None), (MONDAY + 2 * DAY, MONDAY + DAY)):
        with pytest.raises(UsageError):
            house.plan_by_hand(agent, due_at=at, about=About(code="", at=about))
    with pytest.raises(NotFound):
        house.plan_by_hand(agent, patient_id=999_999)
    with pytest.raises(NotFound):
        house.plan_by_hand(agent, template_key="no_such")
    visit = About(code="", at=MONDAY + DAY)
    assert house.see(house.plan_by_hand(agent, about=visit)).send_by == visit.at, "after it, it is stale"
    number = house.plan_by_hand(agent, asks=Asks.CONFIRMATION)
    assert house.see(number).occasion == f"by-hand-{number}"


def test_a_number_that_opted_out_is_passed_over_for_a_call_and_never_for_another_person(house: House) -> None:
    with house.crm.write(SYSTEM) as unit:
        opt_out(unit, _point(house, ANA))
    number = house.plan()
    house.poll()
    seen = house.see(number)
    assert (house.sent(), seen.state, seen.channel) == ([], NoticeState.CALLING, Channel.VOICE)
    (call,) = house.tasks("call")
    assert (call.patient_id, call.task_id) == (house.clinic.patients["Ana"], seen.task_id)


def test_who_has_no_number_that_works_leaves_one_task_to_find_one(house: House) -> None:
    with house.crm.write(SYSTEM) as unit:
        unit.execute(
            update(POINT).where(POINT.c.id == _point(house, ANA)).values(invalid_at=MONDAY, invalid_reason="bounced")
        )
    first, second = house.plan(), house.plan(occasion="visit-2")
    house.poll()
    house.poll(MONDAY + timedelta(minutes=1))
    assert {house.see(first).state, house.see(second).state} == {NoticeState.REFUSED}
    (task,) = house.tasks("find_number")
    assert task.patient_id == house.clinic.patients["Ana"]
    assert house.sent() == []


def test_who_wants_calls_gets_one_instead_of_a_text(house: House) -> None:
    house.prefers("Ana", Channel.VOICE)
    number = house.plan()
    house.poll()
    assert (house.sent(), house.see(number).state) == ([], NoticeState.CALLING)
    (call,) = house.tasks("call")
    assert call.title == "Call: Visit: will you come?"


def test_a_batch_takes_as_many_statements_for_fifty_as_for_five(house: House) -> None:
    counts = [_statements(house, 5, 0), _statements(house, 50, 100)]
    assert counts[1] - counts[0] <= 1, counts


def _statements(house: House, many: int, first: int) -> int:
    for at in range(first, first + many):
        house.clinic.patient(f"P{at}", "Lopez", f"+1 212 555 {2000 + at}", str(5000 + at))
        house.plan(f"P{at}", f"visit-{at}")
    seen: list[str] = []

    def count(*args: object) -> None:
        seen.append(str(args[2]))

    event.listen(house.crm.store.writing, "before_cursor_execute", count)
    try:
        TimersChore(house.crm.units, house.crm.timer_handlers).run(lambda: False)
    finally:
        event.remove(house.crm.store.writing, "before_cursor_execute", count)
    assert len(house.sent()) >= many
    return len(seen)


def _point(house: House, number: str) -> int:
    found: int = house.clinic.see(SYSTEM, match_contact, ContactKind.PHONE, number).contact_point_id
    return found
