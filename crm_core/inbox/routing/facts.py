"""What routing may know of a text beside the text: when it came, and from whom.

Only what some rule asks after is looked up. A birth date is sealed: it is opened, and so audited,
for a rule on age groups alone, and only by an actor who may read patients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import bindparam, select

from crm_core.access.model import Permission
from crm_core.hours.arithmetic import is_open
from crm_core.inbox.routing.conditions import AgeGroup, Facts, Pending
from crm_core.inbox.rules import InboxRules
from crm_core.patients.birth_date import age_on
from crm_core.patients.tables import Patient
from crm_core.vault.sealed import Shown
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

ROUTING_FACTS = "inbox.routing_facts"
"""Under this name app.py registers, in `unit.shared`, the rooms that know what is pending."""
OF_AGE = 18
_OF_THE_PATIENT = frozenset({"language", "coverage", "age_group"})
_RECORDS = select(Patient.id, Patient.language, Patient.birth_date).where(
    Patient.id.in_(bindparam("ids", expanding=True))
)
"""Built once: building it for each text cost as much as running it."""


class RoutingFact(Protocol):
    """A room that knows whether a patient is waiting for something it keeps."""

    @property
    def kind(self) -> Pending:
        """What it knows of."""

    def pending(self, unit: ReadUnit, patient_id: int, at: datetime) -> bool:
        """Whether that patient had one pending at that time."""


@dataclass(frozen=True, kw_only=True)
class Asker:
    """A text as routing takes it: of no known patient, of one, or of a number that several share."""

    text: str
    subject: str | None
    channel: Channel
    at: datetime
    choice: str | None
    patient_ids: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Person:
    """What rules may ask of one patient's record."""

    language: str | None
    birth_date: Shown | None

    def age_group(self, today: date) -> AgeGroup | None:
        """Whether a child before the law on that day; None where that is not certain."""
        age = age_on(self.birth_date, today) if self.birth_date else None
        if age is None or self.birth_date is None:
            return None
        # Of a partial date `age_on` gives the least; the most is a year more.
        certain = len(self.birth_date) == len("1970-01-31") or age != OF_AGE - 1
        return (AgeGroup.ADULT if age >= OF_AGE else AgeGroup.MINOR) if certain else None


NOBODY = Person(language=None, birth_date=None)


def people(unit: ReadUnit, asked: frozenset[str], patient_ids: Iterable[int]) -> dict[int, Person]:
    """What the rules that ask after `asked` may know of these patients: one statement, or none."""
    wanted = sorted(set(patient_ids))
    if not wanted or not asked & _OF_THE_PATIENT:
        return {}
    with_age = "age_group" in asked and unit.actor.may(Permission.PATIENT_READ)
    rows = unit.execute(_RECORDS, {"ids": wanted})
    return {
        row.id: Person(
            language=row.language.partition("-")[0].lower() if row.language else None,
            birth_date=unit.open(row.birth_date) if with_age else None,
        )
        for row in rows
    }


def pending_of(unit: ReadUnit, asked: frozenset[str], patient_id: int, at: datetime) -> Mapping[Pending, bool]:
    """What each registered room says of the patient; empty where no rule asks."""
    if "pending" not in asked:
        return {}
    rooms: Sequence[RoutingFact] = unit.shared.get(ROUTING_FACTS, ())
    return {room.kind: room.pending(unit, patient_id, at) for room in rooms}


def facts_of(unit: ReadUnit, rules: InboxRules, asker: Asker) -> Facts:
    """The facts of one text as it arrives."""
    one = asker.patient_ids[0] if len(asker.patient_ids) == 1 else None
    asked = rules.routing.asked
    person = people(unit, asked, [one]).get(one, NOBODY) if one is not None else NOBODY
    pending = pending_of(unit, asked, one, asker.at) if one is not None else {}
    return facts(rules, asker, person, pending)


def facts(rules: InboxRules, asker: Asker, person: Person, pending: Mapping[Pending, bool]) -> Facts:
    """The facts of a text, its sender known as `person`."""
    local = asker.at.astimezone(rules.clinic.zone)
    return Facts(
        text=f"{asker.subject}\n{asker.text}" if asker.subject else asker.text,
        channel=asker.channel,
        sender_known=bool(asker.patient_ids),
        language=person.language,
        age_group=person.age_group(local.date()),
        local_time=local.time(),
        in_hours=is_open(rules.calendar(rules.lanes.catch_all.key), asker.at),
        chosen=rules.categories.chosen(asker.choice, asker.subject),
        pending=pending,
    )
