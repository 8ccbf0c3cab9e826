"""Importing FHIR, on both stores."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Role
from crm_core.app import Crm
from crm_core.audit.tables import AuditRow
from crm_core.errors import NotPermitted, UsageError
from crm_core.exchange import importer
from crm_core.exchange.fhir_patient import read_patient
from crm_core.exchange.importer import import_fhir
from crm_core.exchange.model import ImportProgress, PatientRecord, Resource
from crm_core.exchange.references import mark
from crm_core.exchange.tables import BATCH, PROGRESS, BatchState
from crm_core.patients.model import ContactKind, PatientDraft
from crm_core.patients.queries import match_contact
from crm_core.patients.queries import patient as patient_view
from crm_core.patients.search import find
from crm_core.patients.tables import IDENTIFIER, PATIENT, POINT
from crm_core.store.base import Base
from tests.conftest import MONDAY, StaffFactory
from tests.exchange.fhir import bundle, patient, patients_of, rejected, run, write_json, write_lines


class Killed(BaseException):
    """Stands for a process that ended at once."""


def everything(crm: Crm) -> dict[str, int]:
    """Rows by table."""
    with crm.read(SYSTEM) as unit:
        return {
            name: unit.scalar(select(func.count()).select_from(table)) for name, table in Base.metadata.tables.items()
        }


def test_patients_come_in_and_other_types_are_counted(crm: Crm, staff: StaffFactory, tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", bundle(patient(1), {"resourceType": "Slot"}, {"resourceType": "Slot"}))
    report = run(crm, path).as_dict()
    assert {name: report[name] for name in ("read", "created", "updated", "unchanged", "rejected")} == {
        "read": 3,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
    }
    assert report["by_type"]["Slot"]["skipped"] == 2
    with crm.read(staff(Role.AGENT)) as unit:
        assert [one.name for one in find(unit, "quist 0001").patients] == ["Ana Quist"]


def test_a_second_run_finds_everything_unchanged_and_writes_nothing(crm: Crm, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.ndjson", *[patient(number) for number in range(20)])
    run(crm, path)
    before = everything(crm)
    report = run(crm, path)
    assert patients_of(report) == {"read": 20, "unchanged": 20}
    assert report.batch is None
    assert everything(crm) == before


def test_a_change_at_the_source_is_an_update_and_nothing_is_opened_for_it(crm: Crm, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.ndjson", patient(1), patient(2))
    run(crm, path)
    write_lines(path, patient(1, family="Holm"), patient(2))
    assert patients_of(run(crm, path)) == {"read": 2, "updated": 1, "unchanged": 1}
    with crm.read(SYSTEM) as unit:
        assert not unit.scalars(select(AuditRow.tag).where(AuditRow.tag.contains("opened")))


def test_a_dry_run_says_what_would_be_and_writes_nothing(crm: Crm, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.ndjson", patient(1), patient(2))
    before = everything(crm)
    assert patients_of(run(crm, path, dry_run=True)) == {"read": 2, "created": 2}
    assert everything(crm) == before
    run(crm, path)
    write_lines(path, patient(1), patient(2, family="Holm"), patient(3), patient(3))
    before = everything(crm)
    assert patients_of(run(crm, path, dry_run=True)) == {"read": 4, "created": 1, "updated": 1, "unchanged": 2}
    assert everything(crm) == before


def test_a_bad_row_is_named_in_the_rejects_file_and_stops_no_other(crm: Crm, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.ndjson", patient(1), patient(2, birthDate="Sentinel"), patient(3))
    rejects = tmp_path / "rejects.ndjson"
    rejects.touch(0o644)
    report = run(crm, path, rejects_path=rejects)
    assert patients_of(report) == {"read": 3, "created": 2, "rejected": 1}
    assert report.exit_code == 1
    (line,) = rejected(rejects)
    assert (line["file"], line["row"], line["type"], line["field"], line["code"]) == (
        str(path),
        2,
        "Patient",
        "birthDate",
        "bad_date",
    )
    assert "Sentinel" not in rejects.read_text()
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600


def test_good_files_are_kept_beside_bad_ones(crm: Crm, tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", [patient(1)])
    (tmp_path / "b.json").write_text('{"resourceType": "Bundle", "entry": [')
    (tmp_path / "c.ndjson").write_bytes(b"\x00\x01")
    write_json(tmp_path / "d.json", patient(2))
    report = run(crm, tmp_path, rejects_path=tmp_path / "rejects.txt")
    assert patients_of(report) == {"read": 1, "created": 1}
    assert [line["code"] for line in rejected(tmp_path / "rejects.txt")] == ["a_list", "not_json", "binary"]
    assert report.exit_code == 1


def test_a_missing_path_is_a_usage_error_before_anything_is_done(crm: Crm, tmp_path: Path) -> None:
    good = write_json(tmp_path / "a.json", patient(1))
    before = everything(crm)
    with pytest.raises(UsageError):
        run(crm, good, tmp_path / "nowhere.json")
    assert everything(crm) == before


def test_rejects_are_not_written_through_a_link(crm: Crm, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        run(crm, write_json(tmp_path / "a.json", patient(1)), rejects_path=tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_the_limit_of_errors_ends_an_import_and_keeps_what_was_good(crm: Crm, tmp_path: Path) -> None:
    rows = [patient(1), patient(2, name=None), patient(3, name=None), patient(4)]
    report = run(crm, write_lines(tmp_path / "a.ndjson", *rows), limit_errors=2)
    assert report.stopped
    assert patients_of(report) == {"read": 3, "created": 1, "rejected": 2}


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_a_killed_import_ends_the_same(crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    monkeypatch.setattr(importer, "CHUNK", 10)
    rows: list[Any] = [patient(n) if n % 7 else patient(n, name=None) for n in range(45)]
    write_lines(tmp_path / "a.ndjson", *rows[:25], {"resourceType": "Slot"})
    write_lines(tmp_path / "b.ndjson", *rows[25:])
    rejects = tmp_path / "rejects.txt"
    told = 0

    def kill(_: ImportProgress) -> None:
        nonlocal told
        told += 1
        if told == after:
            raise Killed

    with pytest.raises(Killed):
        run(crm, tmp_path, rejects_path=rejects, progress=kill)
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(BATCH.c.state)) == BatchState.RUNNING
    report = run(crm, tmp_path, rejects_path=rejects)
    assert patients_of(report) == {"read": 45, "created": 38, "rejected": 7}
    assert report.count("Slot").skipped == 1
    assert [line["row"] for line in rejected(rejects)] == [1, 8, 15, 22, 4, 11, 18]
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(func.count()).select_from(PATIENT)) == 38
        assert unit.scalars(select(BATCH.c.state)) == [BatchState.DONE]
        assert unit.scalar(select(func.count()).select_from(PROGRESS)) == 1
    assert patients_of(run(crm, tmp_path)) == {"read": 45, "unchanged": 38, "rejected": 7}


def test_two_imports_of_the_same_people_at_once_make_each_person_once(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "CHUNK", 20)
    rows = [patient(number) for number in range(100)]
    paths = [
        write_lines(tmp_path / "a.ndjson", *rows),
        write_lines(tmp_path / "b.ndjson", *rows[::-1]),
        write_lines(tmp_path / "c.ndjson", *rows[50:], *rows[:50]),
    ]
    with ThreadPoolExecutor(len(paths)) as pool:
        reports = list(pool.map(lambda path: run(crm, path), paths))
    assert [patients_of(report)["read"] for report in reports] == [100, 100, 100]
    assert sum(report.count("Patient").created for report in reports) == 100
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(func.count()).select_from(PATIENT)) == 100
        assert unit.scalar(select(func.count()).select_from(POINT)) == 100


def test_progress_is_told_with_every_unit_and_file(crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK", 10)
    path = write_lines(tmp_path / "a.ndjson", *[patient(number) for number in range(25)])
    told: list[ImportProgress] = []
    run(crm, path, progress=told.append)
    assert [(one.file, one.files, one.read) for one in told] == [(0, 1, 10), (0, 1, 20), (1, 1, 25)]


def test_newer_versions_win_and_older_ones_change_nothing(crm: Crm, staff: StaffFactory, tmp_path: Path) -> None:
    def version(number: int, family: str) -> dict[str, Any]:
        return patient(1, family=family, meta={"versionId": str(number)})

    path = write_lines(tmp_path / "a.ndjson", version(2, "Holm"), version(1, "Quist"), version(3, "Ode"))
    assert patients_of(run(crm, path)) == {"read": 3, "created": 1, "updated": 1, "unchanged": 1}
    assert patients_of(run(crm, path)) == {"read": 3, "unchanged": 3}
    with crm.read(staff(Role.AGENT)) as unit:
        assert [one.name for one in find(unit, "0001").patients] == ["Ana Ode"]


def test_two_contents_for_one_record_are_not_taken_in_turns(crm: Crm, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.ndjson", patient(1), patient(1, family="Holm"))
    rejects = tmp_path / "rejects.txt"
    assert patients_of(run(crm, path, rejects_path=rejects)) == {"read": 2, "created": 1, "rejected": 1}
    assert [line["code"] for line in rejected(rejects)] == ["seen_twice"]
    assert patients_of(run(crm, path)) == {"read": 2, "unchanged": 1, "rejected": 1}


def test_one_id_for_another_person_does_not_overwrite_the_first(crm: Crm, staff: StaffFactory, tmp_path: Path) -> None:
    run(crm, write_json(tmp_path / "a.json", patient(1)))
    other = patient(1, family="Holm", birthDate="1999-09-09", identifier=[])
    rejects = tmp_path / "rejects.txt"
    assert patients_of(run(crm, write_json(tmp_path / "b.json", other), rejects_path=rejects)) == {
        "read": 1,
        "rejected": 1,
    }
    assert [line["code"] for line in rejected(rejects)] == ["other_person"]
    with crm.read(staff(Role.AGENT)) as unit:
        assert [one.name for one in find(unit, "M1").patients] == ["Ana Quist"]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_merge_at_the_source_is_a_merge_here_in_either_order(
    crm: Crm, staff: StaffFactory, tmp_path: Path, order: list[int]
) -> None:
    link = [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}]
    survivor = patient(2)
    old_number = survivor["identifier"][0] | {"value": "M1", "use": "old"}
    survivor["identifier"] = [*survivor["identifier"], old_number]
    records = [patient(1, active=False, link=link), survivor]
    path = write_lines(tmp_path / "a.ndjson", *[records[index] for index in order])
    report = run(crm, path)
    assert patients_of(report) == {"read": 2, "created": 2}
    assert report.merged == 1
    agent = staff(Role.AGENT)
    with crm.read(agent) as unit:
        (by_old_number,) = find(unit, "M1").patients
        (by_new_number,) = find(unit, "M2").patients
        assert by_old_number.patient_id == by_new_number.patient_id
        view = patient_view(unit, by_new_number.patient_id)
        assert len(view.merged_from) == 1
    with crm.read(SYSTEM) as unit:
        assert len(match_contact(unit, ContactKind.PHONE, "555-843-0001").patient_ids) == 1
    before = everything(crm)
    again = run(crm, path)
    assert (patients_of(again), again.merged) == ({"read": 2, "unchanged": 2}, 0)
    assert everything(crm) == before


def test_a_merge_into_somebody_who_comes_later_waits(crm: Crm, tmp_path: Path) -> None:
    link = [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}]
    assert run(crm, write_json(tmp_path / "a.json", patient(1, link=link))).merged == 0
    assert run(crm, write_json(tmp_path / "b.json", patient(2))).merged == 1


def test_only_who_may_import_may_import(crm: Crm, staff: StaffFactory, tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", patient(1))
    with pytest.raises(NotPermitted):
        import_fhir(crm, staff(Role.SUPERVISOR), [path])
    assert patients_of(import_fhir(crm, staff(Role.ADMIN), [path])) == {"read": 1, "created": 1}


REAL = {
    "synthea-bundles": {"read": 124, "created": 124},
    "bulk-ndjson": {"read": 133, "created": 120, "unchanged": 13},
    "hl7-r4-examples": {"read": 24, "created": 18, "updated": 2, "rejected": 4},
    "sekmet-export": {"read": 119, "created": 119},
    "medplum-mock": {"read": 2, "created": 2},
    "nhs-bars": {"read": 7, "created": 2, "updated": 2, "unchanged": 3},
}


@pytest.mark.parametrize("name", REAL)
def test_real_exports_come_in_and_come_in_once(crm: Crm, shared_data: Path, name: str) -> None:
    folder = shared_data / "fhir" / name
    assert patients_of(run(crm, folder)) == REAL[name]
    before = everything(crm)
    report = run(crm, folder)
    taken = REAL[name]["read"] - REAL[name].get("rejected", 0)
    assert report.count("Patient").unchanged == taken
    assert everything(crm) == before


def test_the_merges_of_a_real_export_are_made(crm: Crm, shared_data: Path) -> None:
    assert run(crm, shared_data / "fhir/sekmet-export").merged == 12
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(func.count()).where(PATIENT.c.merged_into_id.is_not(None))) == 12
        assert len(match_contact(unit, ContactKind.PHONE, "+1-555-000-1234").patient_ids) == 12


def test_no_social_security_number_of_a_real_export_is_kept(crm: Crm, shared_data: Path) -> None:
    report = run(crm, shared_data / "fhir/synthea-bundles")
    assert report.left_out == 124 + 100 + 91
    with crm.read(SYSTEM) as unit:
        assert unit.scalar(select(func.count()).select_from(IDENTIFIER)) == 2 * 124
        kinds = set(unit.scalars(select(IDENTIFIER.c.kind)))
    assert kinds == {"", "MR"}


def test_every_fact_of_a_draft_counts_as_a_change(crm: Crm) -> None:
    read = read_patient(Resource(file="f", row=1, type="Patient", content=patient(1)), date(2026, 11, 23))
    assert isinstance(read, PatientRecord)
    changes: dict[str, Any] = {
        "family": "x", "given": "x", "name_text": "x", "birth_date": "1971", "identifiers": (), "contacts": (),
        "address": "x", "language": "x", "time_zone": "x", "deceased": True, "deceased_at": MONDAY, "active": False,
        "replaced": True,
    }  # fmt: skip
    assert changes.keys() | {"patient_id"} == {one.name for one in fields(PatientDraft)}
    prints = {
        mark(crm.vault, replace(read, draft=replace(read.draft, **{name: v}))).fingerprint
        for name, v in changes.items()
    }
    assert len(prints | {mark(crm.vault, read).fingerprint}) == len(changes) + 1


def test_the_report_is_one_json_document(crm: Crm, tmp_path: Path) -> None:
    report = run(crm, write_json(tmp_path / "a.json", patient(1))).as_dict()
    assert json.loads(json.dumps(report)) == report
    assert {"batch", "read", "created", "updated", "unchanged", "rejected", "by_type", "seconds"} <= report.keys()
