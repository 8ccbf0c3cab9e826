"""Where an import stands, stored with every 500 rows, so that a killed one goes on from there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError
from crm_core.exchange.model import ImportReport, TypeCount
from crm_core.exchange.tables import BATCH, PROGRESS, BatchState
from crm_core.store.dialect import upsert
from crm_core.vault.vault import Vault
from crm_core.work.units import ReadUnit, WriteUnit


class ImportRunsAlready(CrmError):
    """Another import of the same files is running as batch {batch}; wait for it to end, or stop it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """What comes next: the `items_done`-th thing read from file `file_index` is stored."""

    file_index: int = 0
    items_done: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A batch to go on with."""

    position: Position
    rejects_size: int
    report: ImportReport


def input_print(vault: Vault, files: Sequence[Path]) -> bytes:
    """A keyed digest of which files are read, and of which version of each."""
    return vault.fingerprint(json.dumps([_state(path) for path in files]).encode())


def _state(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return str(path), -1, 0
    return str(path.resolve()), stat.st_size, stat.st_mtime_ns


@needs(Permission.PATIENT_IMPORT)
def unfinished(unit: ReadUnit, files: Sequence[Path]) -> Checkpoint | None:
    """The batch of the same files that was killed, if there is one."""
    running = (BATCH.c.input_print == input_print(unit.vault, files)) & (BATCH.c.state == BatchState.RUNNING)
    row = unit.execute(select(PROGRESS).join(BATCH, BATCH.c.id == PROGRESS.c.batch_id).where(running)).first()
    if row is None:
        return None
    kept = json.loads(row.counts)
    report = ImportReport(
        batch=row.batch_id,
        by_type={name: TypeCount(**counts) for name, counts in kept["by_type"].items()},
        merged=kept["merged"],
        left_out=kept["left_out"],
    )
    position = Position(file_index=row.file_index, items_done=row.items_done)
    return Checkpoint(position=position, rejects_size=row.rejects_size, report=report)


@needs(Permission.PATIENT_IMPORT)
def begin(unit: WriteUnit, files: Sequence[Path]) -> int:
    """A new batch; its id."""
    batch_id = unit.new_id("import_batch")
    unit.execute(
        insert(BATCH).values(
            id=batch_id,
            kind="fhir",
            state=BatchState.RUNNING,
            input_print=input_print(unit.vault, files),
            actor_id=unit.actor.staff_id,
            started_at=unit.now,
        )
    )
    unit.audit(Tag.IMPORT_STARTED, batch_id)
    return batch_id


@needs(Permission.PATIENT_IMPORT)
def save(unit: WriteUnit, report: ImportReport, before: Position, position: Position, rejects_size: int) -> None:
    """Store how far the batch is. Refused where another process moved it on from `before`."""
    values = {
        "file_index": position.file_index,
        "items_done": position.items_done,
        "rejects_size": rejects_size,
        "counts": json.dumps(
            {
                "by_type": {name: count.as_dict() for name, count in report.by_type.items()},
                "merged": report.merged,
                "left_out": report.left_out,
            }
        ),
        "at": unit.now,
    }
    known = unit.execute(
        select(PROGRESS.c.file_index, PROGRESS.c.items_done)
        .where(PROGRESS.c.batch_id == report.batch)
        .with_for_update()
    ).first()
    if known is not None and (known.file_index, known.items_done) != (before.file_index, before.items_done):
        raise ImportRunsAlready(batch=report.batch)
    unit.execute(upsert(unit.dialect, PROGRESS, ["batch_id"], list(values)), {"batch_id": report.batch} | values)


@needs(Permission.PATIENT_IMPORT)
def finish(unit: WriteUnit, batch_id: int) -> None:
    """The batch has ended."""
    unit.execute(update(BATCH).where(BATCH.c.id == batch_id).values(state=BatchState.DONE, finished_at=unit.now))
    unit.audit(Tag.IMPORT_FINISHED, batch_id)
