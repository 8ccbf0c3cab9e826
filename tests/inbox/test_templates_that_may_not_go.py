"""What refuses to send a template, by the way a real answer goes, and in which order templates are offered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.access.model import Actor, Role
from crm_core.channels.outbox import NotSendable
from crm_core.inbox.answering.answers import NotThisTemplate, reply
from crm_core.inbox.answering.filling import filled, offers
from crm_core.inbox.answering.macros import answer
from crm_core.inbox.template_uses import template_uses
from crm_core.inbox.undo import undo_last
from crm_core.library import queries, service, writing
from crm_core.library.render import PersonalCopied, PersonalMissing
from tests.conftest import StaffFactory
from tests.inbox.conftest import Clinic
from tests.inbox.looking import messages, statements
from tests.library.conftest import text as template

BILL = "How much is my bill?"


@pytest.fixture
def approver(staff: StaffFactory) -> Actor:
    """One who approves templates."""
    return staff(Role.APPROVER)


def arrived(clinic: Clinic, words: str = BILL) -> int:
    number = clinic.text(words).conversation_id
    assert number is not None
    return number


def outgoing(clinic: Clinic) -> int:
    return sum(row["direction"] == "out" for row in messages(clinic.crm))


@pytest.mark.parametrize("submitted", [False, True])
def test_a_draft_and_what_is_in_review_are_not_sent_even_by_their_number(clinic: Clinic, submitted: bool) -> None:
    (version,) = clinic.do(clinic.nurse, writing.write, template(), above=None).drafted
    if submitted:
        clinic.do(clinic.nurse, service.submit, "hello")
    number = arrived(clinic)
    with pytest.raises(NotThisTemplate):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Hi Ana.", template_version_id=version)
    assert outgoing(clinic) == 0


def test_what_passed_its_review_between_filling_and_sending_is_not_sent(clinic: Clinic, approver: Actor) -> None:
    clinic.do(clinic.nurse, writing.write, template(review_months=1), above=None)
    version = clinic.do(approver, service.approve, "hello")
    clinic.at(clinic.crm.clock.now() + timedelta(days=31))
    number = arrived(clinic)
    with pytest.raises(NotThisTemplate):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Hi Ana.", template_version_id=version)
    assert outgoing(clinic) == 0


@pytest.mark.parametrize("words", ["Hi {first_name}, it is ready.", "Hi {{ patient.first_name }}"])
def test_a_field_that_nobody_filled_in_never_reaches_a_patient_whoever_typed_it(clinic: Clinic, words: str) -> None:
    number = arrived(clinic)
    with pytest.raises(NotSendable, match="a field that was not filled in"):
        clinic.do(clinic.agent, reply, clinic.crm.gate, number, words)
    assert outgoing(clinic) == 0


def test_a_personal_part_that_is_blank_or_a_copy_does_not_make_a_text(clinic: Clinic, approver: Actor) -> None:
    made = template(body="Hi {{ patient.first_name }}. {{ personal }}", needs_personal=True)
    clinic.do(clinic.nurse, writing.write, made, above=None)
    clinic.do(approver, service.approve, "hello")
    number = arrived(clinic)
    for personal, refusal in ((None, PersonalMissing), (" \n ", PersonalMissing), ("hi ana", PersonalCopied)):
        with pytest.raises(refusal):
            clinic.see(clinic.agent, filled, clinic.crm.gate, number, "hello", personal=personal)
    text = clinic.see(clinic.agent, filled, clinic.crm.gate, number, "hello", personal="Your form is here.").text
    assert text == "Hi Ana. Your form is here."


def test_what_was_sent_is_counted_and_what_was_taken_back_is_not(clinic: Clinic, approver: Actor) -> None:
    clinic.do(clinic.nurse, writing.write, template(), above=None)
    version = clinic.do(approver, service.approve, "hello")
    number, hold = arrived(clinic), timedelta(seconds=15)
    more = {"template_version_id": version, "hold": hold}
    clinic.do(clinic.agent, answer, clinic.crm.gate, number, "Hi Ana.", **more)
    clinic.do(clinic.agent, undo_last, number)
    with statements(clinic.crm.store.reading) as heard:
        assert clinic.see(approver, template_uses) == {}
    assert len([one for one in heard if "message" in one]) == 1
    for _ in range(2):
        clinic.do(clinic.agent, answer, clinic.crm.gate, number, "Hi Ana.", **more)
    used = clinic.see(approver, template_uses)[version]
    assert (used.count, used.last_at) == (2, clinic.crm.clock.now())


def test_what_fits_the_category_comes_first_then_what_i_used_lately_and_a_macro_says_so(
    clinic: Clinic, approver: Actor
) -> None:
    for key, categories in (("alpha", ["other"]), ("beta", ["billing"]), ("gamma", ["other"])):
        made = template(key=key, title=key.title(), categories=categories, then={"close": "resolved"})
        clinic.do(clinic.nurse, writing.write, made, above=None)
        clinic.do(approver, service.approve, key)
    number = arrived(clinic)
    (gamma,) = [view.id for view in clinic.see(clinic.agent, queries.approved) if view.key == "gamma"]
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "Hi Ana.", template_version_id=gamma)
    found = clinic.see(clinic.agent, offers, clinic.crm.gate, number)
    assert [(offer.key, offer.fits, offer.recent) for offer in found] == [
        ("beta", True, False),
        ("gamma", False, True),
        ("alpha", False, False),
    ]
    assert {offer.then for offer in found} == {"closes as resolved"}


def test_opening_the_picker_costs_the_same_statements_however_many_templates_there_are(
    clinic: Clinic, approver: Actor
) -> None:
    number = arrived(clinic)
    clinic.do(clinic.nurse, writing.write, template(), above=None)
    clinic.do(approver, service.approve, "hello")

    def cost() -> int:
        with statements(clinic.crm.store.reading) as heard:
            assert clinic.see(clinic.agent, offers, clinic.crm.gate, number)
        return len(heard)

    few = cost()
    keys = [f"more_{letter}" for letter in "abcdefghijklmnop"]
    clinic.do(clinic.nurse, writing.write_all, [template(key=key, title=key) for key in keys])
    for key in keys:
        clinic.do(approver, service.approve, key)
    assert cost() == few
    assert few <= 15
