"""A small playbook on disk, for tests to break."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from crm_core.playbook.calendars import CALENDARS
from crm_core.playbook.clinic import CLINIC
from crm_core.playbook.loader import Section, Strict


class Letter(Strict):
    """A file of a section that has many."""

    file: str
    title: str
    pages: int = Field(default=1, ge=1)
    body: str = Field(min_length=1)


class LettersSection(Strict):
    """Markdown files with front matter."""

    letters: tuple[Letter, ...] = ()


class Stage(Strict):
    """An element of an array of tables."""

    name: str
    days: int


class StagesSection(Strict):
    """A file that may be missing."""

    stage: tuple[Stage, ...] = ()


LETTERS = Section(name="letters", model=LettersSection, files=("letters/*.md",), required=False)
STAGES = Section(name="stages", model=StagesSection, files=("stages.toml",), required=False)
SECTIONS = (CLINIC, CALENDARS, LETTERS, STAGES)

CLINIC_TOML = """\
name = "Maple Street Primary Care"
phone = "212-555-0142"
time_zone = "America/New_York"
country = "US"
languages = ["en", "es"]
modules = ["lanes"]
workflow_owner = "Ann Owner"
physician_champion = "Dr. Champion"
"""

CALENDARS_TOML = """\
[calendar.office]
zone = "America/New_York"
holidays = { country = "US", region = "NY" }
hours.monday = ["09:00-17:00"]

[calendar.always]
zone = "UTC"
hours.monday = ["00:00-24:00"]
hours.tuesday = ["00:00-24:00"]
hours.wednesday = ["00:00-24:00"]
hours.thursday = ["00:00-24:00"]
hours.friday = ["00:00-24:00"]
hours.saturday = ["00:00-24:00"]
hours.sunday = ["00:00-24:00"]
"""


def write(folder: Path, **files: str) -> Path:
    """A folder with a good playbook, and `files` over it: `letters__hello_md` is letters/hello.md."""
    texts = {"clinic_toml": CLINIC_TOML, "calendars_toml": CALENDARS_TOML} | files
    for name, text in texts.items():
        path = folder / (name.replace("__", "/").rpartition("_")[0] + "." + name.rpartition("_")[2])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
