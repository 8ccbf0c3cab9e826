"""An answer to what came by a portal goes the way that the patient ranked first."""

from __future__ import annotations

from crm_core.access.model import SYSTEM
from crm_core.inbox.answering.answers import reply
from crm_core.patients.model import DraftIdentifier, PatientDraft
from crm_core.patients.preferences import prefer
from crm_core.patients.saving import save_many
from crm_core.words import Channel
from tests.inbox.conftest import Clinic
from tests.inbox.looking import outbox_rows
from tests.patients.people import email, phone


def test_an_answer_to_a_portal_goes_the_way_that_was_ranked_first(clinic: Clinic) -> None:
    draft = PatientDraft(
        given="Cy",
        family="Ode",
        identifiers=(DraftIdentifier(system="urn:test", value="1003", kind="MR"),),
        contacts=(phone("+1 212 555 0103", rank=1), email("cy@example.org", rank=2)),
    )
    cy = clinic.do(SYSTEM, save_many, [draft])[0].patient_id
    went = []
    for order in ((), (Channel.EMAIL, Channel.SMS), (Channel.SMS,)):
        clinic.do(clinic.agent, prefer, cy, order)
        number = clinic.text("Is the form in?", "cy@example.org", channel=Channel.PORTAL).conversation_id
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Yes, it is.", subject="Your form")
        went.append(outbox_rows(clinic.crm)[-1]["channel"])
    assert went == [Channel.SMS, Channel.EMAIL, Channel.SMS]
