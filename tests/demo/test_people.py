"""The invented patients: enough of them, varied, and nobody's real number or address."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import phonenumbers
import pytest

from crm_core.demo.people import Person, bundle, make_people, resource
from crm_core.demo.plan import BEGINS_DAYS, PEOPLE, SEED
from crm_core.exchange.fhir_patient import read_patient
from crm_core.exchange.fhir_read import read_file
from crm_core.exchange.model import Reject, Resource

TODAY = date(2026, 11, 23)
FICTION = re.compile(r"\+1\d{3}55501\d{2}")


@pytest.fixture(scope="module")
def people() -> tuple[Person, ...]:
    return make_people(PEOPLE, TODAY, SEED)


def test_the_same_day_and_seed_make_the_same_people_and_another_seed_others(people: tuple[Person, ...]) -> None:
    assert make_people(PEOPLE, TODAY, SEED) == people
    assert make_people(PEOPLE, TODAY, SEED + 1) != people


def test_there_are_at_least_420_each_with_an_mrn_of_its_own(people: tuple[Person, ...]) -> None:
    assert len(people) >= 420
    assert len({person.mrn for person in people}) == len(people)


def test_every_number_is_one_kept_for_fiction_and_possible(people: tuple[Person, ...]) -> None:
    for person in people:
        if person.phone is not None:
            assert FICTION.fullmatch(person.phone), person.phone
            assert phonenumbers.is_possible_number(phonenumbers.parse(person.phone))


def test_every_address_on_the_net_is_an_example(people: tuple[Person, ...]) -> None:
    text = json.dumps(bundle(people), ensure_ascii=False)
    hosts = set(re.findall(r"[\w.-]+@([\w.-]+)|https?://([\w.-]+)", text))
    known = {"example.org", "example.com", "maple-street.example.org", "terminology.hl7.org"}
    assert {mail or web for mail, web in hosts} <= known


def test_a_number_or_mail_address_is_shared_only_within_a_home(people: tuple[Person, ...]) -> None:
    homes: dict[str, set[str]] = {}
    for person in people:
        for way in filter(None, (person.phone, person.email)):
            homes.setdefault(way, set()).add(person.address)
    assert all(len(addresses) == 1 for addresses in homes.values())
    mails = Counter(person.email for person in people if person.email)
    assert max(mails.values()) == 1


def test_what_makes_real_lists_hard_is_there(people: tuple[Person, ...]) -> None:
    assert sum(person.shared for person in people) >= 30
    assert sum(person.phone is None for person in people) >= 10
    assert sum(person.deceased_on is not None for person in people) >= 3
    assert sum(person.age < 18 for person in people) >= 50
    assert sum(person.phone is not None and not person.mobile for person in people) >= 10
    languages = Counter(person.language for person in people)
    assert languages["es"] >= 40
    assert {"en", "es", "vi", "ht", "pl", "ar"} == set(languages)
    assert sum(not person.family.isascii() for person in people) >= 20
    assert len({person.family for person in people}) >= 80


def test_everybody_was_born_and_every_death_known_before_the_demo_begins(people: tuple[Person, ...]) -> None:
    begins = TODAY - timedelta(days=BEGINS_DAYS)
    for person in people:
        assert person.birth_date < begins
        assert person.deceased_on is None or person.deceased_on < begins
        assert (TODAY - person.birth_date).days // 366 <= person.age


def test_the_importer_takes_every_one_of_them_as_of_the_day_the_demo_begins(
    people: tuple[Person, ...], tmp_path: Path
) -> None:
    file = tmp_path / "patients.json"
    file.write_text(json.dumps(bundle(people), ensure_ascii=False), encoding="utf-8")
    read = [
        read_patient(one, TODAY - timedelta(days=BEGINS_DAYS)) for one in read_file(file) if isinstance(one, Resource)
    ]
    assert [one for one in read if isinstance(one, Reject)] == []
    assert len(read) == len(people)


def test_a_resource_is_a_patient_as_an_ehr_would_send_it(people: tuple[Person, ...]) -> None:
    with_both = next(person for person in people if person.phone and person.email)
    patient = resource(with_both)
    assert patient["resourceType"] == "Patient"
    assert [point["system"] for point in patient["telecom"]] == ["phone", "email"]
    assert patient["identifier"][0]["value"] == with_both.mrn
    gone = resource(next(person for person in people if person.deceased_on))
    assert gone["deceasedDateTime"] < TODAY.isoformat()
