"""Made-up people for the tests of this room."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.patients.model import ContactKind, ContactUse, DraftContact, DraftIdentifier, PatientDraft, Saved
from crm_core.patients.saving import save_many

HOSPITAL = "https://hospital.example/mrn"


def phone(value: str, rank: int = 1) -> DraftContact:
    """A home number."""
    return DraftContact(kind=ContactKind.PHONE, value=value, use=ContactUse.HOME, rank=rank)


def email(value: str, rank: int = 2) -> DraftContact:
    """A home address."""
    return DraftContact(kind=ContactKind.EMAIL, value=value, use=ContactUse.HOME, rank=rank)


def mrn(value: str, *, old: bool = False, system: str = HOSPITAL) -> DraftIdentifier:
    """A medical record number of one hospital."""
    return DraftIdentifier(system=system, value=value, kind="MR", old=old)


def person(
    family: str,
    given: str,
    number: str | None = None,
    born: str | None = None,
    *contacts: DraftContact,
    patient_id: int | None = None,
    replaced: bool = False,
    deceased: bool = False,
) -> PatientDraft:
    """A draft with what the test is about."""
    return PatientDraft(
        family=family,
        given=given,
        birth_date=born,
        identifiers=(mrn(number),) if number else (),
        contacts=contacts,
        language="en",
        patient_id=patient_id,
        replaced=replaced,
        deceased=deceased,
    )


def save(crm: Crm, *drafts: PatientDraft) -> list[Saved]:
    """Save in one unit of the system's."""
    with crm.write(SYSTEM) as unit:
        return save_many(unit, drafts)


def save_ids(crm: Crm, *drafts: PatientDraft) -> list[int]:
    """Save, and give the ids of patients that must all have been taken."""
    saved = [one.patient_id for one in save(crm, *drafts)]
    assert None not in saved
    return [patient_id for patient_id in saved if patient_id is not None]


def count_statements(engine: Engine) -> list[str]:
    """The statements that the engine runs from now on."""
    counted: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        counted.append(statement)

    return counted
