"""What stops a notice on its way: it is cancelled in a poller's hands or on the call list, or its number is held."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from crm_core.access.model import SYSTEM
from crm_core.channels.attempts import Claimed
from crm_core.channels.claiming import claim_due
from crm_core.channels.consent.deciding import decide
from crm_core.channels.delivery import begin, settle
from crm_core.channels.model import LOOK_AGAIN, Delivery
from crm_core.channels.notices.model import NoticeState
from crm_core.channels.notices.service import cancel_notice, cancel_notices
from crm_core.channels.tables import Outbox
from crm_core.patients.model import ContactKind
from crm_core.patients.queries import match_contact
from crm_core.patients.service import link_contact, opt_out
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Tally
from crm_core.words import Channel
from tests.channels.planning import DAY, House, house_of
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import ANA, Clinic
from tests.inbox.looking import outbox_rows

MINUTE = timedelta(minutes=1)


@pytest.fixture
def house(clinic: Clinic, staff: StaffFactory) -> House:
    """A clinic that sends by itself."""
    return house_of(clinic, staff)


def _point(house: House, number: str = ANA) -> int:
    found: int = house.clinic.see(SYSTEM, match_contact, ContactKind.PHONE, number).contact_point_id
    return found


def _handed_over(house: House) -> None:
    TimersChore(house.crm.units, house.crm.timer_handlers).run(lambda: False)


def _claimed(house: House) -> Claimed:
    with house.crm.write(SYSTEM) as unit:
        (row,) = claim_due(unit, house.crm.gate, house.crm.observers, Tally())
    return row


def test_nobody_is_called_about_what_was_cancelled(house: House) -> None:
    house.prefers("Ana", Channel.VOICE)
    first = house.plan(about_at=MONDAY + DAY)
    second = house.plan(occasion="visit-2", about_at=MONDAY + DAY + 20 * MINUTE)
    house.poll()
    assert house.see(first).task_id == house.see(second).task_id
    assert house.clinic.do(SYSTEM, cancel_notices, "visit-1", "moved").notices == (first,)
    assert (house.tasks("call"), house.see(first).state) == ([], NoticeState.CANCELLED)
    house.poll()
    (call,) = house.tasks("call")
    assert house.see(second).task_id == call.task_id, "what shared the call is called about alone"
    house.clinic.do(house.clinic.agent, cancel_notice, second, "they rang us")
    assert house.tasks("call") == []


def test_what_is_cancelled_between_claim_and_call_does_not_leave(house: House) -> None:
    number = house.plan()
    _handed_over(house)
    row = _claimed(house)
    house.clinic.do(SYSTEM, cancel_notices, "visit-1", "moved")
    with house.crm.write(SYSTEM) as unit:
        assert begin(unit, house.crm.gate, row) is None
    seen = house.see(number)
    assert (seen.state, seen.because, seen.why[-1]) == (NoticeState.CANCELLED, "moved", "then: moved")


def test_what_a_gateway_may_have_already_is_not_called_cancelled(house: House) -> None:
    number = house.plan()
    _handed_over(house)
    row = _claimed(house)
    with house.crm.write(SYSTEM) as unit:
        begin(unit, house.crm.gate, row)
    done = house.clinic.do(SYSTEM, cancel_notices, "visit-1", "moved")
    assert (done.notices, done.questions) == ((), 1)
    assert house.see(number).fate == "sending"


def test_stop_withdraws_the_question_of_what_was_still_queued(house: House) -> None:
    number = house.plan()
    _handed_over(house)
    house.text("STOP")
    seen = house.see(number)
    assert (seen.fate, seen.answer, seen.why[-1]) == ("suppressed", "withdrawn", "then: opted out")


@pytest.mark.parametrize("stop", [False, True])
def test_a_notice_waits_while_staff_decide_about_its_number(house: House, *, stop: bool) -> None:
    due_at = MONDAY + 30 * MINUTE
    number = house.plan(due_at=due_at, about_at=MONDAY + 2 * DAY)
    house.text("please stop texting me")
    house.poll(due_at)
    seen = house.see(number)
    assert (seen.state, seen.next_at, house.tasks("call")) == (NoticeState.PLANNED, due_at + LOOK_AGAIN, [])
    assert seen.because == "may want no more: held until staff decide"
    assert seen.why[-1].startswith("sms held: NO, ")
    house.clinic.do(house.clinic.supervisor, decide, _point(house), stop=stop, evidence="asked by phone")
    house.poll(due_at + LOOK_AGAIN)
    assert (len(house.sent()), len(house.tasks("call"))) == ((0, 1) if stop else (1, 0))


def test_a_claimed_text_to_a_number_that_is_then_held_waits_and_is_not_lost(house: House) -> None:
    house.plan()
    _handed_over(house)
    row = _claimed(house)
    house.clinic.text("please stop texting me")
    with house.crm.write(SYSTEM) as unit:
        fate = begin(unit, house.crm.gate, row)
        assert fate is not None
        settle(unit, row, fate, house.crm.observers, Tally())
    for late in (timedelta(0), LOOK_AGAIN):
        (waiting,) = outbox_rows(house.crm)
        assert (waiting["state"], waiting["due_at"]) == (Delivery.QUEUED, MONDAY + late + LOOK_AGAIN)
        assert (waiting["tries"], waiting["failure"]) == (0, None)
        house.clinic.at(waiting["due_at"])
        house.crm.courier.run_once()
    house.clinic.do(house.clinic.supervisor, decide, _point(house), stop=False, evidence="")
    with house.crm.write(SYSTEM) as unit:
        unit.execute(update(Outbox).values(due_at=unit.now))
    house.crm.courier.run_once()
    assert outbox_rows(house.crm)[0]["state"] == Delivery.SENT


def test_where_the_first_number_opted_out_it_goes_to_another_of_the_patients_own(house: House) -> None:
    house.clinic.text("hello", sender="+1 212 555 0199")
    other = _point(house, "+1 212 555 0199")
    house.clinic.do(SYSTEM, link_contact, house.clinic.patients["Ana"], other)
    with house.crm.write(SYSTEM) as unit:
        opt_out(unit, _point(house))
    number = house.plan(due_at=MONDAY + 20 * MINUTE)
    house.poll(MONDAY + 20 * MINUTE)
    assert (house.see(number).fate, outbox_rows(house.crm)[-1]["contact_point_id"]) == ("sent", other)
    assert house.see(number).why[:2] == ("sms opt-out: NO, opted out", "gateway: yes, spool")
