"""Made-up FHIR for the tests of this room."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.exchange.importer import import_fhir
from crm_core.exchange.model import ImportReport


def patient(number: int, family: str = "Quist", **more: Any) -> dict[str, Any]:
    """A Patient with an MRN, a name and a number of its own."""
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [
            {"type": {"coding": [{"code": "MR"}]}, "system": "https://hospital.example/mrn", "value": f"M{number}"}
        ],
        "name": [{"use": "official", "family": family, "given": ["Ana"]}],
        "telecom": [{"system": "phone", "value": f"555-843-{number:04}", "use": "home"}],
        "birthDate": "1970-01-31",
    } | more


def bundle(*resources: Any) -> dict[str, Any]:
    """A collection of these resources."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def write_json(path: Path, value: Any) -> Path:
    """One JSON document."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_lines(path: Path, *values: Any) -> Path:
    """NDJSON."""
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


def run(crm: Crm, *paths: Path, **options: Any) -> ImportReport:
    """Import as the system."""
    return import_fhir(crm, SYSTEM, paths, **options)


def patients_of(report: ImportReport) -> dict[str, int]:
    """What became of the patients, without the zeros."""
    return {name: number for name, number in report.count("Patient").as_dict().items() if number}


def rejected(path: Path) -> list[dict[str, Any]]:
    """The lines of a rejects file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
