"""The playbook's own sections, and what they refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from crm_core.errors import NotFound
from crm_core.hours import add, is_open
from crm_core.playbook.calendars import CALENDARS, CalendarsSection
from crm_core.playbook.clinic import CLINIC, ClinicSection
from crm_core.playbook.loader import Playbook, load, load_content
from crm_core.playbook.problems import PlaybookErrors, Problem
from crm_core.playbook.shipped import NoSuchPlaybook, shipped
from tests.playbook.clinic_files import CALENDARS_TOML, CLINIC_TOML, SECTIONS, write

OFFICE = '[calendar.office]\nzone = "America/New_York"\n'
MONDAYS = 'hours.monday = ["09:00-17:00"]\n'
EXCEPTION = "[[calendar.office.exception]]\n"
ALWAYS = CALENDARS_TOML[CALENDARS_TOML.index("[calendar.always]") :]


def only_problem(folder: Path) -> Problem:
    """The one thing wrong with the playbook in `folder`."""
    with pytest.raises(PlaybookErrors) as refused:
        load(folder, SECTIONS)
    (problem,) = refused.value.problems
    return problem


@pytest.fixture
def ours() -> Playbook:
    """The clinic and calendars that ship."""
    files = ("clinic.toml", "calendars.toml")
    content = {file: (shipped("primary_care") / file).read_text(encoding="utf-8") for file in files}
    return load_content(content, (CLINIC, CALENDARS), name="primary_care")


@pytest.mark.parametrize(
    ("was", "becomes", "key", "says"),
    [
        ('"America/New_York"', '"America/Nowhere"', "time_zone", "America/Nowhere"),
        ('"US"', '"us"', "country", "pattern"),
        ('"US"', '"ZZ"', "country", "ZZ is not a country"),
        ('"212-555-0142"', '"call us"', "phone", "is no phone number in US"),
        ('"212-555-0142"', '"911"', "phone", "is no phone number in US"),
        ('["en", "es"]', '["english"]', "languages[0]", "pattern"),
        ('["en", "es"]', "[]", "languages", "at least 1"),
        ('["en", "es"]', '["en", "en"]', "languages", "names en twice"),
        ('["lanes"]', '["library"]', "modules", "must name lanes"),
        ('["lanes"]', '["lanes", "lanes"]', "modules", "names lanes twice"),
        ('"Maple Street Primary Care"', '"  "', "name", "at least 1 character"),
    ],
)
def test_a_clinic_that_cannot_be_is_refused_by_key(tmp_path: Path, was: str, becomes: str, key: str, says: str) -> None:
    problem = only_problem(write(tmp_path, clinic_toml=CLINIC_TOML.replace(was, becomes)))
    assert (problem.file, problem.key) == ("clinic.toml", key)
    assert says in problem.message


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ('hours.monday = ["9-5"]', "calendar.office.hours.monday[0]", "is no span of hours"),
        ('hours.monday = ["22:00-06:00"]', "calendar.office.hours.monday[0]", "is no span of hours"),
        (
            'hours.monday = ["09:00-12:00", "11:00-13:00"]',
            "calendar.office.hours.monday",
            "The hours 09:00-12:00 and 11:00-13:00 overlap",
        ),
        ("hours.monday = []", "calendar.office.hours", "has no hours on any day"),
        ("hours = {}", "calendar.office.hours", "has no hours on any day"),
        (
            MONDAYS + 'holidays = { country = "US", region = "QQ" }',
            "calendar.office.holidays.region",
            "US-QQ are not known",
        ),
        (
            MONDAYS + 'holidays = { country = "ZZ" }',
            "calendar.office.holidays.country",
            "ZZ are not known",
        ),
        (
            MONDAYS + 'holidays = { country = "US", worked = ["Pancake Day"] }',
            "calendar.office.holidays.worked",
            "known are Christmas Day",
        ),
        (
            MONDAYS + EXCEPTION + 'day = 2026-12-24\nuntil = 2026-12-20\nwhy = "x"',
            "calendar.office.exception[0]",
            "until must be on or after day",
        ),
        (
            MONDAYS + 2 * (EXCEPTION + 'day = 2026-12-21\nuntil = 2026-12-28\nwhy = "x"\n'),
            "calendar.office.exception",
            "2026-12-21 has exceptions twice",
        ),
        (
            MONDAYS + EXCEPTION + 'day = 2026-12-21\nhours = ["09:00-12:00", "9"]\nwhy = "x"',
            "calendar.office.exception[0].hours[1]",
            "is no span of hours",
        ),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_by_key(tmp_path: Path, text: str, key: str, says: str) -> None:
    problem = only_problem(write(tmp_path, calendars_toml=f"{OFFICE}{text}\n{ALWAYS}"))
    assert (problem.file, problem.key) == ("calendars.toml", key)
    assert says in problem.message
    assert problem.line is not None


@pytest.mark.parametrize("always", ["", ALWAYS.replace("24:00", "23:59"), ALWAYS + 'holidays = { country = "US" }\n'])
def test_a_playbook_without_a_calendar_that_never_closes_is_refused(tmp_path: Path, always: str) -> None:
    problem = only_problem(write(tmp_path, calendars_toml=f"{OFFICE}{MONDAYS}{always}"))
    assert problem.key == "calendar.always"
    assert "danger" in problem.message


def test_closing_a_day_that_is_closed_anyway_is_legal_but_wrong(tmp_path: Path) -> None:
    text = f'{OFFICE}{MONDAYS}{EXCEPTION}day = 2026-12-27\nwhy = "x"\n{ALWAYS}'
    (warning,) = load(write(tmp_path, calendars_toml=text), SECTIONS).warnings
    assert (warning.line, warning.key) == (4, "calendar.office.exception[0]")


def test_an_exception_may_last_for_days_and_open_a_closed_one(tmp_path: Path) -> None:
    text = (
        f'{OFFICE}{MONDAYS}{EXCEPTION}day = 2026-12-21\nuntil = 2026-12-28\nwhy = "rebuilding"\n'
        f'{EXCEPTION}day = 2026-12-30\nhours = ["10:00-11:00"]\nwhy = "flu clinic"\n'
    )
    office = load(write(tmp_path, calendars_toml=text + ALWAYS), SECTIONS).section(CalendarsSection).named("office")
    assert office.windows(date(2026, 12, 28)) == ()
    assert [str(window) for window in office.windows(date(2026, 12, 30))] == ["10:00-11:00"]


def test_the_shipped_clinic_keeps_the_hours_of_the_domain(ours: Playbook) -> None:
    section = ours.section(CalendarsSection)
    assert ours.section(ClinicSection).zone.key == "America/New_York"
    office = section.named("office")
    friday = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
    assert add(office, friday, timedelta(hours=1)) == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert not is_open(office, datetime(2026, 11, 26, 15, tzinfo=UTC)), "Thanksgiving"
    saturday_morning = datetime(2026, 11, 21, 14, tzinfo=UTC)
    assert is_open(section.named("triage"), saturday_morning)
    assert not is_open(office, saturday_morning)
    assert section.named("always").round_the_clock
    with pytest.raises(NotFound, match="No calendar night"):
        section.named("night")


def test_a_playbook_that_does_not_ship_is_refused_with_those_that_do() -> None:
    for name in ("dentist", "../demo", "", "__pycache__"):
        with pytest.raises(NoSuchPlaybook, match="primary_care"):
            shipped(name)


def test_a_clinic_in_which_nobody_answers_for_the_rules_is_legal_but_wrong(tmp_path: Path) -> None:
    nobody = CLINIC_TOML.replace("workflow_owner", "# workflow_owner").replace("physician_champion", "# champion")
    told = [str(warning) for warning in load(write(tmp_path, clinic_toml=nobody), SECTIONS).warnings]
    assert told == [
        "clinic.toml: physician_champion: is not named: nobody answers for what is clinical in them",
        "clinic.toml: workflow_owner: is not named: nobody answers for these rules",
    ]
