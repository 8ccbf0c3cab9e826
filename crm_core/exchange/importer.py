"""Importing FHIR: what is new is created, what changed is updated, the rest is left alone.

Patients are taken 500 at a time, each five hundred in one unit of work with its checkpoint.
Looking whether anything changed needs no writing and opens nothing, so a second run writes
nothing at all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from crm_core.access.model import Actor
from crm_core.errors import AlreadyInUse
from crm_core.exchange import checkpoint, references
from crm_core.exchange.checkpoint import Position
from crm_core.exchange.fhir_patient import read_patient
from crm_core.exchange.fhir_read import files_of, read_file
from crm_core.exchange.model import ImportProgress, ImportReport, OnProgress, PatientRecord, Reject, Resource
from crm_core.exchange.references import Marked, Placed, Standing
from crm_core.exchange.rejects import RejectsFile
from crm_core.patients.merging import merge_records
from crm_core.patients.model import Outcome, Refusal, Saved
from crm_core.patients.saving import preview_many, save_many
from crm_core.work.units import ReadUnit, WriteUnit

CHUNK = 500
"""Patients in one unit of work (cli.md)."""
TRIES = 3
"""Times a chunk is stored before the conflict with another process is told."""
PATIENT = "Patient"

_REFUSALS = {
    Refusal.TWO_PATIENTS: ("identifier", "Its identifiers belong to two different patients."),
    Refusal.OTHER_PERSON: (
        "name",
        "It names a patient we know by another family name and another birth date; nothing was overwritten.",
    ),
}
_SEEN_TWICE = "The same record came before in this import with other content, and neither says which is newer."


class MakesUnits(Protocol):
    """An open store, as far as an importer is concerned."""

    def read(self, actor: Actor) -> ReadUnit: ...

    def write(self, actor: Actor) -> WriteUnit: ...


def import_fhir(
    crm: MakesUnits,
    actor: Actor,
    paths: Sequence[Path],
    *,
    dry_run: bool = False,
    rejects_path: Path | None = None,
    limit_errors: int | None = None,
    progress: OnProgress | None = None,
) -> ImportReport:
    """Import FHIR files and folders of them, and say what became of each type.

    Ends the same however often it is killed and run again. `limit_errors` stops it after so
    many rejects; what was good until then is kept. Raises UsageError for a path that is
    missing, NotPermitted without the permission to import patients.
    """
    files = files_of(paths)
    with crm.read(actor) as unit:
        found = checkpoint.unfinished(unit, files)
    going_on = None if dry_run else found
    with RejectsFile(rejects_path, keep=going_on.rejects_size if going_on else 0) as rejects:
        run = _Run(crm, actor, files, rejects, dry_run=dry_run, limit_errors=limit_errors, progress=progress)
        if going_on:
            run.report, run.stored, run.position = going_on.report, going_on.position, going_on.position
        return run.all()


class _Run:
    """One run of an import: what was read and is not yet stored, and the counts so far."""

    def __init__(
        self,
        crm: MakesUnits,
        actor: Actor,
        files: Sequence[Path],
        rejects: RejectsFile,
        *,
        dry_run: bool,
        limit_errors: int | None,
        progress: OnProgress | None,
    ) -> None:
        self.report = ImportReport()
        self.stored = self.position = Position()
        self._crm = crm
        self._actor = actor
        self._files = files
        self._rejects = rejects
        self._dry_run = dry_run
        self._limit = limit_errors
        self._progress = progress
        self._chunk: dict[int, Marked] = {}
        self._seen: set[int] = set()
        self._previewed: dict[int, bytes] = {}
        self._started = time.monotonic()
        with crm.read(actor) as unit:
            self._vault, self._today = unit.vault, unit.now.date()

    def all(self) -> ImportReport:
        """Read everything that is not stored yet."""
        first = self.stored
        for index in range(first.file_index, len(self._files)):
            skip = first.items_done if index == first.file_index else 0
            self._read(index, skip)
            self._tell(index + 1)
            if self.report.stopped:
                break
        self._flush()
        self._merge()
        if self.report.batch is not None:
            with self._crm.write(self._actor) as unit:
                checkpoint.finish(unit, self.report.batch)
        self.report.seconds = time.monotonic() - self._started
        return self.report

    def _read(self, index: int, skip: int) -> None:
        for number, item in enumerate(read_file(self._files[index]), 1):
            if number <= skip:
                continue
            self._take(item)
            self.position = Position(file_index=index, items_done=number)
            if len(self._chunk) >= CHUNK:
                self._flush()
                self._tell(index)
            if self._limit is not None and self.report.total("rejected") >= self._limit:
                self.report.stopped = True
                return

    def _take(self, item: Resource | Reject) -> None:
        if isinstance(item, Resource) and item.type == PATIENT:
            record = read_patient(item, self._today)
            if isinstance(record, Reject):
                self._reject(record)
            else:
                self._hold(record)
            return
        count = self.report.count(item.type)
        if isinstance(item, Reject):
            self._reject(item)
        else:
            count.read += 1
            count.skipped += 1

    def _hold(self, record: PatientRecord) -> None:
        marked = references.mark(self._vault, record)
        if marked.token in self._chunk:
            self._flush()
        count = self.report.count(PATIENT)
        count.read += 1
        self.report.left_out += record.left_out
        self._chunk[marked.token] = marked

    def _reject(self, reject: Reject) -> None:
        count = self.report.count(reject.type)
        count.read += 1
        count.rejected += 1
        self._rejects.add(reject)

    def _flush(self) -> None:
        """Store what is held, or find that nothing of it is new."""
        chunk = list(self._chunk.values())
        self._chunk.clear()
        if not chunk:
            return
        with self._crm.read(self._actor) as unit:
            placed = references.place(unit, chunk, self._seen)
            if self._dry_run:
                placed = self._as_if_stored(placed)
            wanted = _wanted(placed)
            answers = preview_many(unit, [item.draft for item in wanted]) if self._dry_run else []
        if wanted and not self._dry_run:
            self._store_at_last(chunk)
        else:
            self._count(placed, answers)
        self._seen.update(marked.token for marked in chunk)

    def _as_if_stored(self, placed: Sequence[Placed]) -> list[Placed]:
        """A dry run stores nothing, so it remembers by itself what it has met."""
        known = [
            replace(item, standing=Standing.UNCHANGED)
            if self._previewed.get(item.marked.token) == item.marked.fingerprint
            else item
            for item in placed
        ]
        self._previewed |= {item.marked.token: item.marked.fingerprint for item in placed}
        return known

    def _store_at_last(self, chunk: Sequence[Marked]) -> None:
        """Store, anew where another process was first with the same people: then they are known."""
        for _ in range(TRIES - 1):
            try:
                self._store(chunk)
            except AlreadyInUse:
                continue
            return
        self._store(chunk)

    def _store(self, chunk: Sequence[Marked]) -> None:
        with self._crm.write(self._actor) as unit:
            placed = references.place(unit, chunk, self._seen)
            wanted = _wanted(placed)
            answers = save_many(unit, [item.draft for item in wanted])
            batch_id = self._batch(unit)
            pairs = zip(wanted, answers, strict=True)
            taken = [(item.marked, saved.patient_id) for item, saved in pairs if saved.patient_id is not None]
            references.remember(unit, batch_id, taken)
            self._count(placed, answers)
            checkpoint.save(unit, self.report, self.stored, self.position, self._rejects.size())
        self.stored = self.position

    def _batch(self, unit: WriteUnit) -> int:
        if self.report.batch is None:
            self.report.batch = checkpoint.begin(unit, self._files)
        return self.report.batch

    def _count(self, placed: Sequence[Placed], answers: Sequence[Saved]) -> None:
        """Count what became of each record; `answers` are those for the wanted ones, in order."""
        count = self.report.count(PATIENT)
        answer = iter(answers)
        for item in placed:
            if item.standing is Standing.UNCHANGED:
                count.unchanged += 1
            elif item.standing is Standing.SEEN_TWICE:
                self._refuse(item, "", Standing.SEEN_TWICE, _SEEN_TWICE)
            else:
                saved = next(answer)
                if saved.refusal is not None:
                    self._refuse(item, _REFUSALS[saved.refusal][0], saved.refusal, _REFUSALS[saved.refusal][1])
                elif saved.outcome is Outcome.CREATED:
                    count.created += 1
                else:
                    count.updated += 1

    def _refuse(self, item: Placed, field: str, code: str, message: str) -> None:
        record = item.marked.record
        self.report.count(PATIENT).rejected += 1
        self._rejects.add(
            Reject(file=record.file, row=record.row, type=PATIENT, field=field, code=str(code), message=message)
        )

    def _merge(self) -> None:
        """Let records be one that their source has merged, those of earlier imports included."""
        with self._crm.read(self._actor) as unit:
            pairs = references.open_merges(unit)
        if pairs and not self._dry_run:
            with self._crm.write(self._actor) as unit:
                self._batch(unit)
                self.report.merged += merge_records(unit, pairs)
                checkpoint.save(unit, self.report, self.stored, self.position, self._rejects.size())
            self.stored = self.position

    def _tell(self, file: int) -> None:
        if self._progress is not None:
            seconds = time.monotonic() - self._started
            self._progress(
                ImportProgress(file=file, files=len(self._files), read=self.report.total("read"), seconds=seconds)
            )


def _wanted(placed: Sequence[Placed]) -> list[Placed]:
    return [item for item in placed if item.standing in (Standing.NEW, Standing.CHANGED)]
