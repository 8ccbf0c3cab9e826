"""Records that a source has merged: the old one stays, and answers as the one that took its place."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import NotFound, UsageError
from crm_core.patients.observers import patient_observers
from crm_core.patients.tables import PATIENT, Patient, PatientMerge, has_died
from crm_core.store.feed import Topic
from crm_core.work.units import WriteUnit


@needs(Permission.PATIENT_IMPORT)
def merge_records(unit: WriteUnit, pairs: Sequence[tuple[int, int]]) -> int:
    """Let each first patient be the second from now on; returns how many changed.

    A pair that would merge a patient into itself, by whatever detour, is left alone. Opt-outs
    belong to the numbers, so none is lost; where either has died, the one patient has.
    """
    wanted = sorted({patient_id for pair in pairs for patient_id in pair})
    root_ids = select(func.coalesce(PATIENT.c.merged_into_id, PATIENT.c.id)).where(PATIENT.c.id.in_(wanted))
    rows = unit.execute(
        select(PATIENT.c.id, PATIENT.c.merged_into_id)
        .where(PATIENT.c.id.in_(wanted) | PATIENT.c.id.in_(root_ids))
        .order_by(PATIENT.c.id)
        .with_for_update()
    )
    roots = {row.id: row.merged_into_id or row.id for row in rows}
    merged: list[tuple[int, int]] = []
    for old, new in pairs:
        loser, winner = roots[old], roots[new]
        if loser == winner:
            continue
        of_loser = (PATIENT.c.id == loser) | (PATIENT.c.merged_into_id == loser)
        moved = unit.scalars(select(PATIENT.c.id).where(of_loser).order_by(PATIENT.c.id))
        unit.execute(
            update(PATIENT)
            .where(of_loser)
            .values(merged_into_id=winner, merged_at=unit.now, updated_at=unit.now, version=PATIENT.c.version + 1)
        )
        _keep_journal(unit, moved, loser, winner)
        roots = {patient_id: winner if root == loser else root for patient_id, root in roots.items()}
        merged.append((loser, winner))
        unit.audit(Tag.PATIENT_CHANGED, loser, winner, why="merged by its source")
    if merged:
        unit.changed(Topic.PATIENTS)
    with unit.as_the_house():
        for observer in patient_observers(unit):
            for loser, winner in merged:
                observer.merged(unit, winner, loser)
    _stop_the_dead(unit, [winner for _, winner in merged])
    return len(merged)


def _stop_the_dead(unit: WriteUnit, kept: Sequence[int]) -> None:
    """What was on its way to a patient of whom another record knows the death is cancelled as by the death."""
    died = unit.scalars(select(Patient.id).where(Patient.id.in_(kept), has_died(Patient)).order_by(Patient.id))
    for patient_id in died:
        unit.audit(Tag.PATIENT_DECEASED, patient_id, why="merged")
        with unit.as_the_house():
            for observer in patient_observers(unit):
                observer.died(unit, patient_id)


def _keep_journal(unit: WriteUnit, records: Sequence[int], gone: int, kept: int) -> None:
    """Write down which records answer as another now, so that it can be taken back."""
    ids = unit.new_ids("patient_merge", len(records))
    unit.execute(
        insert(PatientMerge),
        [
            {"id": row_id, "record_id": record_id, "gone_id": gone, "kept_id": kept, "at": unit.now}
            for row_id, record_id in zip(ids, records, strict=True)
        ],
    )


@needs(Permission.PATIENT_IMPORT)
def unmerge(unit: WriteUnit, patient_id: int) -> int:
    """Let a merged record be a patient of its own again, with whatever it had taken in; returns whom it leaves.

    Nothing moved when they were merged, so each has again what is its own. What was stopped as
    sent twice stays stopped. UsageError where it is not merged, or what it was merged into has been
    merged on since.
    """
    where = unit.execute(
        select(PATIENT.c.merged_into_id).where(PATIENT.c.id == patient_id).with_for_update()
    ).one_or_none()
    if where is None:
        raise NotFound(kind="patient", id=f"P-{patient_id}")
    kept: int | None = where.merged_into_id
    if kept is None:
        raise UsageError(problem=f"P-{patient_id} is not merged into anybody", remedy="there is nothing to take back")
    journal = (PatientMerge.gone_id == patient_id, PatientMerge.undone_at.is_(None))
    moved = unit.execute(select(PatientMerge.record_id, PatientMerge.kept_id).where(*journal)).all()
    if any(row.kept_id != kept for row in moved) or not moved:
        raise UsageError(
            problem=f"P-{patient_id} came to P-{kept} by another record",
            remedy=f"take that record's merge back first: see `crm show P-{kept}`",
        )
    for row in moved:
        alone = row.record_id == patient_id
        unit.execute(
            update(PATIENT)
            .where(PATIENT.c.id == row.record_id)
            .values(
                merged_into_id=None if alone else patient_id,
                merged_at=None if alone else unit.now,
                updated_at=unit.now,
                version=PATIENT.c.version + 1,
            )
        )
    unit.execute(update(PatientMerge).where(*journal).values(undone_at=unit.now))
    unit.audit(Tag.PATIENT_UNMERGED, patient_id, kept)
    unit.changed(Topic.PATIENTS)
    return kept
