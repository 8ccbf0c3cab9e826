"""Drafts: one for each conversation and author, kept, and shown to nobody else."""

from __future__ import annotations

import pytest

from crm_core.access.model import Role
from crm_core.app import open_crm
from crm_core.errors import NotFound
from crm_core.inbox.answering.drafts import my_draft, save_draft
from crm_core.settings import Settings
from tests.conftest import MASTER, StaffFactory
from tests.inbox.conftest import BO, Clinic
from tests.inbox.looking import audited

BILL = "How much is my bill?"


def body(clinic: Clinic, actor, number: int | None) -> str | None:  # type: ignore[no-untyped-def]
    """What my draft says."""
    found = clinic.see(actor, my_draft, number)
    return None if found is None else str(found.body)


def test_a_draft_belongs_to_its_conversation_and_its_author(clinic: Clinic) -> None:
    first, second = (clinic.text(BILL, sender).conversation_id for sender in ("+1 212 555 0101", BO))
    clinic.do(clinic.agent, save_draft, first, "Hello Ana")
    clinic.do(clinic.supervisor, save_draft, first, "Hello from me")
    assert body(clinic, clinic.agent, first) == "Hello Ana"
    assert body(clinic, clinic.supervisor, first) == "Hello from me"
    assert body(clinic, clinic.agent, second) is None
    assert not any("Hello" in message.body for message in clinic.now_at(first).messages)


def test_the_last_words_stand_and_an_empty_text_drops_it(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    clinic.do(clinic.agent, save_draft, number, "Hel", template_key="other_received")
    clinic.do(clinic.agent, save_draft, number, "Hello", internal=True)
    kept = clinic.see(clinic.agent, my_draft, number)
    assert (kept.body, kept.internal, kept.template_key) == ("Hello", True, None)
    clinic.do(clinic.agent, save_draft, number, " \n")
    assert body(clinic, clinic.agent, number) is None
    clinic.do(clinic.agent, save_draft, number, "")


def test_a_draft_outlives_the_program(clinic: Clinic, settings: Settings) -> None:
    number = clinic.text(BILL).conversation_id
    clinic.do(clinic.agent, save_draft, number, "Hello Ana")
    with open_crm(settings, master=MASTER, clock=clinic.crm.clock) as again, again.read(clinic.agent) as unit:
        assert number is not None
        kept = my_draft(unit, number)
        assert kept is not None
        assert kept.body == "Hello Ana"


def test_a_draft_is_not_begun_in_a_foreign_lane(clinic: Clinic, staff: StaffFactory) -> None:
    number = clinic.text(BILL).conversation_id
    with pytest.raises(NotFound):
        clinic.do(staff(Role.COORDINATOR), save_draft, number, "Hello")


def test_saving_a_draft_is_not_audited(clinic: Clinic) -> None:
    number = clinic.text(BILL).conversation_id
    before = len(audited(clinic.crm))
    clinic.do(clinic.agent, save_draft, number, "Hello Ana")
    clinic.do(clinic.agent, save_draft, number, "Hello Ana, it is")
    assert len(audited(clinic.crm)) == before
