"""What a notice says: the approved version in the patient's language, filled by the library's merge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from crm_core.channels.notices.people import Person
from crm_core.library.merge import MergeField
from crm_core.library.model import TemplateView
from crm_core.library.picker import best_variant
from crm_core.library.render import render
from crm_core.playbook.clinic import ClinicSection
from crm_core.vault.sealed import Shown
from crm_core.words import Channel

KNOWN = frozenset({
    MergeField.PATIENT_FIRST_NAME, MergeField.PATIENT_FULL_NAME, MergeField.CLINIC_NAME, MergeField.CLINIC_PHONE,
    MergeField.TODAY,
})  # fmt: skip
"""The merge fields that nobody gives: they are taken from the record, the clinic and the day it goes."""

GIVEN = frozenset({MergeField.PERSONAL, MergeField.STAFF_FIRST_NAME, MergeField.LANE_TITLE})
"""Those that a planner may give; when it takes place comes from what the notice is about."""

_AND = {"en": " and ", "es": " y "}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A notice's text for one patient on one channel, and the version it is from."""

    text: str = field(repr=False)
    version_id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """What every notice of one batch shares: the clinic, and the date there."""

    clinic: ClinicSection
    now: datetime

    @property
    def today(self) -> date:
        """The clinic's date."""
        return self.now.astimezone(self.clinic.zone).date()

    @property
    def subject(self) -> str:
        """What a letter's subject says: who writes, and nothing else."""
        return self.clinic.name

    def language_of(self, person: Person) -> str:
        """The patient's language as templates name it: `es-MX` is `es`; the clinic's own where it is not known."""
        return (person.language or self.clinic.language).split("-")[0].casefold()

    def write(
        self,
        versions: Sequence[TemplateView],
        person: Person,
        given: Mapping[str, str],
        channel: Channel,
        *,
        about_at: Sequence[datetime] = (),
    ) -> Written:
        """The text in the patient's language, else in English; refuses as `render` does.

        `about_at` are the times of what it is about, the earliest first.

        What is to be said in a call may be written for any channel.
        """
        version = best_variant(versions, self.language_of(person))
        on = version.channels[0] if channel is Channel.VOICE and version.channels else channel
        local = self.now.astimezone(self.clinic.zone)
        fields: dict[str, str | None] = {
            **given,
            MergeField.PATIENT_FIRST_NAME: person.first_name,
            MergeField.PATIENT_FULL_NAME: person.full_name,
            MergeField.CLINIC_NAME: self.clinic.name,
            MergeField.CLINIC_PHONE: self.clinic.phone,
            MergeField.TODAY: f"{local:%A, %B} {local.day}",
        }
        if about_at:
            fields[MergeField.ABOUT_WHEN] = _AND.get(version.language, ", ").join(
                when(at, self.clinic.zone, version.language) for at in about_at
            )
        text = render(version, fields, given.get(MergeField.PERSONAL), channel=on, today=self.today)
        return Written(text=text, version_id=version.id, title=version.title)


_SPANISH_DAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
_SPANISH_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip


def when(at: datetime, zone: tzinfo, language: str) -> str:
    """A time as a patient reads it, on the clinic's clock: "Tuesday, November 24 at 2:00 PM"."""
    local = at.astimezone(zone)
    if language == "es":
        day, month = _SPANISH_DAYS[local.weekday()], _SPANISH_MONTHS[local.month - 1]
        return f"{day} {local.day} de {month} a las {local:%H:%M}"
    return f"{local:%A, %B} {local.day} at {local:%I:%M %p}".replace(" at 0", " at ")


def given_fields(opened: Shown | None) -> dict[str, str]:
    """The merge fields that the planner gave."""
    return dict(json.loads(opened)) if opened else {}


def joined_fields(each: Sequence[Mapping[str, str]], language: str) -> dict[str, str]:
    """The fields of notices that share one text: what differs stands beside each other, "2:00 and 2:20"."""
    joined: dict[str, list[str]] = {}
    for fields in each:
        for key, value in fields.items():
            said = joined.setdefault(key, [])
            if value not in said:
                said.append(value)
    return {key: _AND.get(language, ", ").join(said) for key, said in joined.items()}
