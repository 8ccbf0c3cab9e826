"""What patients asked for binds every sender at the gate: people, automation, and what is on its way already."""

from __future__ import annotations

import pytest

from crm_core.access.model import SYSTEM
from crm_core.channels.consent.deciding import hold
from crm_core.channels.consent.service import ask_for_confidence, end_confidence
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import NotSendable
from crm_core.inbox.answering.answers import reply
from crm_core.patients.model import ContactKind, Relation
from crm_core.patients.proxies import add_proxy, end_proxy, proxies
from crm_core.patients.service import ensure_contact_point
from crm_core.words import Channel, Purpose
from tests.channels.consent.said import GRANTED, WITHDRAWN, point_of, queue, say
from tests.inbox.conftest import Clinic
from tests.inbox.looking import outbox_rows

MOTHER = "+1 212 555 0188"


def only_by(clinic: Clinic, channel: Channel) -> None:
    """Ana asks to be reached that way and no other."""
    ana = clinic.patients["Ana"]
    clinic.do(clinic.agent, ask_for_confidence, ana, channel=channel, contact_point_id=None, words="not by text")


def test_a_request_for_one_way_only_binds_people_automation_and_what_is_on_its_way(clinic: Clinic) -> None:
    number = clinic.text("How much is my bill?").conversation_id
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    only_by(clinic, Channel.EMAIL)
    clinic.crm.courier.run_once()
    (row,) = outbox_rows(clinic.crm)
    assert row["state"] is Delivery.SUPPRESSED
    assert "email only" in row["failure"]
    with pytest.raises(NotSendable, match="email only"):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")
    with pytest.raises(NotSendable, match="email only"):
        queue(clinic, "Ana", point_of(clinic, 0), "visit-1")
    queue(clinic, "Bo", point_of(clinic, 1), "visit-2")
    clinic.do(clinic.agent, end_confidence, clinic.patients["Ana"])
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.")


def test_outreach_goes_only_where_it_was_granted_and_not_taken_back(clinic: Clinic) -> None:
    point = point_of(clinic, 0)
    with pytest.raises(NotSendable, match="needs a yes"):
        queue(clinic, "Ana", point, "walk-1", purpose=Purpose.OUTREACH)
    say(clinic, "Ana", GRANTED)
    queue(clinic, "Ana", point, "walk-2", purpose=Purpose.OUTREACH)
    say(clinic, "Ana", WITHDRAWN)
    clinic.crm.courier.run_once()
    (row,) = outbox_rows(clinic.crm)
    assert row["state"] is Delivery.SUPPRESSED
    assert "withdrawn" in row["failure"]


def test_while_a_number_is_held_nothing_automatic_is_queued_to_it(clinic: Clinic) -> None:
    clinic.do(SYSTEM, hold, point_of(clinic, 0), "M-1")
    with pytest.raises(NotSendable, match="until staff decide"):
        queue(clinic, "Ana", point_of(clinic, 0), "visit-1")


def test_what_is_for_a_patient_goes_to_a_proxy_only_who_receives_and_only_as_long(clinic: Clinic) -> None:
    ana = clinic.patients["Ana"]
    point = clinic.do(SYSTEM, ensure_contact_point, ContactKind.PHONE, MOTHER)
    who = {"name": "Ida Lopez", "relation": Relation.PARENT, "contact_point_id": point}
    clinic.do(clinic.agent, add_proxy, ana, may_speak=True, may_receive=False, **who)
    received = clinic.text("How much is Ana's bill?", MOTHER)
    assert received.patient_id == ana
    with pytest.raises(NotSendable, match="not on the patient's record"):
        clinic.do(clinic.agent, reply, clinic.crm.gate, received.conversation_id, "Ana's bill is 20 dollars.")
    clinic.do(clinic.agent, add_proxy, ana, may_speak=False, may_receive=True, **who)
    clinic.do(clinic.agent, reply, clinic.crm.gate, received.conversation_id, "Ana's bill is 20 dollars.")
    for one in clinic.see(clinic.agent, proxies, ana):
        clinic.do(clinic.agent, end_proxy, ana, one.id)
    clinic.crm.courier.run_once()
    assert [row["state"] for row in outbox_rows(clinic.crm)] == [Delivery.SUPPRESSED]


def test_a_proxy_who_is_a_patient_too_is_told_by_name_whom_it_is_about(clinic: Clinic) -> None:
    ana = clinic.patients["Ana"]
    clinic.patient("Ida", "Lopez", MOTHER, "1004")
    point = point_of(clinic, 2)
    who = {"name": "Ida Lopez", "relation": Relation.PARENT, "contact_point_id": point}
    clinic.do(clinic.agent, add_proxy, ana, may_speak=False, may_receive=True, **who)
    assert queue(clinic, "Ana", point, "visit-1")
    with pytest.raises(NotSendable, match="not on the patient's record"):
        queue(clinic, "Bo", point, "visit-2")
