"""What a patient is: the draft an importer brings, and the views that leave the store.

Drafts and views hold plaintext, so none of them has a repr that a traceback could print.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crm_core.vault.sealed import Shown


class ContactKind(StrEnum):
    """What a contact point is."""

    PHONE = "phone"
    EMAIL = "email"


class ContactUse(StrEnum):
    """What the patient uses a contact point for."""

    HOME = "home"
    WORK = "work"
    MOBILE = "mobile"
    OTHER = "other"


class Origin(StrEnum):
    """Who linked a number to a patient: an import may take back only what an import gave."""

    IMPORT = "import"
    STAFF = "staff"


class Relation(StrEnum):
    """What somebody is to the patient for whom they may speak."""

    PARENT = "parent"
    GUARDIAN = "guardian"
    SPOUSE = "spouse"
    CHILD = "child"
    CARER = "carer"
    ATTORNEY = "attorney"
    OTHER = "other"


class Outcome(StrEnum):
    """What became of one draft."""

    CREATED = "created"
    UPDATED = "updated"
    REFUSED = "refused"


class Refusal(StrEnum):
    """Why a draft was refused; each is also the code in a rejects file."""

    TWO_PATIENTS = "two_patients"
    OTHER_PERSON = "other_person"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class DraftIdentifier:
    """A number some system gives a patient. `kind` is the HL7 v2-0203 code, `MR` for an MRN.

    `old` marks a number taken over from a merged record: it names the patient, and never
    identifies an incoming record.
    """

    system: str
    value: str
    kind: str = ""
    old: bool = False


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class DraftContact:
    """A phone number or e-mail address as it was given; rank 1 is asked for first."""

    kind: ContactKind
    value: str
    use: ContactUse = ContactUse.HOME
    rank: int = 1


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PatientDraft:
    """A patient as an importer read it: cleaned, not yet normalised.

    `birth_date` is ISO 8601 of the precision known (`1970`, `1970-01`, `1970-01-31`).
    `name_text` serves where the name came in one piece. `patient_id` is set where the
    importer already knows whom this is about; `replaced` where the source says that another
    record has taken this one's place, so that numbers which moved there do not bring it back.
    """

    family: str | None = None
    given: str | None = None
    name_text: str | None = None
    birth_date: str | None = None
    identifiers: tuple[DraftIdentifier, ...] = ()
    contacts: tuple[DraftContact, ...] = ()
    address: str | None = None
    language: str | None = None
    time_zone: str | None = None
    deceased: bool = False
    deceased_at: datetime | None = None
    active: bool = True
    patient_id: int | None = None
    replaced: bool = False

    @property
    def has_name(self) -> bool:
        """Whether any part of a name is known."""
        return bool(self.family or self.given or self.name_text)

    @property
    def names(self) -> tuple[str | None, str | None]:
        """Family and given name to store; a name in one piece stands as the family name."""
        if self.family or self.given:
            return self.family, self.given
        return self.name_text, None


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """What became of one draft; `patient_id` is None where it was refused."""

    outcome: Outcome
    patient_id: int | None
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactMatch:
    """Whose a number is: every patient who uses it, and the contact point where it is known."""

    contact_point_id: int | None
    patient_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class ContactView:
    """One contact point of one patient.

    `last_four` are the last four digits of a phone number, or None. `shared_by` counts the
    patients who use it; `changed_days` is how many days ago it was added to a patient who
    was known before, None where it has been there from the start.
    """

    contact_point_id: int
    kind: ContactKind
    value: Shown
    use: ContactUse
    rank: int
    last_four: str | None
    shared_by: int
    changed_days: int | None
    opted_out: bool
    invalid_reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class IdentifierView:
    """One identifier, opened."""

    system: str
    kind: str
    value: Shown


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class IdentityView:
    """Who the open patient is, for the line that guards against writing to the wrong one."""

    patient_id: int
    name: Shown
    birth_date: Shown | None
    age: int | None
    language: str | None
    deceased: bool
    active: bool
    contacts: tuple[ContactView, ...]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PatientView:
    """The whole record. `merged_from` are the ids that resolve to this patient."""

    patient_id: int
    name: Shown
    family: Shown | None
    given: Shown | None
    birth_date: Shown | None
    age: int | None
    address: Shown | None
    language: str | None
    time_zone: str | None
    deceased: bool
    deceased_at: datetime | None
    active: bool
    identifiers: tuple[IdentifierView, ...]
    contacts: tuple[ContactView, ...]
    merged_from: tuple[int, ...]
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PatientBrief:
    """One line of a search result: enough to tell two people of one name apart."""

    patient_id: int
    name: Shown
    birth_date: Shown | None
    age: int | None
    mrn: Shown | None
    last_four: str | None
    deceased: bool
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The answer of a search; `hint` says what to do where there were too many or no terms."""

    patients: tuple[PatientBrief, ...]
    hint: str | None = None
