"""Many patients saved at once: a handful of statements for a batch, whatever its size.

A draft is about a patient we know where the importer says so, or where a number that
identifies is the same; then the draft replaces what was known, except what staff linked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.patients.contact_points import CHUNK
from crm_core.patients.links import store_links
from crm_core.patients.model import Outcome, PatientDraft, Refusal, Saved
from crm_core.patients.observers import patient_observers
from crm_core.patients.preparing import Prepared, PreparedIdentifier, prepare
from crm_core.patients.region import clinic_region
from crm_core.patients.tables import IDENTIFIER, PATIENT
from crm_core.store import search_index
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.work.units import ReadUnit, WriteUnit


@dataclass(slots=True)
class _Known:
    """A patient as far as a batch must know one. `recorded`: staff recorded the death, so no import takes it back."""

    family_mark: int | None
    birth_mark: int | None
    deceased: bool
    deceased_at: datetime | None
    recorded: bool
    is_new: bool


@dataclass(slots=True)
class _Batch:
    """What a batch has decided so far; the last draft about a patient is the one that is stored."""

    holders: dict[tuple[str, int], tuple[int, bool]]
    patients: dict[int, _Known]
    roots: dict[int, int]
    stored: dict[int, Prepared] = field(default_factory=dict)
    identifiers: list[tuple[int, PreparedIdentifier]] = field(default_factory=list)


@needs(Permission.PATIENT_IMPORT)
def save_many(unit: WriteUnit, drafts: Sequence[PatientDraft]) -> list[Saved]:
    """Create or update a patient for each draft; the answers are in the drafts' order.

    Refused, and nothing of it stored: a draft whose numbers belong to two patients, and one
    about a known patient whose family name and birth date both differ.
    """
    region = clinic_region(unit)
    prepared = [prepare(unit.vault, draft, region) for draft in drafts]
    batch = _look_up(unit, prepared)
    fresh = iter(unit.new_ids("patient", sum(not _may_be_known(batch, item) for item in prepared)))
    saved = [_decide(batch, item, fresh) for item in prepared]
    _store(unit, batch)
    return saved


@needs(Permission.PATIENT_IMPORT)
def preview_many(unit: ReadUnit, drafts: Sequence[PatientDraft]) -> list[Saved]:
    """What `save_many` would answer, with nothing written; new patients have the id None."""
    region = clinic_region(unit)
    prepared = [prepare(unit.vault, draft, region) for draft in drafts]
    batch = _look_up(unit, prepared, lock=False)
    made_up = count(-1, -1)
    decided = [_decide(batch, item, made_up) for item in prepared]
    return [replace(saved, patient_id=None) if (saved.patient_id or 0) < 0 else saved for saved in decided]


def _look_up(unit: ReadUnit, prepared: Sequence[Prepared], *, lock: bool = True) -> _Batch:
    tokens = sorted({identifier.token for item in prepared for identifier in item.identifiers})
    holders: dict[tuple[str, int], tuple[int, bool]] = {}
    for start in range(0, len(tokens), CHUNK):
        columns = (IDENTIFIER.c.system, IDENTIFIER.c.value_token, IDENTIFIER.c.patient_id, IDENTIFIER.c.old)
        rows = unit.execute(select(*columns).where(IDENTIFIER.c.value_token.in_(tokens[start : start + CHUNK])))
        holders.update({(row.system, row.value_token): (row.patient_id, row.old) for row in rows})
    named = {item.draft.patient_id for item in prepared if item.draft.patient_id is not None}
    wanted = sorted(named.union(holder for holder, _ in holders.values()))
    batch = _Batch(holders=holders, patients={}, roots={})
    if wanted:
        roots = select(func.coalesce(PATIENT.c.merged_into_id, PATIENT.c.id)).where(PATIENT.c.id.in_(wanted))
        marks = (PATIENT.c.family_mark, PATIENT.c.birth_mark)
        known = (PATIENT.c.merged_into_id, *marks, PATIENT.c.deceased, PATIENT.c.deceased_at, PATIENT.c.deceased_by)
        found = (
            select(PATIENT.c.id, *known)
            .where(PATIENT.c.id.in_(wanted) | PATIENT.c.id.in_(roots))
            .order_by(PATIENT.c.id)
        )
        rows = unit.execute(found.with_for_update() if lock else found)
        for row in rows:
            batch.roots[row.id] = row.merged_into_id or row.id
            batch.patients[row.id] = _Known(
                family_mark=row.family_mark,
                birth_mark=row.birth_mark,
                deceased=row.deceased,
                deceased_at=row.deceased_at,
                recorded=row.deceased_by is not None,
                is_new=False,
            )
    return batch


def _may_be_known(batch: _Batch, item: Prepared) -> bool:
    return item.draft.patient_id is not None or bool(_whose(batch, item))


def _whose(batch: _Batch, item: Prepared) -> set[int]:
    """Who holds the numbers that identify this draft; a number that moved on with a merge is no claim."""
    return {
        batch.roots[holder]
        for identifier in item.identifiers
        if identifier.identifies and identifier.key in batch.holders
        for holder, was_old in [batch.holders[identifier.key]]
        if not (was_old and item.draft.replaced)
    }


def _decide(batch: _Batch, item: Prepared, fresh: Iterator[int]) -> Saved:
    """Whom this draft is about, and whether it may be; notes in `batch` what is to be stored."""
    patient_id = item.draft.patient_id
    claimants = _whose(batch, item)
    if patient_id is not None:
        claimants.add(batch.roots[patient_id])
    if len(claimants) > 1:
        return Saved(outcome=Outcome.REFUSED, patient_id=None, refusal=Refusal.TWO_PATIENTS)
    if patient_id is None:
        patient_id = next(iter(claimants), None)
    if patient_id is None:
        patient_id = next(fresh)
        batch.patients[patient_id] = _Known(
            family_mark=item.family_mark,
            birth_mark=item.birth_mark,
            deceased=False,
            deceased_at=None,
            recorded=False,
            is_new=True,
        )
        batch.roots[patient_id] = patient_id
        outcome = Outcome.CREATED
    else:
        known = batch.patients[patient_id]
        if item.is_other_person_than(known.family_mark, known.birth_mark):
            return Saved(outcome=Outcome.REFUSED, patient_id=None, refusal=Refusal.OTHER_PERSON)
        known.family_mark, known.birth_mark = item.family_mark, item.birth_mark
        outcome = Outcome.UPDATED
    for identifier in item.identifiers:
        if identifier.key not in batch.holders:
            batch.holders[identifier.key] = (patient_id, identifier.old)
            batch.identifiers.append((patient_id, identifier))
    batch.stored[patient_id] = item
    return Saved(outcome=outcome, patient_id=patient_id)


def _store(unit: WriteUnit, batch: _Batch) -> None:
    if not batch.stored:
        return
    new = [pair for pair in batch.stored.items() if batch.patients[pair[0]].is_new]
    old = sorted(
        (pair for pair in batch.stored.items() if not batch.patients[pair[0]].is_new), key=lambda pair: pair[0]
    )
    if new:
        first = {"created_at": unit.now, "version": 1}
        unit.execute(insert(PATIENT), [_values(unit, batch, *pair) | {"id": pair[0]} | first for pair in new])
        unit.audit(Tag.PATIENT_CREATED, *(patient_id for patient_id, _ in new))
    if old:
        changes: dict[str, Any] = {name: bindparam(name) for name in _values(unit, batch, *old[0])}
        unit.execute(
            update(PATIENT).where(PATIENT.c.id == bindparam("of_id")).values(**changes, version=PATIENT.c.version + 1),
            [_values(unit, batch, *pair) | {"of_id": pair[0]} for pair in old],
        )
        unit.audit(Tag.PATIENT_CHANGED, *(patient_id for patient_id, _ in old), why="imported")
    died = _deaths(unit, batch)
    _insert_identifiers(unit, batch)
    kept = store_links(
        unit,
        {patient_id: item.contacts for patient_id, item in batch.stored.items()},
        known=[patient_id for patient_id, _ in old],
    )
    search_index.put(unit, [(who, item.tokens.union(kept.tokens.get(who, ()))) for who, item in batch.stored.items()])
    unit.changed(Topic.PATIENTS)
    with unit.as_the_house():
        for observer in patient_observers(unit):
            for patient_id in died:
                observer.died(unit, patient_id)
            for change in kept.changes:
                observer.number_changed(unit, change.patient_id, change.old, change.new)


def _deaths(unit: WriteUnit, batch: _Batch) -> list[int]:
    died = [
        patient_id
        for patient_id, item in batch.stored.items()
        if item.draft.deceased and not batch.patients[patient_id].deceased and not batch.patients[patient_id].is_new
    ]
    if died:
        unit.audit(Tag.PATIENT_DECEASED, *died, why="imported")
    return died


def _insert_identifiers(unit: WriteUnit, batch: _Batch) -> None:
    # What belongs to a refused draft was never noted; a draft stored over another keeps both's.
    if not batch.identifiers:
        return
    ids = unit.new_ids("patient_identifier", len(batch.identifiers))
    # One order for all processes, so that two that bring the same numbers wait and do not deadlock.
    ordered = sorted(zip(ids, batch.identifiers, strict=True), key=lambda row: row[1][1].token)
    unit.execute(
        insert(IDENTIFIER),
        [
            {
                "id": row_id,
                "patient_id": patient_id,
                "system": identifier.system,
                "kind": identifier.kind,
                "old": identifier.old,
                "value_sealed": unit.seal(Field.IDENTIFIER_VALUE, row_id, identifier.value),
                "value_token": identifier.token,
            }
            for row_id, (patient_id, identifier) in ordered
        ],
    )


def _values(unit: WriteUnit, batch: _Batch, patient_id: int, item: Prepared) -> dict[str, Any]:
    draft, known = item.draft, batch.patients[patient_id]
    kept_at = known.deceased_at if known.recorded else None
    deceased = draft.deceased or known.recorded
    family, given = draft.names
    return {
        "family_sealed": unit.seal(Field.PATIENT_FAMILY, patient_id, family),
        "given_sealed": unit.seal(Field.PATIENT_GIVEN, patient_id, given),
        "birth_date_sealed": unit.seal(Field.PATIENT_BIRTH_DATE, patient_id, draft.birth_date),
        "address_sealed": unit.seal(Field.PATIENT_ADDRESS, patient_id, draft.address),
        "family_mark": item.family_mark,
        "birth_mark": item.birth_mark,
        "language": draft.language,
        "time_zone": draft.time_zone,
        "deceased": deceased,
        "deceased_at": (draft.deceased_at or kept_at) if deceased else None,
        "active": draft.active,
        "updated_at": unit.now,
    }
