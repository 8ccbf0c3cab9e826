"""Saving many patients at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Role
from crm_core.app import Crm
from crm_core.clock import ShiftedClock
from crm_core.errors import NotPermitted
from crm_core.patients.model import ContactKind, DraftIdentifier, Outcome, Refusal
from crm_core.patients.queries import match_contact, patient
from crm_core.patients.saving import preview_many, save_many
from crm_core.patients.search import find
from crm_core.patients.service import link_contact, match_sender
from crm_core.patients.tables import IDENTIFIER, LINK, PATIENT, POINT
from crm_core.words import Channel
from tests.conftest import StaffFactory
from tests.patients.people import count_statements, email, mrn, person, phone, save, save_ids


def test_what_is_saved_can_be_read_back(crm: Crm, staff: StaffFactory) -> None:
    draft = person("Rivera-Quist", "Ana María", "M1", "1970-01-31", phone("555-843-1642"), email("ana@example.org"))
    (ana,) = save_ids(crm, replace(draft, address="1 Elm St, Worcester"))
    with crm.read(staff(Role.AGENT)) as unit:
        view = patient(unit, ana)
    assert (view.name, view.birth_date, view.age) == ("Ana María Rivera-Quist", "1970-01-31", 56)
    assert view.address == "1 Elm St, Worcester"
    assert [(c.kind, c.value, c.last_four, c.changed_days) for c in view.contacts] == [
        ("phone", "+15558431642", "1642", None),
        ("email", "ana@example.org", None, None),
    ]
    assert [(i.kind, i.value) for i in view.identifiers] == [("MR", "M1")]


def test_a_known_number_updates_the_patient_who_has_it(crm: Crm, staff: StaffFactory) -> None:
    (first,) = save_ids(crm, person("Quist", "Ana", "M1", "1970-01-31", phone("555-843-1642")))
    (again,) = save(crm, person("Quist-Ode", "Ana", "M1", "1970-01-31", phone("555-843-9999")))
    assert (again.outcome, again.patient_id) == (Outcome.UPDATED, first)
    with crm.read(staff(Role.AGENT)) as unit:
        view = patient(unit, first)
        assert view.family == "Quist-Ode"
        assert [c.value for c in view.contacts] == ["+15558439999"]
        assert [p.patient_id for p in find(unit, "9999").patients] == [first]
        assert not find(unit, "1642").patients


def test_numbers_are_one_row_whoever_uses_them(crm: Crm) -> None:
    spellings = ["555-843-1642", "(555) 843 1642", "+15558431642"]
    ids = save_ids(crm, *[person(f"Fam{n}", "Kim", f"M{n}", None, phone(s)) for n, s in enumerate(spellings)])
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(func.count()).select_from(POINT)) == 1
        assert match_contact(unit, ContactKind.PHONE, "555.843.1642").patient_ids == tuple(sorted(ids))


def test_one_batch_may_bring_one_person_twice(crm: Crm) -> None:
    saved = save(crm, person("Quist", "Ana", "M1", "1970"), person("Quist", "Ana Bo", "M1", "1970"))
    assert [one.outcome for one in saved] == [Outcome.CREATED, Outcome.UPDATED]
    assert saved[0].patient_id == saved[1].patient_id


def test_numbers_of_two_patients_in_one_draft_are_refused(crm: Crm) -> None:
    save_ids(crm, person("Quist", "Ana", "M1"), person("Ode", "Bo", "M2"))
    both = replace(person("Quist", "Ana"), identifiers=(mrn("M1"), mrn("M2")))
    (refused,) = save(crm, both)
    assert (refused.outcome, refused.refusal, refused.patient_id) == (Outcome.REFUSED, Refusal.TWO_PATIENTS, None)


def test_another_name_and_birth_date_do_not_overwrite_a_patient(crm: Crm, staff: StaffFactory) -> None:
    (ana,) = save_ids(crm, person("Quist", "Ana", "M1", "1970-01-31"))
    (refused,) = save(crm, person("Holm", "Per", "M1", "1999-05-05"))
    assert refused.refusal is Refusal.OTHER_PERSON
    with crm.read(staff(Role.AGENT)) as unit:
        assert patient(unit, ana).name == "Ana Quist"


def test_a_new_name_alone_or_a_corrected_birth_date_alone_is_taken(crm: Crm) -> None:
    save_ids(crm, person("Quist", "Ana", "M1", "1970-01-31"))
    assert save(crm, person("Holm", "Ana", "M1", "1970-01-31"))[0].outcome is Outcome.UPDATED
    assert save(crm, person("Holm", "Ana", "M1", "1971-01-31"))[0].outcome is Outcome.UPDATED


def test_numbers_without_a_system_or_marked_old_do_not_identify(crm: Crm) -> None:
    loose = DraftIdentifier(system="", value="7", kind="MR")
    first, second = save_ids(
        crm,
        replace(person("Quist", "Ana"), identifiers=(loose,)),
        replace(person("Ode", "Bo"), identifiers=(loose, mrn("M1", old=True))),
    )
    third = save_ids(crm, replace(person("Holm", "Per"), identifiers=(mrn("M1", old=True),)))[0]
    assert len({first, second, third}) == 3


def test_a_merged_number_leads_to_who_has_it_now_unless_the_record_itself_comes(crm: Crm) -> None:
    both = (mrn("M2"), mrn("M1", old=True))
    (winner,) = save_ids(crm, replace(person("Quist", "Ana", None, "1970"), identifiers=both))
    assert save_ids(crm, person("Quist", "Ana", "M1", "1970")) == [winner]
    replaced = save_ids(crm, person("Quist", "Anna", "M1", "1970", replaced=True))
    assert replaced != [winner]


@pytest.mark.parametrize("kind", ["SS", "DL", "PPN"])
def test_numbers_we_do_not_want_are_not_stored(crm: Crm, kind: str) -> None:
    secret = DraftIdentifier(system="x", value="999-99-9999", kind=kind)
    save_ids(crm, replace(person("Quist", "Ana"), identifiers=(secret,)))
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(func.count()).select_from(IDENTIFIER)) == 0


def test_what_staff_linked_outlives_an_import(crm: Crm, staff: StaffFactory, clock: ShiftedClock) -> None:
    draft = person("Quist", "Ana", "M1", None, phone("555-843-1642"))
    (ana,) = save_ids(crm, draft)
    clock.move(timedelta(days=2))
    with crm.write(SYSTEM) as unit:
        point = match_sender(unit, Channel.SMS, "555 111 2222").contact_point_id
    assert point is not None
    with crm.write(staff(Role.AGENT)) as unit:
        link_contact(unit, ana, point)
    clock.move(timedelta(days=3))
    save_ids(crm, replace(draft, contacts=()))
    with crm.read(staff(Role.AGENT)) as unit:
        view = patient(unit, ana)
        assert [(c.value, c.changed_days) for c in view.contacts] == [("+15551112222", 3)]
        assert [p.patient_id for p in find(unit, "2222 quist").patients] == [ana]


def test_a_batch_costs_a_fixed_number_of_statements(crm: Crm) -> None:
    drafts = [person(f"Fam{n}", "Kim", f"M{n}", "1970", phone(f"555-843-{n:04}")) for n in range(400)]
    save_ids(crm, *drafts[:2])
    counted = count_statements(crm.store.writing)
    save_ids(crm, *drafts[2:102])
    few = len(counted)
    counted.clear()
    save_ids(crm, *drafts[102:])
    # Ids come in blocks of 1,024 at most, so a larger batch may fetch a few blocks more.
    assert few <= 22 and len(counted) <= few + 4


def test_a_preview_says_the_same_and_writes_nothing(crm: Crm) -> None:
    save_ids(crm, person("Quist", "Ana", "M1", "1970"))
    drafts = [person("Quist", "Ana", "M1", "1970"), person("Ode", "Bo", "M2"), person("Holm", "Per", "M1", "1999")]
    with crm.read(SYSTEM) as unit:
        previewed = preview_many(unit, drafts)
        assert unit.scalar(select(func.count()).select_from(PATIENT)) == 1
    assert [one.outcome for one in previewed] == [one.outcome for one in save(crm, *drafts)]


def test_nothing_of_a_failed_unit_is_kept(crm: Crm) -> None:
    with pytest.raises(ZeroDivisionError), crm.write(SYSTEM) as unit:
        save_many(unit, [person("Quist", "Ana", "M1", None, phone("555-843-1642"))])
        raise ZeroDivisionError
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(func.count()).select_from(PATIENT)) == 0
        assert unit.scalar(select(func.count()).select_from(LINK)) == 0
        assert find(unit, "quist").patients == ()


def test_only_who_may_import_may_save(crm: Crm, staff: StaffFactory) -> None:
    with pytest.raises(NotPermitted), crm.write(staff(Role.AGENT)) as unit:
        save_many(unit, [person("Quist", "Ana")])


def test_a_draft_and_a_view_show_nothing_in_a_traceback(crm: Crm, staff: StaffFactory) -> None:
    draft = person("Quist", "Ana", "M1", "1970-01-31", phone("555-843-1642"))
    (ana,) = save_ids(crm, draft)
    with crm.read(staff(Role.AGENT)) as unit:
        shown = repr([draft, patient(unit, ana), find(unit, "quist")])
    assert not any(secret in shown for secret in ("Quist", "Ana", "M1", "1970", "1642"))
