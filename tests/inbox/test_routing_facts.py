"""What rules may ask beside the text: the sender's choice, segments, ages, what is pending; and whom they assign."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM, Role
from crm_core.access.roster import set_capacity
from crm_core.access.service import disable
from crm_core.app import Crm
from crm_core.inbox.routing.conditions import AgeGroup, Pending
from crm_core.inbox.routing.facts import ROUTING_FACTS, Person
from crm_core.inbox.tables import STILL_OPEN, Conversation
from crm_core.inbox.thread import why_here
from crm_core.patients.model import ContactKind, DraftContact, PatientDraft
from crm_core.patients.saving import save_many
from crm_core.vault.sealed import Shown
from crm_core.words import Channel, Priority
from crm_core.work.units import ReadUnit
from tests.conftest import MONDAY, StaffFactory
from tests.inbox.conftest import ANA, BO, Clinic
from tests.inbox.looking import audited, statements, stored, verbs
from tests.inbox.own_rules import own_playbook, put_in_force, rule

CHILD, LUZ, STRANGER = "+1 212 555 0133", "+1 212 555 0134", "+1 646 555 0177"
TO_BILLING = 'category = "billing"'
HELLO = "Hello there"


def somebody(crm: Crm, phone: str, *, birth_date: str | None = "1980-05-01", language: str = "en") -> int:
    """One more patient, of any age and language."""
    contact = DraftContact(kind=ContactKind.PHONE, value=phone)
    draft = PatientDraft(given="Kim", family="Doe", birth_date=birth_date, language=language, contacts=(contact,))
    with crm.write(SYSTEM) as unit:
        patient_id = save_many(unit, [draft])[0].patient_id
    assert patient_id is not None
    return patient_id


def opened_birth_dates(crm: Crm) -> int:
    """How often the record of a patient was opened, by the audit."""
    return sum(row["tag"] == "patient:record:opened" for row in audited(crm))


@pytest.mark.parametrize(
    ("choice", "subject", "lane"),
    [
        ("billing", None, "billing"),
        ("BILLING!", None, "billing"),
        ("Money matters", None, "billing"),
        (None, "money   matters", "billing"),
        (None, "Hello", "front_desk"),
        ("astrology", None, "front_desk"),
        (None, None, "front_desk"),
    ],
)
def test_what_the_sender_chose_in_a_form_is_known_by_key_title_or_the_forms_own_words(
    clinic: Clinic, choice: str | None, subject: str | None, lane: str
) -> None:
    title = ('title = "Billing"', 'title = "Billing"\nasked_as = ["Money matters"]')
    chose = rule("chose", 'field = "category", op = "is_any", value = ["billing"]', TO_BILLING)
    put_in_force(clinic.crm, own_playbook(rules=chose, changed={"categories.toml": title}))
    got = clinic.text(HELLO, channel=Channel.PORTAL, category_hint=choice, subject=subject)
    assert got.lane == lane


def test_a_choice_is_kept_sealed_and_told_among_the_reasons(clinic: Clinic) -> None:
    chose = rule("chose", 'field = "category", op = "is_any", value = ["billing"]', TO_BILLING)
    put_in_force(clinic.crm, own_playbook(rules=chose))
    got = clinic.text(HELLO, channel=Channel.WEBFORM, category_hint="Billing")
    assert "  category is any billing: yes, it is billing" in clinic.see(clinic.agent, why_here, got.conversation_id)


def test_a_rule_on_age_opens_the_birth_date_audited_and_other_rules_open_nothing(clinic: Clinic) -> None:
    child = somebody(clinic.crm, CHILD, birth_date="2015-11-24")
    clinic.text(HELLO, CHILD)
    assert opened_birth_dates(clinic.crm) == 0
    minor = rule("minor", 'field = "age_group", op = "is_any", value = ["minor"]', TO_BILLING)
    put_in_force(clinic.crm, own_playbook(rules=minor))
    assert clinic.text(HELLO, BO).lane == "front_desk"
    assert opened_birth_dates(clinic.crm) == 1
    other = somebody(clinic.crm, LUZ, birth_date="2015-11-24")
    assert clinic.text(HELLO, LUZ).lane == "billing"
    assert [row["actor_id"] for row in audited(clinic.crm) if row["tag"] == "patient:record:opened"] == [0, 0]
    assert child != other


def test_rules_that_ask_nothing_of_the_patient_cost_no_statement(clinic: Clinic) -> None:
    with statements(clinic.crm.store.writing) as sent:
        clinic.text(HELLO)
    assert not [text for text in sent if "patient.birth_date" in text or "patient.language" in text]


@pytest.mark.parametrize(
    ("birth_date", "group"),
    [
        ("2008-11-23", AgeGroup.ADULT),
        ("2008-11-24", AgeGroup.MINOR),
        ("2008", None),
        ("2007", AgeGroup.ADULT),
        ("2009", AgeGroup.MINOR),
        ("2008-10", AgeGroup.ADULT),
        ("2008-11", None),
        ("unknown", None),
        (None, None),
    ],
)
def test_who_is_eighteen_on_the_day_of_the_text_is_of_age_and_a_partial_date_is_not_guessed_from(
    birth_date: str | None, group: AgeGroup | None
) -> None:
    person = Person(language=None, birth_date=Shown(birth_date) if birth_date else None)
    assert person.age_group(MONDAY.date()) is group


def test_a_segment_holds_those_of_whom_everything_is_known_to_be_so(clinic: Clinic) -> None:
    segment = """
[segment.spanish_children]
title = "Children who prefer Spanish"
all = [
  { field = "language", op = "is_none", value = ["en"] },
  { field = "age_group", op = "is_any", value = ["minor"] },
]
"""
    asks = rule("asks", 'field = "segment", op = "is_any", value = ["spanish_children"]', TO_BILLING)
    put_in_force(clinic.crm, own_playbook(rules=asks, segments=segment))
    somebody(clinic.crm, CHILD, birth_date="2015-11-24", language="es-MX")
    somebody(clinic.crm, LUZ, birth_date="1980-11-24", language="es")
    got = clinic.text(HELLO, CHILD)
    assert got.lane == "billing"
    assert any("segment is any spanish_children: yes" in line.replace(" children", "_children") for line in got.why)
    assert clinic.text(HELLO, LUZ).lane == "front_desk"
    assert clinic.text(HELLO, ANA).lane == "front_desk"
    assert clinic.text(HELLO, STRANGER).lane == "front_desk"


class OpenRequests:
    """Takes an open conversation in the referrals lane for a pending referral: as a real room would, from its rows."""

    kind = Pending.REFERRAL

    def pending(self, unit: ReadUnit, patient_id: int, at: datetime) -> bool:
        """Whether the patient has one that began before then."""
        mine = select(Conversation.id).where(
            Conversation.patient_id == patient_id, Conversation.category == "referral", Conversation.opened_at < at
        )
        return unit.scalar(mine.where(STILL_OPEN)) is not None


def test_what_is_pending_is_asked_of_the_room_that_keeps_it(clinic: Clinic) -> None:
    clinic.crm.units.shared[ROUTING_FACTS] = (OpenRequests(),)
    asks = rule(
        "asks", 'field = "pending", op = "is_any", value = ["referral"]', 'category = "other"\npriority = "urgent"'
    )
    asks += rule("never", 'field = "pending", op = "is_any", value = ["appointment"]', 'category = "billing"')
    put_in_force(clinic.crm, own_playbook(rules=asks))
    first = clinic.text("I need a referral to a dermatologist")
    assert first.category == "referral"
    clinic.at(MONDAY.replace(hour=16))
    again = clinic.text("Any news?")
    assert (again.conversation_id, again.priority) == (first.conversation_id, Priority.URGENT)
    assert clinic.text("Any news?", BO).priority == Priority.ROUTINE


def test_of_what_no_room_keeps_nothing_is_pending(clinic: Clinic) -> None:
    asks = rule("asks", 'field = "pending", op = "is_any", value = ["appointment", "referral"]', TO_BILLING)
    asks += rule("not", 'field = "pending", op = "is_none", value = ["appointment"]', 'category = "records_request"')
    put_in_force(clinic.crm, own_playbook(rules=asks))
    got = clinic.text(HELLO)
    assert got.lane == "records"
    assert "  pending is none appointment: yes, it is unknown" in clinic.see(
        clinic.agent, why_here, got.conversation_id
    )


def to_rosa(clinic: Clinic) -> None:
    """Bills are Rosa's."""
    bills = rule("bills", 'field = "text", op = "contains_any", value = ["bill"]', TO_BILLING + '\nassign = "rosa"')
    put_in_force(clinic.crm, own_playbook(rules=bills))


def test_a_rule_gives_what_it_takes_to_the_person_it_names(clinic: Clinic, staff: StaffFactory) -> None:
    rosa = staff(Role.AGENT, name="rosa")
    to_rosa(clinic)
    got = clinic.text("How much is my bill?")
    assert stored(clinic.crm, got.conversation_id)["owner_id"] == rosa.staff_id
    assert "assigned" in verbs(clinic.crm, got.conversation_id)
    lines = clinic.see(clinic.agent, why_here, got.conversation_id)
    assert "  goes to rosa: yes, Rosa works billing" in lines
    assert clinic.text("Hello", BO).lane == "front_desk"


def test_what_a_rule_assigns_is_nobodys_where_that_person_cannot_have_it(clinic: Clinic, staff: StaffFactory) -> None:
    to_rosa(clinic)

    def owner_and_why(sender: str) -> tuple[int | None, str]:
        number = clinic.text("How much is my bill?", sender).conversation_id
        lines = clinic.see(clinic.supervisor, why_here, number)
        return stored(clinic.crm, number)["owner_id"], next(line for line in lines if "goes to rosa" in line)

    assert owner_and_why(ANA) == (None, "  goes to rosa: no, there is no such account")
    rosa = staff(Role.NURSE, name="rosa")
    assert owner_and_why(BO) == (None, "  goes to rosa: no, does not work billing")
    with clinic.crm.write(SYSTEM) as unit:
        disable(unit, rosa.staff_id)
    assert owner_and_why(STRANGER) == (None, "  goes to rosa: no, the account is disabled")


def test_what_a_rule_assigns_is_nobodys_where_that_person_is_full(clinic: Clinic, staff: StaffFactory) -> None:
    rosa = staff(Role.AGENT, name="rosa")
    with clinic.crm.write(SYSTEM) as unit:
        set_capacity(unit, rosa.staff_id, 1)
    to_rosa(clinic)
    first, second = (clinic.text("How much is my bill?", sender).conversation_id for sender in (ANA, BO))
    assert stored(clinic.crm, first)["owner_id"] == rosa.staff_id
    assert stored(clinic.crm, second)["owner_id"] is None
    lines = clinic.see(clinic.supervisor, why_here, second)
    assert "  goes to rosa: no, Rosa holds 1 of 1 open conversations" in lines


def test_a_rule_may_leave_it_to_the_lanes_policy(clinic: Clinic, staff: StaffFactory) -> None:
    bills = rule("bills", 'field = "text", op = "contains_any", value = ["bill"]', TO_BILLING + '\nassign = "policy"')
    put_in_force(clinic.crm, own_playbook(rules=bills))
    alone = clinic.text("How much is my bill?").conversation_id
    assert stored(clinic.crm, alone)["owner_id"] is None
    assert "  goes to policy: no, billing has no policy" in clinic.see(clinic.supervisor, why_here, alone)
    owner = ('title = "Billing"', 'title = "Billing"\nassign = { by = "least_loaded" }')
    put_in_force(clinic.crm, own_playbook(rules=bills, changed={"lanes.toml": owner}))
    shared = clinic.text("How much is my bill?", BO).conversation_id
    assert stored(clinic.crm, shared)["owner_id"] in {clinic.agent.staff_id, clinic.supervisor.staff_id}
    assert any(
        "goes to policy: yes, least loaded in Billing" in line
        for line in clinic.see(clinic.supervisor, why_here, shared)
    )


def test_a_text_that_alarms_is_assigned_to_no_one(clinic: Clinic, staff: StaffFactory) -> None:
    staff(Role.AGENT, name="rosa")
    to_rosa(clinic)
    got = clinic.text("My bill, and I have crushing chest pain")
    assert got.lane == "clinical_triage"
    assert stored(clinic.crm, got.conversation_id)["owner_id"] is None


def test_what_nobody_could_screen_is_assigned_to_no_one(clinic: Clinic, staff: StaffFactory) -> None:
    staff(Role.AGENT, name="rosa")
    to_rosa(clinic)
    got = clinic.text("", attachments=1)
    assert got.lane == "front_desk"
    assert stored(clinic.crm, got.conversation_id)["owner_id"] is None
