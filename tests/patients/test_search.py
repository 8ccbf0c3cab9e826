"""Finding patients by what a caller can say."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from crm_core.access.model import SYSTEM, Role
from crm_core.app import Crm
from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Tag
from crm_core.errors import NotPermitted
from crm_core.patients.merging import merge_records
from crm_core.patients.search import ADD_A_LETTER, NOTHING_TO_LOOK_FOR, find
from tests.conftest import StaffFactory
from tests.patients.people import count_statements, email, person, phone, save, save_ids

PEOPLE = (
    person("Smith-Jones", "Mary Ann", "MRN-1001", "1970-01-31", phone("555-843-1642"), email("mary@example.org")),
    person("O'Brien", "Seán", "MRN-1002", "1980-04-03", phone("(555) 843-1642")),
    person("张无忌", "", "MRN-1003", "1974-12-25", phone("+86 183 3717 7888")),
    person("Williamson", "Bob", "8da884f0-080a-4417-ba44-24fb6bde0851", "2000-03-04", phone("555-111-2222")),
    person("Howe413", "Lawrence992", "1004", "1961", phone("+44 20 7183 8750")),
    person("Li", "Wu", "MRN-1006", "1999-09-09"),
)


@pytest.fixture
def people(crm: Crm) -> dict[int, str]:
    """The people above, by id."""
    return dict(zip(save_ids(crm, *PEOPLE), ("mary", "sean", "zhang", "bob", "lawrence", "wu"), strict=True))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("smith", {"mary"}),
        ("JONES mary", {"mary"}),
        ("ann smi", {"mary"}),
        ("smithjones", {"mary"}),
        ("obr", {"sean"}),
        ("O’Brien, sean", {"sean"}),
        ("张", {"zhang"}),
        ("张无忌", {"zhang"}),
        ("li", {"wu"}),
        ("howe413", {"lawrence"}),
        ("lawr", {"lawrence"}),
        ("1642", {"mary", "sean"}),
        ("1642 sean", {"sean"}),
        ("(555) 843-1642", {"mary", "sean"}),
        ("+15558431642", {"mary", "sean"}),
        ("555 843 1642 mary", {"mary"}),
        ("843-1642", {"mary", "sean"}),
        ("020 7183 8750", {"lawrence"}),
        ("18337177888", {"zhang"}),
        ("mrn-1001", {"mary"}),
        ("1004", {"lawrence"}),
        ("8DA884F0-080A-4417-BA44-24FB6BDE0851", {"bob"}),
        ("1970-01-31", {"mary"}),
        ("1/31/1970", {"mary"}),
        ("31.1.1970 smith", {"mary"}),
        ("3/4/2000", {"bob"}),
        ("3/4/1980", {"sean"}),
        ("19700131", {"mary"}),
        ("smith 1970", {"mary"}),
        ("1961", {"lawrence"}),
        ("MARY@example.org", {"mary"}),
        ("wiliamson", {"bob"}),
        ("willyamson bob", {"bob"}),
        ("smith bob", set()),
        ("1642 bob", set()),
        ("zzz", set()),
    ],
)
def test_people_are_found_by_what_a_caller_says(
    crm: Crm, staff: StaffFactory, people: dict[int, str], query: str, found: set[str]
) -> None:
    with crm.read(staff(Role.AGENT)) as unit:
        assert {people[one.patient_id] for one in find(unit, query).patients} == found


def test_a_line_tells_two_people_of_one_name_apart(crm: Crm, staff: StaffFactory, people: dict[int, str]) -> None:
    with crm.read(staff(Role.AGENT)) as unit:
        (mary,) = find(unit, "smith").patients
    assert (mary.name, mary.birth_date, mary.age) == ("Mary Ann Smith-Jones", "1970-01-31", 56)
    assert (mary.mrn, mary.last_four, mary.deceased, mary.active) == ("MRN-1001", "1642", False, True)


def test_exact_names_come_before_beginnings_and_beginnings_before_misspellings(crm: Crm, staff: StaffFactory) -> None:
    ids = save_ids(crm, person("Mart", "A", "1"), person("Martinez", "B", "2"), person("Marten", "C", "3"))
    with crm.read(staff(Role.AGENT)) as unit:
        assert [one.patient_id for one in find(unit, "mart").patients] == [ids[0], ids[2], ids[1]]
        assert [one.patient_id for one in find(unit, "marthinez").patients] == [ids[1]]


def test_among_equals_the_newest_come_first(crm: Crm, staff: StaffFactory) -> None:
    ids = save_ids(crm, *[person("Quist", "Ana", str(number)) for number in range(30)])
    with crm.read(staff(Role.AGENT)) as unit:
        assert [one.patient_id for one in find(unit, "quist", limit=5).patients] == ids[:-6:-1]


def test_too_many_say_what_to_type(crm: Crm, staff: StaffFactory) -> None:
    save(crm, *[person(f"Quist{chr(97 + n % 26)}", "Ana", str(n), f"19{n % 90 + 10}-01-01") for n in range(520)])
    with crm.read(staff(Role.AGENT)) as unit:
        assert find(unit, "quist").hint == ADD_A_LETTER
        assert len(find(unit, "quist").patients) == 20
        assert find(unit, "quista").hint is None
        assert find(unit, "quist 1999-01-01").hint is None


def test_a_long_name_typed_whole_is_told_from_those_that_begin_alike(crm: Crm, staff: StaffFactory) -> None:
    save(crm, *[person("Williams", "Ana", str(number)) for number in range(510)])
    (bob,) = save_ids(crm, person("Williamsonova", "Bob", "b"))
    with crm.read(staff(Role.AGENT)) as unit:
        result = find(unit, "williamsonova")
    assert [one.patient_id for one in result.patients] == [bob]
    assert result.hint is None


def test_an_empty_question_says_what_can_be_asked(crm: Crm, staff: StaffFactory) -> None:
    with crm.read(staff(Role.AGENT)) as unit:
        assert find(unit, " -- ").hint == NOTHING_TO_LOOK_FOR


def test_a_merged_record_is_found_by_its_old_name_and_answers_as_who_it_is_now(crm: Crm, staff: StaffFactory) -> None:
    old, new = save_ids(crm, person("Quist", "Ana", "M1"), person("Holm", "Ana", "M2"))
    with crm.write(SYSTEM) as unit:
        assert merge_records(unit, [(old, new)]) == 1
    with crm.read(staff(Role.AGENT)) as unit:
        assert [(one.patient_id, one.name) for one in find(unit, "quist").patients] == [(new, "Ana Holm")]
        assert len(find(unit, "ana").patients) == 1


def test_a_search_is_one_audited_listing_that_names_no_value(
    crm: Crm, staff: StaffFactory, people: dict[int, str]
) -> None:
    with crm.read(staff(Role.AGENT)) as unit:
        find(unit, "smith 1642")
    with crm.read(SYSTEM) as unit:
        rows = unit.execute(select(AuditRow.tag, AuditRow.why).order_by(AuditRow.chain, AuditRow.seq)).all()
    listed = [row.why for row in rows if row.tag == Tag.LIST_SHOWN]
    assert set(listed) == {"patient_search by name,number"}
    assert not any(row.tag == Tag.PATIENT_OPENED for row in rows)


def test_a_search_costs_a_fixed_number_of_statements(crm: Crm, staff: StaffFactory) -> None:
    save(crm, *[person("Quist", "Ana", str(number), "1970", phone(f"555-843-{number:04}")) for number in range(300)])
    agent = staff(Role.AGENT)
    with crm.read(agent) as unit:
        find(unit, "warm up")
        counted = count_statements(crm.store.reading)
        find(unit, "quist ana")
    assert len(counted) == 5


@pytest.mark.parametrize("role", [Role.ADMIN, Role.APPROVER, Role.PRIVACY])
def test_who_may_not_read_patients_may_not_search_them(crm: Crm, staff: StaffFactory, role: Role) -> None:
    with pytest.raises(NotPermitted), crm.read(staff(role)) as unit:
        find(unit, "smith")
