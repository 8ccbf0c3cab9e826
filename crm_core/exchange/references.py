"""What we know of a source's records, and what a record read now means against that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select

from crm_core.exchange.model import PatientRecord, SourceKey
from crm_core.exchange.tables import REF
from crm_core.patients.model import PatientDraft
from crm_core.patients.tables import PATIENT
from crm_core.store.dialect import upsert
from crm_core.vault.vault import Vault
from crm_core.work.units import ReadUnit, WriteUnit

_CHUNK = 500


class Standing(StrEnum):
    """What a record is to us."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SEEN_TWICE = "seen_twice"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Marked:
    """A record with its keyed marks: made once, compared without opening anything."""

    record: PatientRecord
    token: int
    fingerprint: bytes
    replaced_by_token: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ref:
    """What is stored of a source's record."""

    patient_id: int
    fingerprint: bytes
    last_updated: datetime | None
    version: int | None


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Placed:
    """A record with what it is to us; `patient_id` where that is known."""

    marked: Marked
    standing: Standing
    patient_id: int | None

    @property
    def draft(self) -> PatientDraft:
        """The draft, saying whom it is about."""
        return replace(self.marked.record.draft, patient_id=self.patient_id)


def mark(vault: Vault, record: PatientRecord) -> Marked:
    """The keyed marks of a record. One that its source gives no name is known by its content."""
    fingerprint = vault.fingerprint(_canonical(record))
    key = record.key if record.key.id else SourceKey(source="content", id=fingerprint.hex())
    return Marked(
        record=record,
        token=token_of(vault, key),
        fingerprint=fingerprint,
        replaced_by_token=token_of(vault, record.replaced_by) if record.replaced_by else None,
    )


def _canonical(record: PatientRecord) -> bytes:
    """Everything that is taken from a record, in one order. By hand: `asdict` takes four times as long."""
    draft = record.draft
    facts = (
        *(draft.family, draft.given, draft.name_text, draft.birth_date, draft.address, draft.language),
        *(draft.time_zone, draft.deceased, draft.deceased_at, draft.active, draft.replaced),
        [(item.system, item.value, item.kind, item.old) for item in draft.identifiers],
        [(item.kind, item.value, item.use, item.rank) for item in draft.contacts],
        record.replaced_by and record.replaced_by.text,
    )
    return json.dumps(facts, default=str).encode()


def token_of(vault: Vault, key: SourceKey) -> int:
    """The keyed hash of what a source calls a patient."""
    return vault.token("external_ref:Patient", key.text)


def place(unit: ReadUnit, chunk: Sequence[Marked], seen: set[int]) -> list[Placed]:
    """What each record is to us, in one statement. `seen` are the tokens met before in this import.

    An older version changes nothing. A record met twice in one import, with other content and
    no newer version, is refused: taking both would change the patient on every import.
    """
    rows = unit.execute(select(REF).where(REF.c.token.in_([marked.token for marked in chunk])))
    refs = {
        row.token: Ref(
            patient_id=row.patient_id, fingerprint=row.fingerprint, last_updated=row.last_updated, version=row.version
        )
        for row in rows
    }
    return [_placed(marked, refs.get(marked.token), marked.token in seen) for marked in chunk]


def _placed(marked: Marked, ref: Ref | None, again: bool) -> Placed:
    if ref is None:
        return Placed(marked=marked, standing=Standing.NEW, patient_id=None)
    age = _age(marked.record, ref)
    if ref.fingerprint == marked.fingerprint or age < 0:
        standing = Standing.UNCHANGED
    else:
        standing = Standing.SEEN_TWICE if again and age == 0 else Standing.CHANGED
    return Placed(marked=marked, standing=standing, patient_id=ref.patient_id)


def _age(record: PatientRecord, ref: Ref) -> int:
    """1 where the record is newer than what we have, -1 where older, 0 where its source does not say."""
    if record.last_updated and ref.last_updated and record.last_updated != ref.last_updated:
        return 1 if record.last_updated > ref.last_updated else -1
    if record.version is not None and ref.version is not None:
        return (record.version > ref.version) - (record.version < ref.version)
    return 0


def remember(unit: WriteUnit, batch_id: int, taken: Sequence[tuple[Marked, int]]) -> None:
    """Store which patient each record became, and what it looked like."""
    rows = {
        marked.token: {
            "token": marked.token,
            "patient_id": patient_id,
            "fingerprint": marked.fingerprint,
            "last_updated": marked.record.last_updated,
            "version": marked.record.version,
            "replaced_by_token": marked.replaced_by_token,
            "batch_id": batch_id,
        }
        for marked, patient_id in taken
    }
    if rows:
        change = [column.name for column in REF.c if column.name != "token"]
        unit.execute(upsert(unit.dialect, REF, ["token"], change), [rows[token] for token in sorted(rows)])


def open_merges(unit: ReadUnit) -> list[tuple[int, int]]:
    """Pairs of patients, old and new, that a source has merged and we have not yet."""
    other, old, new = REF.alias("other"), PATIENT.alias("old"), PATIENT.alias("new")
    was, now = func.coalesce(old.c.merged_into_id, old.c.id), func.coalesce(new.c.merged_into_id, new.c.id)
    rows = unit.execute(
        select(REF.c.patient_id, other.c.patient_id.label("into_id"))
        .join(other, other.c.token == REF.c.replaced_by_token)
        .join(old, old.c.id == REF.c.patient_id)
        .join(new, new.c.id == other.c.patient_id)
        .where(was != now)
        .order_by(REF.c.patient_id)
    )
    return [(row.patient_id, row.into_id) for row in rows]
