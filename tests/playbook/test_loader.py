"""Loading a playbook: what comes out of a good one, and what is said of a bad one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crm_core.playbook.calendars import CalendarsSection
from crm_core.playbook.clinic import ClinicSection, Module
from crm_core.playbook.loader import Playbook, SectionNotLoaded, load, load_content
from crm_core.playbook.problems import Caution, PlaybookErrors, Problem
from crm_core.playbook.reading import LONGEST_FILE, MOST_ENTRIES
from tests.playbook.clinic_files import (
    CALENDARS_TOML,
    CLINIC_TOML,
    SECTIONS,
    STAGES,
    LettersSection,
    StagesSection,
    write,
)


def problems_of(folder: Path) -> list[Problem]:
    """What loading `folder` complains of."""
    with pytest.raises(PlaybookErrors) as refused:
        load(folder, SECTIONS)
    return list(refused.value.problems)


def places(folder: Path) -> list[tuple[str, int | None, str]]:
    """File, line and key of every complaint."""
    return [(one.file, one.line, one.key) for one in problems_of(folder)]


def test_a_good_playbook_answers_by_model(tmp_path: Path) -> None:
    playbook = load(write(tmp_path), SECTIONS, name="ours")
    clinic = playbook.section(ClinicSection)
    assert (playbook.name, playbook.version, playbook.warnings) == ("ours", 0, ())
    assert clinic.modules == (Module.LANES,)
    assert clinic.zone.key == "America/New_York"
    assert clinic.language == "en"
    assert playbook.section(CalendarsSection).named("always").round_the_clock


def test_ten_mistakes_are_reported_at_once_each_with_file_line_and_key(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        clinic_toml=CLINIC_TOML.replace('"America/New_York"', '"Mars/Olympus"').replace("languages =", "langages ="),
        calendars_toml=CALENDARS_TOML.replace('["09:00-17:00"]', '["09:00-13:00", "12:00-17:00"]').replace(
            'hours.sunday = ["00:00-24:00"]', 'hours.sundae = ["00:00-24:00"]\nhours.saturnday = []'
        ),
        stages_toml='[[stage]]\nname = "sent"\ndays = 3\n\n[[stage]]\nname = "seen"\ndays = "soon"\nlimit = 3\n',
        letters__hello_md='+++\ntitle = "Hello"\npages = 0\n+++\nHi.\n',
        letters__bare_md="No front matter.\n",
        lettres_toml="x = 1\n",
    )
    assert places(folder) == [
        ("calendars.toml", 4, "calendar.office.hours.monday"),
        ("calendars.toml", 14, "calendar.always.hours.sundae"),
        ("calendars.toml", 15, "calendar.always.hours.saturnday"),
        ("clinic.toml", None, "languages"),
        ("clinic.toml", 3, "time_zone"),
        ("clinic.toml", 5, "langages"),
        ("letters/bare.md", 1, ""),
        ("letters/hello.md", 3, "pages"),
        ("lettres.toml", None, ""),
        ("stages.toml", 7, "stage[1].days"),
        ("stages.toml", 8, "stage[1].limit"),
    ]


def test_messages_say_what_is_wrong(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        clinic_toml=CLINIC_TOML.replace("languages =", "langages =").replace('["lanes"]', '["lane"]'),
        stages_tml="",
    )
    said = {one.key or one.file: one.message for one in problems_of(folder)}
    assert said["languages"] == "is missing"
    assert said["langages"] == "is not a known key"
    assert "'lanes'" in said["modules[0]"]
    assert said["modules[0]"].endswith("found 'lane'")
    assert said["stages.tml"] == "is not a file of a playbook; did you mean stages.toml?"


def test_the_error_itself_is_one_sentence_with_the_first_mistake(tmp_path: Path) -> None:
    with pytest.raises(PlaybookErrors) as refused:
        load(write(tmp_path, clinic_toml=CLINIC_TOML + "colour = 1\n"), SECTIONS, name="ours")
    assert str(refused.value) == (
        "The playbook ours has 1 mistake to mend, the first in clinic.toml:9: colour: is not a known key; "
        "run `crm playbook check` to see all."
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [("name = \n", 1), ('name = "x"\nphone\n', 2), ('name = """never closed\n\n', 1), ("a = 1\na = 2\n", 2)],
)
def test_what_is_no_toml_names_the_line(tmp_path: Path, text: str, line: int) -> None:
    (problem,) = problems_of(write(tmp_path, clinic_toml=text))
    assert problem.file == "clinic.toml"
    assert problem.line is not None
    assert abs(problem.line - line) <= 1
    assert problem.message.startswith("is not TOML: ")


def test_lists_in_lists_without_end_are_a_problem_like_any_other(tmp_path: Path) -> None:
    (problem,) = problems_of(write(tmp_path, clinic_toml="name = " + "[" * 100_000))
    assert "nested too deeply" in problem.message


def test_a_missing_file_is_named_and_one_that_may_be_missing_is_not(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "calendars.toml").unlink()
    assert [(one.file, one.message) for one in problems_of(folder)] == [("calendars.toml", "is missing")]


def test_what_cannot_be_read_is_a_problem_like_any_other(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "clinic.toml").write_bytes(b"name = '\xff\xfe'\n")
    (problem,) = problems_of(folder)
    assert problem.message == "is not UTF-8 text (byte 8); save it as UTF-8"
    assert "is not a folder" in problems_of(tmp_path / "clinic.toml")[0].message
    assert "is not a folder" in problems_of(tmp_path / "nowhere")[0].message


def test_hidden_files_are_not_the_clinics(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / ".DS_Store").write_bytes(b"\x00\xff")
    assert load(folder, SECTIONS).content.keys() == {"clinic.toml", "calendars.toml"}


def test_markdown_comes_with_its_front_matter_body_and_file(tmp_path: Path) -> None:
    folder = write(tmp_path, letters__hello_md='+++\r\ntitle = "Hello"\r\n+++\r\n\r\nHi there.\r\n\r\n+++\r\nBye.\r\n')
    (letter,) = load(folder, SECTIONS).section(LettersSection).letters
    assert (letter.file, letter.title, letter.body) == ("letters/hello.md", "Hello", "Hi there.\n\n+++\nBye.")


def test_content_is_enough_to_load_the_same_again(tmp_path: Path) -> None:
    folder = write(tmp_path, letters__hello_md='+++\ntitle = "Hello"\n+++\nHi.\n')
    first = load(folder, SECTIONS, name="ours")
    again = load_content(first.content, SECTIONS, name="ours", version=3)
    assert again.version == 3
    assert again.sections == first.sections
    assert again.content == first.content


def test_line_ends_and_a_byte_order_mark_do_not_make_another_content(tmp_path: Path) -> None:
    plain = load(write(tmp_path / "a"), SECTIONS)
    (write(tmp_path / "b") / "clinic.toml").write_bytes(b"\xef\xbb\xbf" + CLINIC_TOML.replace("\n", "\r\n").encode())
    assert load(tmp_path / "b", SECTIONS).content == plain.content


def test_checks_see_the_whole_playbook_and_warn_or_refuse(tmp_path: Path) -> None:
    def check(playbook: Playbook) -> Iterator[Problem]:
        clinic = playbook.section(ClinicSection)
        for index, stage in enumerate(playbook.section(StagesSection).stage):
            if stage.days > 100:
                yield Caution(file="stages.toml", key=f"stage[{index}].days", message="is long")
            if stage.name == clinic.name:
                yield Problem(file="stages.toml", key=f"stage[{index}].name", message="is the clinic's")

    sections = (*SECTIONS[:-1], replace(STAGES, checks=(check,)))
    good = write(tmp_path / "good", stages_toml='[[stage]]\nname = "sent"\ndays = 300\n')
    assert [str(one) for one in load(good, sections).warnings] == ["stages.toml:3: stage[0].days: is long"]
    bad = write(tmp_path / "bad", stages_toml='[[stage]]\nname = "Maple Street Primary Care"\ndays = 3\n')
    with pytest.raises(PlaybookErrors, match=r"stages\.toml:2: stage\[0\]\.name: is the clinic's"):
        load(bad, sections)
    broken = write(tmp_path / "broken", clinic_toml="name = 1\n", stages_toml=(bad / "stages.toml").read_text())
    with pytest.raises(PlaybookErrors) as refused:
        load(broken, sections)
    assert {one.file for one in refused.value.problems} == {"clinic.toml"}, "a check without its section is left out"


def test_a_section_that_is_not_registered_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(SectionNotLoaded, match="LettersSection"):
        load(write(tmp_path), SECTIONS[:2]).section(LettersSection)


def test_a_folder_that_is_no_playbook_is_not_searched_to_its_end(tmp_path: Path) -> None:
    for number in range(MOST_ENTRIES + 1):
        (tmp_path / f"{number}.toml").touch()
    (said,) = problems_of(tmp_path)
    assert said.message == "holds more than 2,000 files and folders; name the folder that holds clinic.toml"


def test_a_pipe_and_an_enormous_file_are_named_and_not_read(tmp_path: Path) -> None:
    folder = write(tmp_path)
    os.mkfifo(folder / "pipe.toml")
    (folder / "huge.toml").write_bytes(b"#" * (LONGEST_FILE + 1))
    said = {(one.file, one.message) for one in problems_of(folder)}
    assert {("pipe.toml", "is not a file"), ("huge.toml", "is longer than 1,000,000 bytes")} <= said
