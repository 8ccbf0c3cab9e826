"""Templates in one conversation: only approved ones, with this patient's fields, in the patient's language."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from crm_core.access.model import Actor, Role
from crm_core.errors import NotFound
from crm_core.inbox.answering.answers import NotThisTemplate, reply
from crm_core.inbox.answering.filling import filled, offers, recent_keys
from crm_core.library.merge import MissingField
from crm_core.library.render import PersonalMissing, TemplateNotApproved, TemplatePastReview
from crm_core.library.service import approve, retire
from crm_core.library.tables import TemplateVersion
from crm_core.patients.tables import Patient
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import messages

BILL = "How much is my bill?"


@pytest.fixture
def approver(staff: StaffFactory) -> Actor:
    """One who approves templates."""
    return staff(Role.APPROVER)


def fill(clinic: Clinic, number: int | None, key: str, **more: str) -> str:
    """The text that would be sent."""
    return str(clinic.see(clinic.agent, filled, clinic.crm.gate, number, key, **more).text)


def test_what_ships_is_a_draft_and_is_neither_offered_nor_filled(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    assert clinic.see(clinic.agent, offers, clinic.crm.gate, number) == []
    with pytest.raises(TemplateNotApproved):
        fill(clinic, number, "billing_received")
    with pytest.raises(NotFound):
        fill(clinic, number, "no_such_template")


def test_an_approved_template_carries_the_patients_fields_and_no_brace(clinic: Clinic, approver: Actor) -> None:
    clinic.do(approver, approve, "billing_received")
    number = clinic.text(BILL).conversation_id
    text = fill(clinic, number, "billing_received")
    assert "Ana" in text
    assert clinic.agent.name.split()[0] in text
    assert "{" not in text
    offer = clinic.see(clinic.agent, offers, clinic.crm.gate, number)[0]
    assert (offer.key, offer.fits, offer.missing, offer.preview) == ("billing_received", True, (), text)


def test_an_unknown_sender_has_no_first_name_so_the_template_refuses(clinic: Clinic, approver: Actor) -> None:
    clinic.do(approver, approve, "billing_received")
    number = clinic.text(BILL, "+1 646 555 0188").conversation_id
    assert clinic.see(clinic.agent, offers, clinic.crm.gate, number)[0].missing != ()
    with pytest.raises(MissingField):
        fill(clinic, number, "billing_received")


def test_the_patients_language_is_spoken_where_it_is_approved_else_english(clinic: Clinic, approver: Actor) -> None:
    number = clinic.text(BILL, BO).conversation_id
    with clinic.crm.write(clinic.agent) as unit:
        unit.execute(update(Patient).where(Patient.id == clinic.patients["Bo"]).values(language="es-MX"))
    clinic.do(approver, approve, "other_received")
    assert fill(clinic, number, "other_received").startswith("Hi Bo")
    clinic.do(approver, approve, "other_received", language="es")
    assert fill(clinic, number, "other_received").startswith("Hola Bo")


def test_a_personal_sentence_is_asked_for_where_the_template_wants_one(clinic: Clinic, approver: Actor) -> None:
    clinic.do(approver, approve, "complaint_sorry")
    number = clinic.text("I want to file a complaint about the rude receptionist").conversation_id
    with pytest.raises(PersonalMissing):
        fill(clinic, number, "complaint_sorry")
    sentence = "You waited an hour, and nobody told you why."
    assert sentence in fill(clinic, number, "complaint_sorry", personal=sentence)


def test_past_its_review_date_it_is_neither_offered_nor_sent(clinic: Clinic, approver: Actor) -> None:
    clinic.do(approver, approve, "billing_received")
    number = clinic.text(BILL).conversation_id
    kept = clinic.see(clinic.agent, filled, clinic.crm.gate, number, "billing_received")
    with clinic.crm.read(clinic.agent) as unit:
        due = unit.scalar(select(TemplateVersion.review_due).where(TemplateVersion.id == kept.version_id))
    clinic.at(MONDAY + timedelta(days=(due - MONDAY.date()).days + 1))
    assert clinic.see(clinic.agent, offers, clinic.crm.gate, number) == []
    with pytest.raises(TemplatePastReview):
        fill(clinic, number, "billing_received")
    with pytest.raises(NotThisTemplate):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, kept.text, template_version_id=kept.version_id)


def test_a_template_retired_between_filling_and_sending_is_not_sent(clinic: Clinic, approver: Actor) -> None:
    clinic.do(approver, approve, "billing_received")
    number = clinic.text(BILL).conversation_id
    kept = clinic.see(clinic.agent, filled, clinic.crm.gate, number, "billing_received")
    clinic.do(approver, retire, "billing_received")
    with pytest.raises(NotThisTemplate):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, kept.text, template_version_id=kept.version_id)
    assert len(messages(clinic.crm)) == 1


def test_what_i_used_last_comes_first(clinic: Clinic, approver: Actor) -> None:
    for key in ("billing_received", "billing_ways_to_pay", "other_received"):
        clinic.do(approver, approve, key)
    number = clinic.text(BILL).conversation_id
    used = clinic.see(clinic.agent, filled, clinic.crm.gate, number, "other_received")
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, used.text, template_version_id=used.version_id)
    assert clinic.see(clinic.agent, recent_keys) == ["other_received"]
    assert clinic.see(clinic.supervisor, recent_keys) == []
    second = clinic.text(BILL, BO).conversation_id
    shown = clinic.see(clinic.agent, offers, clinic.crm.gate, second)
    assert [offer.recent for offer in shown if offer.key == "other_received"] == [True]
    found = clinic.see(clinic.agent, offers, clinic.crm.gate, second, "ways pay")
    assert found[0].key == "billing_ways_to_pay"
