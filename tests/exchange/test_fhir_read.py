"""Getting resources out of files, however odd the file."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from crm_core.errors import UsageError
from crm_core.exchange.fhir_read import BULK_LOG, LARGEST, files_of, read_file
from crm_core.exchange.model import Reject, Resource
from tests.exchange.fhir import bundle, patient, write_json, write_lines


def read(path: Path) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Row and type of the resources, row and code of the rejects."""
    items = list(read_file(path))
    taken = [(item.row, item.type) for item in items if isinstance(item, Resource)]
    return taken, [(item.row, item.code) for item in items if isinstance(item, Reject)]


def test_the_entries_of_bundles_in_bundles_are_found(tmp_path: Path) -> None:
    inner = bundle(patient(1), {"resourceType": "Slot"})
    path = write_json(tmp_path / "a.json", bundle(inner, patient(2)))
    assert read(path) == ([(1, "Patient"), (1, "Slot"), (2, "Patient")], [])


def test_a_resource_alone_is_its_file(tmp_path: Path) -> None:
    assert read(write_json(tmp_path / "a.json", patient(1))) == ([(1, "Patient")], [])


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    for name in ("a.json", "a.ndjson"):
        path = tmp_path / name
        path.write_bytes(b"\xef\xbb\xbf" + json.dumps(patient(1)).encode() + b"\r\n\r\n")
        assert read(path) == ([(1, "Patient")], [])


def test_ndjson_under_the_name_of_json_is_read_line_by_line(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.json", patient(1), patient(2))
    assert read(path) == ([(1, "Patient"), (2, "Patient")], [])


def test_a_response_without_resources_gives_nothing(tmp_path: Path) -> None:
    value = {"resourceType": "Bundle", "type": "batch-response", "entry": [{"response": {"status": "200"}}]}
    assert read(write_json(tmp_path / "a.json", value)) == ([], [])


def test_a_contained_patient_is_no_record_of_its_own(tmp_path: Path) -> None:
    value = {"resourceType": "Coverage", "contained": [patient(1)]}
    assert read(write_json(tmp_path / "a.json", value)) == ([(1, "Coverage")], [])


def test_what_a_bulk_export_leaves_beside_its_resources_is_known(tmp_path: Path) -> None:
    log = write_lines(tmp_path / "log.ndjson", {"exportId": "x", "eventId": "kickoff"})
    manifest = write_json(tmp_path / "manifest.json", {"transactionTime": "2026", "output": []})
    assert read(log) == ([(1, BULK_LOG)], [])
    assert read(manifest) == ([(1, BULK_LOG)], [])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'[{"resourceType": "Patient"}]', "a_list"),
        (b'{"resourceType": "Patient", "na', "not_json"),
        (b"", "not_json"),
        (b"nonsense", "not_json"),
        (b'"Patient"', "not_a_resource"),
        (b"null", "not_a_resource"),
        (b"{}", "not_a_resource"),
        (b'{"resourceType": 7}', "not_a_resource"),
        (b'{"resourceType": "\\u001b]52;x"}', "not_a_resource"),
        (b'{"resourceType": "Bundle", "entry": {}}', "bad_bundle"),
        (b'{"resourceType": "Bundle", "entry": [7]}', "bad_bundle"),
        (b'{"resourceType": "Bundle", "entry": [{"resource": []}]}', "a_list"),
        (b'{"resourceType": "Patient", "x": "caf\xe9"}', "not_utf8"),
        (b"\x7fELF\x00\x01\x02" * 100, "binary"),
        ('{"resourceType": "Patient"}'.encode("utf-16"), "binary"),
        (b"[" * 200_000, "not_json"),
        (b'{"resourceType": "Patient", "x": ' + b"1" * 10_000 + b"}", "not_json"),
    ],
)
def test_a_document_that_cannot_be_used_is_one_reject(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    taken, rejects = read(path)
    assert taken == []
    assert [found for _, found in rejects] == [code]


def test_bundles_nested_without_end_are_refused(tmp_path: Path) -> None:
    value = patient(1)
    for _ in range(20):
        value = bundle(value)
    assert [code for _, code in read(write_json(tmp_path / "a.json", value))[1]] == ["too_deep"]


def test_a_bad_line_stops_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    good = json.dumps(patient(1)).encode()
    path.write_bytes(b"\n".join([good, b'{"resourceType": "Pat', b"\xff\xfe", b"[]", good]))
    taken, rejects = read(path)
    assert [row for row, _ in taken] == [1, 5]
    assert rejects == [(2, "not_json"), (3, "not_utf8"), (4, "a_list")]


@pytest.mark.parametrize("name", ["big.json", "big.ndjson"])
def test_two_hundred_megabytes_of_one_line_are_refused_without_being_held(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    good = json.dumps(patient(1)).encode()
    with path.open("wb") as handle:
        handle.truncate(200 << 20)  # a sparse file: NULs, as one line
        handle.seek(0)
        handle.write(b'{"resourceType": "Patient", "x": "')
        handle.seek(0, os.SEEK_END)
        handle.write(b"\n" + good + b"\n")
    tracemalloc.start()
    taken, rejects = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [code for _, code in rejects] == ["too_large"]
    assert taken == ([(2, "Patient")] if name == "big.ndjson" else [])
    assert peak < 3 * LARGEST


def test_a_folder_gives_its_fhir_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.json", "a.ndjson", "deep/c.JSON", "readme.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in files_of([tmp_path])] == ["a.ndjson", "b.json", "c.JSON"]


def test_a_path_that_is_not_there_or_holds_nothing_is_a_usage_error(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path, Path("/dev/null")):
        with pytest.raises(UsageError) as caught:
            files_of([path])
        assert str(path) in caught.value.message
        assert caught.value.exit_code == 2


def test_a_file_that_vanished_is_a_reject(tmp_path: Path) -> None:
    assert read(tmp_path / "gone.json") == ([], [(0, "unreadable")])
