"""clinic.toml: who the clinic is, where it is, and which parts of the program it uses."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from crm_core.hours.calendar import zone_of
from crm_core.hours.errors import UnknownZone
from crm_core.playbook.loader import Playbook, Section, Strict
from crm_core.playbook.problems import Caution, Problem


class Module(StrEnum):
    """A mode of the console that a clinic may use or not."""

    LANES = "lanes"
    REFERRALS = "referrals"
    SCHEDULE = "schedule"
    TASKS = "tasks"
    DASHBOARD = "dashboard"
    LIBRARY = "library"


def _known_zone(name: str) -> str:
    try:
        zone_of(name)
    except UnknownZone as error:
        raise ValueError(error.message) from None
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
"""An IANA time zone's name."""

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""An ISO 3166-1 code in capitals."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\n]*$")]


class ClinicSection(Strict):
    """clinic.toml.

    `phone` is written as patients are to read it. `country` tells how numbers without a country
    code are read; `languages` are ISO 639-1 codes, the first is the one used where a patient's
    is not known. `workflow_owner` answers for these rules, `physician_champion` for what is
    clinical in them: people's names.
    """

    name: Line
    phone: Line
    time_zone: ZoneName
    country: Country
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,3}$")] | None = None
    languages: Annotated[tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")], ...], Field(min_length=1)]
    modules: tuple[Module, ...]
    workflow_owner: Line | None = None
    physician_champion: Line | None = None

    @field_validator("languages", "modules")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({one for one in value if value.count(one) > 1})
        if twice:
            raise ValueError(f"names {', '.join(twice)} twice")
        return value

    @field_validator("modules")
    @classmethod
    def _has_lanes(cls, value: tuple[Module, ...]) -> tuple[Module, ...]:
        if Module.LANES not in value:
            raise ValueError("must name lanes: without them no message is seen")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def language(self) -> str:
        """The language used where a patient's is not known."""
        return self.languages[0]


def check(playbook: Playbook) -> Iterator[Problem]:
    """The country's phone numbers are known, the clinic's own is possible there, and people answer for the rules."""
    import phonenumbers

    clinic = playbook.section(ClinicSection)
    for who, what in (("workflow_owner", "these rules"), ("physician_champion", "what is clinical in them")):
        if getattr(clinic, who) is None:
            yield Caution(file=FILE, key=who, message=f"is not named: nobody answers for {what}")
    if clinic.country not in phonenumbers.SUPPORTED_REGIONS:
        yield Problem(file=FILE, key="country", message=f"{clinic.country} is not a country whose numbers are known")
        return
    try:
        possible = phonenumbers.is_possible_number(phonenumbers.parse(clinic.phone, clinic.country))
    except phonenumbers.NumberParseException:
        possible = False
    if not possible:
        yield Problem(file=FILE, key="phone", message=f"{clinic.phone!r} is no phone number in {clinic.country}")


FILE = "clinic.toml"
CLINIC = Section(name="clinic", model=ClinicSection, files=(FILE,), checks=(check,))
"""Registered in app.py with the other features' sections."""
