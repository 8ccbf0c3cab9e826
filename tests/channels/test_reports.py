"""What providers report later: sent, delivered, failed, whatever the order and however often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from crm_core.access.model import SYSTEM
from crm_core.channels.letters import letter_name
from crm_core.channels.model import Delivery, Report
from crm_core.channels.reports import Reported, report
from crm_core.channels.tables import Outbox
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.answering.deliveries import InboxSendObserver
from crm_core.inbox.handling import close
from crm_core.inbox.model import State
from crm_core.patients.tables import ContactPoint
from tests.channels.conftest import Line
from tests.inbox.conftest import ANA, Clinic
from tests.inbox.looking import outbox_rows, tags
from tests.inbox.test_letters import letter, patient

OBSERVERS = (InboxSendObserver(),)


def sent(line: Line, text: str = "It is 20 dollars.", **more: Any) -> int:
    """A conversation whose answer has left; its id."""
    number = line.clinic.text("How much is my bill?", ANA, **more).conversation_id
    assert number is not None
    line.clinic.do(line.clinic.agent, reply, line.gate, number, text)
    assert line.courier.run_once().sent == 1
    return number


def told(line: Line, fate: Report = Report.FAILED, **more: Any) -> bool:
    """The provider reports of the newest message; whether it was known."""
    row = outbox_rows(line.clinic.crm)[-1]
    at = line.clinic.crm.clock.now()
    one = Reported(**{"source": "example", "provider_id": row["provider_id"], "fate": fate, "at": at, **more})
    with line.clinic.crm.write(SYSTEM) as unit:
        return report(unit, one, OBSERVERS)


def point(line: Line) -> Any:
    """What is known of Ana's number."""
    with line.clinic.crm.read(SYSTEM) as unit:
        return unit.execute(
            select(ContactPoint.opted_out_at, ContactPoint.invalid_reason)
            .join(Outbox, Outbox.contact_point_id == ContactPoint.id)
            .limit(1)
        ).one()


def test_a_delivered_report_marks_the_row_and_leaves_the_conversation_alone(line: Line) -> None:
    number = sent(line)
    before = line.clinic.now_at(number)
    line.clinic.at(line.clinic.crm.clock.now() + timedelta(minutes=2))
    assert told(line, Report.DELIVERED)
    (row,) = outbox_rows(line.clinic.crm)
    assert (row["state"], row["reported"], row["reported_at"]) == (
        Delivery.SENT,
        Report.DELIVERED,
        line.clinic.crm.clock.now(),
    )
    after = line.clinic.now_at(number)
    assert (after.state, after.next_action) == (before.state, before.next_action)
    assert "message:outbound:delivered" in tags(line.clinic.crm)


def test_a_failed_report_brings_a_closed_conversation_back_with_the_reason_and_a_task(line: Line) -> None:
    number = sent(line)
    line.clinic.do(line.clinic.agent, close, number, outcome="resolved")
    assert told(line, code="30003", reason="unreachable")
    (row,) = outbox_rows(line.clinic.crm)
    assert (row["state"], row["failure"]) == (Delivery.FAILED, "not delivered: 30003 unreachable")
    seen = line.clinic.now_at(number)
    assert seen.state is State.OPEN
    assert "not delivered" in str(seen.next_action)
    assert tags(line.clinic.crm).count("task:record:created") == 1
    assert point(line) == (None, None)


def test_a_dead_number_is_marked_and_gets_no_more(line: Line) -> None:
    sent(line)
    told(line, code="30005", permanent=True)
    assert point(line).invalid_reason == "example 30005"


def test_a_carriers_opt_out_opts_the_number_out_once_and_not_again_after_it_opted_in(line: Line) -> None:
    number = sent(line)
    line.clinic.do(line.clinic.agent, reply, line.gate, number, "One more thing.")
    first, second = outbox_rows(line.clinic.crm)
    opted_out = {"provider_id": first["provider_id"], "code": "21610", "opted_out": True}
    told(line, **opted_out)
    assert point(line).opted_out_at is not None
    assert outbox_rows(line.clinic.crm)[1]["state"] is Delivery.SUPPRESSED
    assert second["state"] is Delivery.QUEUED
    line.clinic.text("START")
    told(line, **opted_out)
    assert point(line).opted_out_at is None


@pytest.mark.parametrize(
    "order",
    [
        (Report.DELIVERED, Report.FAILED),
        (Report.FAILED, Report.DELIVERED),
        (Report.FAILED, Report.FAILED, Report.DELIVERED, Report.DELIVERED, Report.FAILED),
    ],
)
def test_reports_in_any_order_and_twice_end_the_same(line: Line, order: tuple[Report, ...]) -> None:
    sent(line)
    assert [told(line, fate, code="30003") for fate in order] == [True] * len(order)
    (row,) = outbox_rows(line.clinic.crm)
    assert (row["state"], row["reported"]) == (Delivery.FAILED, Report.FAILED)
    seen = tags(line.clinic.crm)
    assert (seen.count("message:outbound:failed"), seen.count("task:record:created")) == (1, 1)


def test_a_report_of_what_is_not_ours_changes_nothing_and_says_so(line: Line) -> None:
    sent(line)
    before = outbox_rows(line.clinic.crm)
    assert not told(line, provider_id="p-somebody-else")
    assert not told(line, source="other")
    assert not told(line, provider_id=None, attempt="0" * 32)
    assert outbox_rows(line.clinic.crm) == before


def test_a_report_of_what_has_not_left_by_our_own_knowledge_is_not_believed(line: Line) -> None:
    number = line.clinic.text("How much is my bill?", ANA).conversation_id
    line.clinic.do(line.clinic.agent, reply, line.gate, number, "It is 20 dollars.")
    with line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Outbox).values(gateway="example", provider_id="p-1"))
    assert told(line)
    assert outbox_rows(line.clinic.crm)[0]["state"] is Delivery.QUEUED


def test_a_report_settles_what_nobody_knew_of(line: Line) -> None:
    number = line.clinic.text("How much is my bill?", ANA).conversation_id
    line.provider.mood, line.provider.asked = "rude", "mute"
    line.clinic.do(line.clinic.agent, reply, line.gate, number, "It is 20 dollars.")
    assert line.courier.run_once().unknown == 1
    with line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Outbox).values(provider_id="p-1"))
    assert told(line, Report.DELIVERED)
    (row,) = outbox_rows(line.clinic.crm)
    assert (row["state"], row["failure"]) == (Delivery.SENT, None)
    assert line.clinic.now_at(number).state is State.WAITING_PATIENT


def test_a_bounce_finds_its_letter_by_our_own_part_of_the_message_id(clinic: Clinic) -> None:
    patient(clinic, "Mia", "mia@example.org", "2001")
    number = letter(clinic, "How much is my bill?", sender="mia@example.org").conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", subject="Your bill")
    assert clinic.crm.courier.run_once().sent == 1
    with clinic.crm.read(SYSTEM) as unit:
        named = letter_name(unit, outbox_rows(clinic.crm)[0]["dedup_key"])
    bounce = Reported(
        source="smtp",
        attempt=named,
        fate=Report.FAILED,
        permanent=True,
        code="5.1.1",
        at=clinic.crm.clock.now(),
    )
    with clinic.crm.write(SYSTEM) as unit:
        assert report(unit, bounce, OBSERVERS)
    assert outbox_rows(clinic.crm)[0]["failure"] == "not delivered: 5.1.1"
    assert clinic.now_at(number).state is State.OPEN
