"""FHIR resources out of files and folders, one at a time, however odd the file.

`.ndjson` and `.jsonl` are read line by line; everything else is one JSON document: a resource
or a Bundle, which gives its entries. What cannot be read becomes a `Reject`, and reading goes on.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from crm_core.errors import UsageError
from crm_core.exchange.model import Reject, Resource

LARGEST = 64 * 1024 * 1024
"""Bytes of one NDJSON line or one JSON document: what is larger is refused, not held in memory."""
DEEPEST_BUNDLE = 5
LINES = frozenset({".ndjson", ".jsonl"})
SUFFIXES = LINES | {".json"}
NOTHING = "-"
"""Stands for the type where it could not be read."""
BULK_LOG = "(bulk export log)"

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_SKIP_CHUNK = 1024 * 1024


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files to read, in order: files as named, of folders all FHIR files below, sorted.

    UsageError for a path that is missing, is neither file nor folder, or a folder without
    FHIR files.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            if not found:
                raise UsageError(problem=f"The folder {path} holds no .json or .ndjson file", remedy="name another")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            what = "is neither a file nor a folder" if path.exists() else "does not exist"
            raise UsageError(problem=f"The path {path} {what}", remedy="name a FHIR file or a folder of them")
    return files


def read_file(path: Path) -> Iterator[Resource | Reject]:
    """Everything in one file."""
    try:
        with path.open("rb") as handle:
            lines = path.suffix.lower() in LINES
            yield from _lines(str(path), handle) if lines else _document(str(path), handle)
    except OSError as error:
        yield _reject(str(path), 0, "unreadable", f"The file cannot be read: {error.strerror or 'input error'}.")


def _document(file: str, handle: BinaryIO) -> Iterator[Resource | Reject]:
    if os.fstat(handle.fileno()).st_size > LARGEST:
        yield _reject(file, 0, "too_large", f"The document is larger than {LARGEST >> 20} MiB; export it as NDJSON.")
        return
    content = handle.read(LARGEST + 1)
    if b"\0" in content[:4096]:
        yield _reject(file, 0, "binary", "The file is binary or not UTF-8, not a JSON document.")
        return
    parsed = _parsed(file, 0, content)
    if isinstance(parsed, Reject):
        if parsed.code == "more_than_one":
            handle.seek(0)
            yield from _lines(file, handle)
        else:
            yield parsed
        return
    yield from _resources(file, 1, parsed[0], None, 0)


def _lines(file: str, handle: BinaryIO) -> Iterator[Resource | Reject]:
    row = 0
    while line := handle.readline(LARGEST + 1):
        row += 1
        if len(line) > LARGEST:
            if not line.endswith(b"\n"):
                _skip_line(handle)
            yield _reject(file, row, "too_large", f"The line is longer than {LARGEST >> 20} MiB.")
            continue
        if not line.strip(b"\xef\xbb\xbf \t\r\n"):
            continue
        if b"\0" in line[:4096]:
            yield _reject(file, row, "binary", "The file is binary or not UTF-8, not NDJSON.")
            return
        parsed = _parsed(file, row, line)
        if isinstance(parsed, Reject):
            yield parsed
        else:
            yield from _resources(file, row, parsed[0], None, 1)


def _skip_line(handle: BinaryIO) -> None:
    while (chunk := handle.readline(_SKIP_CHUNK)) and not chunk.endswith(b"\n"):
        pass


def _parsed(file: str, row: int, content: bytes) -> tuple[Any] | Reject:
    """The JSON value in a tuple, or why there is none."""
    try:
        return (json.loads(content.decode("utf-8-sig")),)
    except UnicodeDecodeError:
        return _reject(file, row, "not_utf8", "The text is not UTF-8.")
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and not row:
            return _reject(file, row, "more_than_one", "More than one JSON document.")
        return _reject(file, row, "not_json", f"The JSON ends early or is broken at character {error.pos}.")
    except (RecursionError, ValueError):
        return _reject(file, row, "not_json", "The JSON is nested too deeply, or holds an impossible number.")


def _resources(file: str, row: int, value: Any, full_url: str | None, depth: int) -> Iterator[Resource | Reject]:
    """The resource, or of a Bundle the resources in it; at depth 0 the entries are the rows, from 1."""
    if isinstance(value, list):
        yield _reject(file, row, "a_list", "A list stands where a Bundle or another resource should.")
        return
    type_name = value.get("resourceType") if isinstance(value, dict) else None
    if isinstance(value, dict) and type_name is None and _is_bulk_log(value):
        yield Resource(file=file, row=row, type=BULK_LOG, content=value)
    elif not isinstance(type_name, str) or not _TYPE.fullmatch(type_name):
        yield _reject(file, row, "not_a_resource", "There is no usable resourceType.")
    elif type_name != "Bundle":
        yield Resource(file=file, row=row, type=type_name, content=value, full_url=full_url)
    elif depth >= DEEPEST_BUNDLE:
        yield _reject(file, row, "too_deep", f"Bundles are nested more than {DEEPEST_BUNDLE} deep.")
    else:
        yield from _entries(file, row, value, depth)


def _entries(file: str, row: int, bundle: dict[str, Any], depth: int) -> Iterator[Resource | Reject]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        yield _reject(file, row, "bad_bundle", "Bundle.entry is not a list.", "entry")
        return
    for number, entry in enumerate(entries, 1):
        place = row if depth else number
        if not isinstance(entry, dict):
            yield _reject(file, place, "bad_bundle", "The bundle's entry is not an object.", "entry")
        elif entry.get("resource") is not None:
            full_url = entry.get("fullUrl")
            known = full_url if isinstance(full_url, str) else None
            yield from _resources(file, place, entry["resource"], known, depth + 1)


def _is_bulk_log(value: dict[str, Any]) -> bool:
    """The manifest and the log that a bulk export leaves beside its resources."""
    return {"exportId", "eventId"} <= value.keys() or {"transactionTime", "output"} <= value.keys()


def _reject(file: str, row: int, code: str, message: str, field: str = "") -> Reject:
    return Reject(file=file, row=row, type=NOTHING, field=field, code=code, message=message)
