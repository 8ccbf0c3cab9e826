"""Who uses a number, whether it may be used, whether it works; and who the patient is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM, Role
from crm_core.app import Crm
from crm_core.audit.packing import unpack
from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Tag
from crm_core.clock import ShiftedClock
from crm_core.errors import NotFound, UsageError
from crm_core.patients.merging import merge_records
from crm_core.patients.model import ContactKind
from crm_core.patients.queries import identity, match_contact, patient
from crm_core.patients.service import (
    ensure_contact_point,
    link_contact,
    mark_invalid,
    match_sender,
    opt_in,
    opt_out,
    unlink_contact,
)
from crm_core.words import Channel
from tests.conftest import StaffFactory
from tests.patients.people import email, person, phone, save_ids

PHONE = ContactKind.PHONE


def test_an_identity_says_all_that_guards_against_the_wrong_person(
    crm: Crm, staff: StaffFactory, clock: ShiftedClock
) -> None:
    number = phone("555-843-1642")
    people = (person("Quist", "Ana", "M1", "1970-01-31", number), person("Quist", "Bo", "M2", None, number))
    ana, bo = save_ids(crm, *people)
    clock.move(timedelta(days=30))
    with crm.write(SYSTEM) as unit:
        new = ensure_contact_point(unit, PHONE, "555-111-2222")
    with crm.write(staff(Role.AGENT)) as unit:
        link_contact(unit, ana, new)
    clock.move(timedelta(days=3))
    with crm.read(staff(Role.AGENT)) as unit:
        who = identity(unit, ana)
    assert (who.name, who.birth_date, who.age, who.language) == ("Ana Quist", "1970-01-31", 56, "en")
    assert [(c.last_four, c.shared_by, c.changed_days) for c in who.contacts] == [("1642", 2, None), ("2222", 1, 3)]
    assert not who.deceased and bo != ana


def test_an_opt_out_marks_the_number_and_the_audit_of_each_patient_who_shares_it(crm: Crm, staff: StaffFactory) -> None:
    number = phone("555-843-1642")
    ids = save_ids(crm, person("Quist", "Ana", "M1", None, number), person("Ode", "Bo", "M2", None, number))
    with crm.write(SYSTEM) as unit:
        point = ensure_contact_point(unit, PHONE, "+1 555 843 1642")
        assert opt_out(unit, point, "M-12")
        assert not opt_out(unit, point, "M-13")
    with crm.read(staff(Role.AGENT)) as unit:
        assert [identity(unit, one).contacts[0].opted_out for one in ids] == [True, True]
    with crm.read(SYSTEM) as unit:
        rows = unit.execute(select(AuditRow.tag, AuditRow.ids, AuditRow.why).where(AuditRow.why.contains("M-12"))).all()
    audited = {(row.tag, *unpack(row.ids)) for row in rows}
    assert audited == {(Tag.NUMBER_OPTED_OUT, point)} | {(Tag.PATIENT_CHANGED, one) for one in ids}
    with crm.write(SYSTEM) as unit:
        assert opt_in(unit, point, "M-14")
    with crm.read(staff(Role.AGENT)) as unit:
        assert not identity(unit, ids[0]).contacts[0].opted_out


def test_linking_makes_a_patient_findable_and_taking_it_back_undoes_that(crm: Crm, staff: StaffFactory) -> None:
    (ana,) = save_ids(crm, person("Quist", "Ana", "M1", "1970-01-31", phone("555-843-1642")))
    with crm.write(SYSTEM) as unit:
        point = match_sender(unit, Channel.SMS, "555 111 2222").contact_point_id
    assert point is not None
    with crm.write(staff(Role.AGENT)) as unit:
        link_contact(unit, ana, point)
        link_contact(unit, ana, point)
    with crm.read(SYSTEM) as unit:
        assert match_contact(unit, PHONE, "(555) 111-2222").patient_ids == (ana,)
    with crm.write(staff(Role.AGENT)) as unit:
        assert unlink_contact(unit, ana, point)
        assert not unlink_contact(unit, ana, point)
    with crm.read(SYSTEM) as unit:
        assert match_contact(unit, PHONE, "5551112222").patient_ids == ()


def test_what_an_import_gave_is_not_taken_back_by_unlinking(crm: Crm, staff: StaffFactory) -> None:
    (ana,) = save_ids(crm, person("Quist", "Ana", "M1", None, phone("555-843-1642")))
    with crm.write(staff(Role.AGENT)) as unit:
        point = identity(unit, ana).contacts[0].contact_point_id
        assert not unlink_contact(unit, ana, point)


@pytest.mark.parametrize(
    ("channel", "sender", "kept"),
    [
        (Channel.SMS, "555-843-1642", True),
        (Channel.SMS, "72345", True),
        (Channel.EMAIL, "Ana@Example.org", True),
        (Channel.WEBFORM, "ana@example.org", True),
        (Channel.WEBFORM, "(555) 843-1642", True),
        (Channel.CHAT, "visitor_77", False),
        (Channel.SOCIAL, "@ana", False),
        (Channel.SMS, "  ", False),
    ],
)
def test_a_sender_is_kept_where_it_is_a_number_or_an_address(
    crm: Crm, channel: Channel, sender: str, kept: bool
) -> None:
    with crm.write(SYSTEM) as unit:
        match = match_sender(unit, channel, sender)
        assert (match.contact_point_id is not None) is kept
        assert match_sender(unit, channel, sender) == match


def test_a_number_that_does_not_work_keeps_its_first_reason(crm: Crm, staff: StaffFactory) -> None:
    (ana,) = save_ids(crm, person("Quist", "Ana", "M1", None, email("ana@example.org")))
    with crm.write(SYSTEM) as unit:
        point = ensure_contact_point(unit, ContactKind.EMAIL, "ANA@example.org")
        assert mark_invalid(unit, point, "hard_bounce")
        assert not mark_invalid(unit, point, "other")
    with crm.read(staff(Role.AGENT)) as unit:
        assert identity(unit, ana).contacts[0].invalid_reason == "hard_bounce"


def test_a_value_that_cannot_work_is_flagged_from_the_start(crm: Crm, staff: StaffFactory) -> None:
    (ana,) = save_ids(crm, person("Quist", "Ana", "M1", None, phone("ask her mother")))
    with crm.read(staff(Role.AGENT)) as unit:
        contact = identity(unit, ana).contacts[0]
    assert (contact.value, contact.invalid_reason, contact.last_four) == ("ask her mother", "not_a_phone_number", None)


def test_an_old_id_answers_as_who_it_is_now_and_brings_its_numbers(crm: Crm, staff: StaffFactory) -> None:
    old, new, last = save_ids(
        crm,
        person("Quist", "Ana", "M1", None, phone("555-843-0001")),
        person("Quist", "Ana", "M2", None, phone("555-843-0002")),
        person("Quist", "Ana", "M3", None, phone("555-843-0003")),
    )
    with crm.write(SYSTEM) as unit:
        assert merge_records(unit, [(old, new), (new, last), (last, old), (old, old)]) == 2
    with crm.read(staff(Role.AGENT)) as unit:
        view = patient(unit, old)
    assert (view.patient_id, view.merged_from) == (last, (old, new))
    assert [c.last_four for c in view.contacts] == ["0003", "0001", "0002"]
    assert [i.value for i in view.identifiers] == ["M3", "M1", "M2"]
    with crm.read(SYSTEM) as unit:
        assert match_contact(unit, PHONE, "555-843-0001").patient_ids == (last,)


def test_who_is_not_there_is_not_found(crm: Crm, staff: StaffFactory) -> None:
    agent = staff(Role.AGENT)
    for call in (patient, identity):
        with pytest.raises(NotFound), crm.read(agent) as unit:
            call(unit, 999)
    with pytest.raises(NotFound), crm.write(agent) as unit:
        link_contact(unit, 999, 1)
    with pytest.raises(NotFound), crm.write(SYSTEM) as unit:
        opt_out(unit, 999)
    with pytest.raises(UsageError), crm.write(SYSTEM) as unit:
        ensure_contact_point(unit, PHONE, " ")
