"""An automatic letter can be unsubscribed from, by its reader alone, and answers of people still arrive."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.channels.gate import Candidate
from crm_core.channels.gateways.base import Outgoing
from crm_core.channels.gateways.letter import letter as written
from crm_core.channels.letters import letter_name
from crm_core.channels.model import Handled
from crm_core.channels.outbox import NotSendable, Posting, post
from crm_core.channels.tables import Outbox
from crm_core.patients.tables import PatientContact
from crm_core.words import Channel, Purpose
from tests.inbox.conftest import Clinic
from tests.inbox.test_letters import letter, patient

MIA = "mia@example.org"
DESK = "Front Desk <desk@clinic.example>"


def told(clinic: Clinic, patient_id: int, purpose: Purpose = Purpose.NOTICE) -> str:
    """An automatic letter of that purpose is queued to Mia; returns its name. NotSendable where it may not be."""
    with clinic.crm.write(SYSTEM) as unit:
        point = unit.scalar(select(PatientContact.contact_point_id).where(PatientContact.patient_id == patient_id))
        candidate = Candidate(
            channel=Channel.EMAIL,
            contact_point_id=point,
            patient_id=patient_id,
            text="Our front desk is closed on Friday.",
            first_name="Mia",
            subject="Closed on Friday",
            purpose=purpose,
            automatic=True,
        )
        posting = Posting(conversation_id=None, candidate=candidate, author_id=None)
        message_id = post(unit, clinic.crm.gate, posting)
        key = unit.scalar(select(Outbox.dedup_key).where(Outbox.message_id == message_id))
        return letter_name(unit, key)


def asked(name: str) -> str:
    """The subject that a mail program would send, by the header of that letter."""
    outgoing = Outgoing(attempt_id="a", to=MIA, body="x", letter_name=name, automatic=True, optional=True)
    header = str(written(outgoing, DESK, answers_are_read=True)["List-Unsubscribe"]).replace("\n", "").replace(" ", "")
    address, _, subject = header.strip("<>").removeprefix("mailto:").partition("?subject=")
    assert address == "desk@clinic.example"
    return unquote(subject)


def test_a_reader_who_unsubscribes_gets_no_more_letters_of_that_kind(clinic: Clinic) -> None:
    mia = patient(clinic, "Mia", MIA, "2001")
    name = told(clinic, mia)
    received = letter(clinic, "", sender=MIA, subject=asked(name))
    assert (received.handled_by, received.conversation_id) == (Handled.OPT_OUT, None)
    clinic.at(clinic.crm.clock.now() + timedelta(days=8))
    with pytest.raises(NotSendable):
        told(clinic, mia)
    assert told(clinic, mia, Purpose.REMINDER)


def test_what_is_written_beside_it_is_read_by_people(clinic: Clinic) -> None:
    mia = patient(clinic, "Mia", MIA, "2001")
    received = letter(clinic, "And why was I charged twice?", sender=MIA, subject=asked(told(clinic, mia)))
    assert received.conversation_id is not None
    clinic.at(clinic.crm.clock.now() + timedelta(days=8))
    with pytest.raises(NotSendable):
        told(clinic, mia)


def test_nobody_else_can_unsubscribe_an_address(clinic: Clinic) -> None:
    mia = patient(clinic, "Mia", MIA, "2001")
    name = told(clinic, mia)
    for sender, subject in ((MIA, "unsubscribe " + "0" * 32), ("eve@example.org", asked(name))):
        assert letter(clinic, "", sender=sender, subject=subject).handled_by is not Handled.OPT_OUT
    clinic.at(clinic.crm.clock.now() + timedelta(days=8))
    assert told(clinic, mia)
    # The bare word is a carriers' word, and ends all letters to the address that wrote it.
    assert letter(clinic, "", sender=MIA, subject="unsubscribe").handled_by is Handled.OPT_OUT


def test_only_what_nobody_asked_for_offers_it_and_only_where_answers_are_read() -> None:
    def offers(*, optional: bool, answers_are_read: bool) -> bool:
        outgoing = Outgoing(attempt_id="a", to=MIA, body="x", letter_name="f" * 32, automatic=True, optional=optional)
        return written(outgoing, DESK, answers_are_read=answers_are_read)["List-Unsubscribe"] is not None

    assert [offers(optional=one, answers_are_read=two) for one in (True, False) for two in (True, False)] == [
        True,
        False,
        False,
        False,
    ]
