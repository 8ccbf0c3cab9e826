"""Patients and how to reach them. Whatever says who somebody is, is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from crm_core.patients.model import ContactKind, ContactUse, Origin, Relation
from crm_core.store.base import Base, Id, Utc, sealed, word
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed
from crm_core.words import Channel

LONGEST_SYSTEM = 255
"""Characters kept of an identifier's system; FHIR systems are URIs."""

HELD = text("held_at IS NOT NULL")
"""The condition of the index of numbers about which somebody must decide: a query repeats it to the letter."""


class Patient(Base):
    """One record of one person.

    A merged record stays, and `merged_into_id` says who it is now (always a record that is not
    merged itself), `merged_at` since when. `deceased_by` is who of the staff recorded a death,
    which no import takes back; `has_died` asks every record of a patient. `family_mark` and
    `birth_mark` are 16-bit keyed hashes, each standing for many names or dates: they show an import
    that a record is about somebody else, without opening it.
    """

    __tablename__ = "patient"
    __table_args__ = (
        CheckConstraint("merged_into_id <> id", name="not_merged_into_itself"),
        CheckConstraint("deceased OR deceased_at IS NULL", name="deceased_at_only_if_deceased"),
        Index("ix_patient_merged_into_id", "merged_into_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    family_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    given_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    birth_date_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    family_mark: Mapped[int | None]
    birth_mark: Mapped[int | None]
    language: Mapped[str | None] = mapped_column(String(35))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    deceased: Mapped[bool]
    deceased_at: Mapped[datetime | None] = mapped_column(Utc)
    deceased_by: Mapped[int | None] = mapped_column(Id)
    active: Mapped[bool]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    merged_at: Mapped[datetime | None] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc)
    updated_at: Mapped[datetime] = mapped_column(Utc)
    version: Mapped[int]

    family: Mapped[Sealed] = sealed(Field.PATIENT_FAMILY, "id", "family_sealed")
    given: Mapped[Sealed] = sealed(Field.PATIENT_GIVEN, "id", "given_sealed")
    birth_date: Mapped[Sealed] = sealed(Field.PATIENT_BIRTH_DATE, "id", "birth_date_sealed")
    address: Mapped[Sealed] = sealed(Field.PATIENT_ADDRESS, "id", "address_sealed")


class PatientIdentifier(Base):
    """A number that a system gives a patient; within its system it names one patient only.

    `old` marks a number taken over from a record that was merged into this one.
    """

    __tablename__ = "patient_identifier"
    __table_args__ = (UniqueConstraint("value_token", "system"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    system: Mapped[str] = mapped_column(String(LONGEST_SYSTEM))
    kind: Mapped[str] = mapped_column(String(16))
    old: Mapped[bool]
    value_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    value_token: Mapped[int] = mapped_column(BigInteger)

    value: Mapped[Sealed] = sealed(Field.IDENTIFIER_VALUE, "id", "value_sealed")


class ContactPoint(Base):
    """A phone number or e-mail address: one row, shared by every patient who uses it.

    Opting out and being invalid belong to the number. `opted_out_at` is set exactly while it
    is opted out; `opted_in_at` is when it last opted in again. While `held_at` is set, somebody
    may have asked for no more messages, and a person has yet to decide.
    """

    __tablename__ = "contact_point"
    __table_args__ = (
        UniqueConstraint("value_token", "kind"),
        CheckConstraint("(invalid_at IS NULL) = (invalid_reason IS NULL)", name="invalid_has_a_reason"),
        Index("ix_contact_point_held", "held_at", sqlite_where=HELD, postgresql_where=HELD),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    kind: Mapped[ContactKind] = mapped_column(word(ContactKind, "kind"))
    value_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    value_token: Mapped[int] = mapped_column(BigInteger)
    last_four_token: Mapped[int | None] = mapped_column(BigInteger)
    opted_out_at: Mapped[datetime | None] = mapped_column(Utc)
    opted_in_at: Mapped[datetime | None] = mapped_column(Utc)
    invalid_at: Mapped[datetime | None] = mapped_column(Utc)
    invalid_reason: Mapped[str | None] = mapped_column(String(40))
    held_at: Mapped[datetime | None] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc)

    value: Mapped[Sealed] = sealed(Field.CONTACT_VALUE, "id", "value_sealed")


class PatientContact(Base):
    """A patient uses a contact point; `since` is when that was first told to us."""

    __tablename__ = "patient_contact"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"), primary_key=True, index=True)
    use: Mapped[ContactUse] = mapped_column(word(ContactUse, "use"))
    rank: Mapped[int] = mapped_column(SmallInteger)
    origin: Mapped[Origin] = mapped_column(word(Origin, "origin"))
    since: Mapped[datetime] = mapped_column(Utc)


class Proxy(Base):
    """Somebody who may speak for a patient, or receive what is for the patient, or both."""

    __tablename__ = "proxy"
    __table_args__ = (
        CheckConstraint("may_speak OR may_receive", name="may_something"),
        CheckConstraint("until_at IS NULL OR until_at > from_at", name="order"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_someone"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"), index=True)
    relation: Mapped[Relation] = mapped_column(word(Relation, "relation"))
    may_speak: Mapped[bool]
    may_receive: Mapped[bool]
    from_at: Mapped[datetime] = mapped_column(Utc)
    until_at: Mapped[datetime | None] = mapped_column(Utc)
    recorded_by: Mapped[int] = mapped_column(Id)
    recorded_at: Mapped[datetime] = mapped_column(Utc)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)
    ended_by: Mapped[int | None] = mapped_column(Id)
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    name: Mapped[Sealed] = sealed(Field.PROXY_NAME, "id", "name_sealed")
    words: Mapped[Sealed] = sealed(Field.PROXY_WORDS, "id", "words_sealed")


class ChannelPreference(Base):
    """How a patient wants to be reached: 1 is asked for first."""

    __tablename__ = "channel_preference"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    channel: Mapped[Channel] = mapped_column(word(Channel, "channel"), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger)


class ContactPreference(Base):
    """Which number or address a patient wants to be reached at, before the order that an import gave."""

    __tablename__ = "contact_preference"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger)


class PatientMerge(Base):
    """The journal of merges: `record_id` answered as `gone_id` and answers as `kept_id` since `at`.

    Where one record takes another in, whatever that had taken in moves too: a row for each.
    """

    __tablename__ = "patient_merge"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    record_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    gone_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime] = mapped_column(Utc)
    undone_at: Mapped[datetime | None] = mapped_column(Utc)


PATIENT = cast("Table", Patient.__table__)
IDENTIFIER = cast("Table", PatientIdentifier.__table__)
POINT = cast("Table", ContactPoint.__table__)
LINK = cast("Table", PatientContact.__table__)

ROOT = func.coalesce(PATIENT.c.merged_into_id, PATIENT.c.id)
"""Who a record is about now: itself, or what it was merged into."""


def has_died(patient: Any) -> ColumnElement[bool]:
    """The condition that a patient has died, whichever of their records says so.

    `patient` is `Patient`, or an alias of it, standing on who they are now.
    """
    record = aliased(Patient)
    died = select(record.id).where(record.merged_into_id == patient.id, record.deceased)
    return or_(patient.deceased, died.correlate(patient).exists())
