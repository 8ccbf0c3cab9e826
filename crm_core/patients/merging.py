"""Records that a source has merged: the old one stays, and answers as the one that took its place."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.patients.tables import PATIENT
from crm_core.store.feed import Topic
from crm_core.work.units import WriteUnit


@needs(Permission.PATIENT_IMPORT)
def merge_records(unit: WriteUnit, pairs: Sequence[tuple[int, int]]) -> int:
    """Let each first patient be the second from now on; returns how many changed.

    A pair that would merge a patient into itself, by whatever detour, is left alone. Opt-outs
    belong to the numbers, so none is lost.
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
    merged: list[int] = []
    for old, new in pairs:
        loser, winner = roots[old], roots[new]
        if loser == winner:
            continue
        unit.execute(
            update(PATIENT)
            .where((PATIENT.c.id == loser) | (PATIENT.c.merged_into_id == loser))
            .values(merged_into_id=winner, updated_at=unit.now, version=PATIENT.c.version + 1)
        )
        roots = {patient_id: winner if root == loser else root for patient_id, root in roots.items()}
        merged.append(loser)
        unit.audit(Tag.PATIENT_CHANGED, loser, winner, why="merged by its source")
    if merged:
        unit.changed(Topic.PATIENTS)
    return len(merged)
