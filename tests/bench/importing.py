"""5: an import of FHIR, against parsing the same files and inserting the same sealed rows bare."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.exchange.importer import import_fhir
from crm_core.exchange.tables import BATCH, ExternalRef
from crm_core.patients.preparing import prepare
from crm_core.patients.tables import IDENTIFIER, LINK, PATIENT, POINT
from crm_core.store import search_index
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed
from tests.bench.figures import Figure
from tests.bench.filling import drafts

LIMIT = 0.4
CHUNK = 500
_SEALED = {
    BATCH: {},
    PATIENT: {
        "family_sealed": Field.PATIENT_FAMILY,
        "given_sealed": Field.PATIENT_GIVEN,
        "birth_date_sealed": Field.PATIENT_BIRTH_DATE,
        "address_sealed": Field.PATIENT_ADDRESS,
    },
    IDENTIFIER: {"value_sealed": Field.IDENTIFIER_VALUE},
    POINT: {"value_sealed": Field.CONTACT_VALUE},
    LINK: {},
    ExternalRef.__table__: {},
}


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The rows of one table, the sealed columns as plain text."""

    table: Table
    fields: dict[str, Field]
    rows: list[dict[str, Any]]


def figure(new: Callable[[], Crm], drop: Callable[[Crm], None], files: Sequence[Path], what: str) -> Figure:
    """Patients a second of both, each into a new store of the same kind."""
    crm = new()
    started = time.perf_counter()
    report = import_fhir(crm, SYSTEM, files)
    through = time.perf_counter() - started
    rows, tokens = _plain(crm)
    drop(crm)
    crm = new()
    started = time.perf_counter()
    for path in files:
        _parse(path)
    _insert(crm, rows, tokens)
    bare = time.perf_counter() - started
    engine = crm.store.dialect
    drop(crm)
    people = report.total("created")
    return Figure(
        number=5,
        work=f"FHIR import, {what}, {engine}",
        size=people,
        unit="rows/s",
        measured=people / through,
        floor=people / bare,
        limit=LIMIT,
        rate=True,
    )


def _parse(path: Path) -> None:
    if path.suffix == ".ndjson":
        with path.open("rb") as lines:
            for line in lines:
                json.loads(line)
    else:
        json.loads(path.read_bytes())


def _plain(crm: Crm) -> tuple[list[_Rows], list[tuple[int, frozenset[int]]]]:
    """What the import stored, opened, and as many tokens a patient as it made."""
    taken = []
    with crm.store.reading.connect() as connection:
        for table, fields in _SEALED.items():
            assert isinstance(table, Table)
            rows = [dict(row) for row in connection.execute(select(table)).mappings()]
            for row in rows:
                for name, sealed in fields.items():
                    row[name] = crm.vault.open(Sealed(sealed, row["id"], row[name]))
            taken.append(_Rows(table=table, fields=fields, rows=rows))
    draft = next(drafts(1))
    tokens = prepare(crm.vault, draft, "US").tokens
    return taken, [(row["id"], frozenset(token ^ row["id"] for token in tokens)) for row in taken[1].rows]


def _insert(crm: Crm, taken: Sequence[_Rows], tokens: Sequence[tuple[int, frozenset[int]]]) -> None:
    """The same rows, 500 at a time, sealed as they go; nothing looked up, nothing audited."""
    for each in taken:
        for start in range(0, len(each.rows), CHUNK):
            rows = [dict(row) for row in each.rows[start : start + CHUNK]]
            for row in rows:
                for name, sealed in each.fields.items():
                    row[name] = crm.vault.seal(sealed, row["id"], row[name]) if row[name] is not None else None
            with crm.store.turn(), crm.store.writing.begin() as connection:
                connection.execute(insert(each.table), rows)
    with crm.write(SYSTEM) as unit:
        for start in range(0, len(tokens), CHUNK):
            search_index.put(unit, tokens[start : start + CHUNK])


def bulk_file(folder: Path, count: int) -> Path:
    """A bulk export of so many made-up patients, with what real exports carry beside."""
    path = folder / f"patients-{count}.ndjson"
    with path.open("w", encoding="utf-8") as out:
        for number, draft in enumerate(drafts(count)):
            out.write(json.dumps(_resource(number, draft)) + "\n")
    return path


def _resource(number: int, draft: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"bench-{number}",
        "meta": {"versionId": "1", "lastUpdated": "2026-11-01T00:00:00Z"},
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Generated</div>'},
        "identifier": [
            {
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                "system": "urn:bench:mrn",
                "value": draft.identifiers[0].value,
            }
        ],
        "name": [{"use": "official", "family": draft.family, "given": [draft.given]}],
        "telecom": [{"system": "phone", "value": draft.contacts[0].value, "use": "mobile"}],
        "gender": "female",
        "birthDate": draft.birth_date,
        "address": [{"line": ["1 Maple Street"], "city": "Albany", "state": "NY", "postalCode": "12207"}],
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}]}}],
    }
