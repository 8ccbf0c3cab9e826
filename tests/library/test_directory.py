"""The directory of services: read from a playbook, checked, found by whatever people call a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_core.access.model import Role
from crm_core.app import Crm
from crm_core.errors import NotFound
from crm_core.library.directory import SECTION, DirectorySection, find_services, found, service_of, services
from crm_core.playbook.calendars import CALENDARS
from crm_core.playbook.clinic import CLINIC
from crm_core.playbook.loader import Playbook, load
from crm_core.playbook.problems import PlaybookErrors
from tests.conftest import StaffFactory
from tests.playbook.clinic_files import write

SECTIONS = (CLINIC, CALENDARS, SECTION)
LAB = """
[service.lab]
title = "Laboratory"
what = "Samples"
where = "Room 4"
how_to_book = "No appointment needed."
phone = "212-555-0110"
aliases = ["blood test", "análisis de sangre"]
"""


def playbook(folder: Path, text: str) -> Playbook:
    return load(write(folder, directory_toml=text), SECTIONS)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("Laboratory", "lab"), ("blood test", "lab"), ("blod test", "lab"), ("ANALISIS DE SANGRE", "lab"),
        ("farmacia", "pharmacy"), ("farmacy", "pharmacy"), ("pharm", "pharmacy"),
        ("terapia fisica", "physical_therapy"), ("physio", "physical_therapy"), ("fisical therapy", "physical_therapy"),
        ("mamografia", "mammography"), ("flu", "vaccines"), ("vacuna", "vaccines"), ("vacinas", "vaccines"),
        ("intérprete", "interpreter"), ("ride", "transport"), ("transporte", "transport"), ("rayos x", "imaging"),
        ("copia de mi expediente", "records"), ("payment plan", "billing_help"), ("psicologo", "counselling"),
        ("eye doctor", "eye_exam"), ("walk in", "urgent_care"), ("dietician", "nutrition"),
    ],
)  # fmt: skip
def test_a_service_is_found_by_what_people_call_it_in_either_language_and_misspelt(
    crm: Crm, staff: StaffFactory, said: str, key: str
) -> None:
    with crm.read(staff(Role.AGENT)) as unit:
        likely = find_services(unit, said)
    assert likely[0].key == key


@pytest.mark.parametrize("said", ["parking", "zzz", "xq", "your opening times on sunday", "1234567"])
def test_what_no_service_is_called_finds_none(crm: Crm, staff: StaffFactory, said: str) -> None:
    with crm.read(staff(Role.AGENT)) as unit:
        assert find_services(unit, said) == []


def test_the_shipped_directory_is_whole_and_tells_what_a_patient_needs(crm: Crm, staff: StaffFactory) -> None:
    with crm.read(staff(Role.AGENT)) as unit:
        listed = services(unit)
        lab = service_of(unit, "lab")
        with pytest.raises(NotFound):
            service_of(unit, "spa")
    assert len(listed) >= 12
    assert [one.title for one in listed] == sorted((one.title for one in listed), key=str.casefold)
    assert all(one.how_to_book and one.phone and "-555-01" in one.phone and one.aliases for one in listed)
    assert lab.lines.splitlines() == [
        "Laboratory",
        "Maple Street Primary Care, ground floor, room 4",
        "No appointment needed with an order; come fasting only if your order says so.",
        "212-555-0110",
    ]
    assert not any("cancel" in one.lines.casefold() for one in listed), "no text asks for the word CANCEL"


def test_nothing_typed_offers_all_and_a_clinic_without_the_file_has_none(tmp_path: Path) -> None:
    listed = tuple(playbook(tmp_path, LAB).section(DirectorySection).service.values())
    assert found(listed, " ") == list(listed)
    (tmp_path / "bare").mkdir()
    bare = load(write(tmp_path / "bare"), SECTIONS)
    assert bare.section(DirectorySection).service == {}


@pytest.mark.parametrize(
    ("was", "becomes", "key", "says"),
    [
        ('title = "Laboratory"\n', "", "service.lab.title", "is missing"),
        ('where = "Room 4"', 'were = "Room 4"', "service.lab.were", "is not a known key"),
        ('"212-555-0110"', '"call us"', "service.lab.phone", "is no phone number in US"),
        ('"Room 4"', '"Room \\u202e4"', "service.lab.where", "cannot be seen"),
        ('phone =', 'languages = ["english"]\nphone =', "service.lab.languages[0]", "pattern"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_file_line_and_key(tmp_path: Path, was: str, becomes: str, key: str, says: str) -> None:
    assert was in LAB
    with pytest.raises(PlaybookErrors) as refused:
        playbook(tmp_path, LAB.replace(was, becomes))
    found_key = {problem.key: problem for problem in refused.value.problems}
    assert key in found_key, found_key
    assert found_key[key].file == "directory.toml"
    assert found_key[key].line is not None
    assert says in found_key[key].message


def test_the_check_cautions_of_a_service_nobody_can_book_and_of_two_of_one_name(tmp_path: Path) -> None:
    second = '[service.draw]\ntitle = "Draw station"\nwhat = "x"\nwhere = "y"\naliases = ["Blood  Test"]\n'
    told = playbook(tmp_path, LAB + second).warnings
    said = [(one.key, one.message) for one in told if one.file == "directory.toml"]
    assert said == [
        ("service.draw", "does not say how_to_book: nobody can tell a patient what to do"),
        ("service.draw.aliases", "'blood test' is a name of lab, too"),
    ]
    (tmp_path / "one").mkdir()
    assert [one for one in playbook(tmp_path / "one", LAB).warnings if one.file == "directory.toml"] == []
