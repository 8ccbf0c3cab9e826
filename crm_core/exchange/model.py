"""What an import reads and what it says about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from crm_core.patients.model import PatientDraft


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Resource:
    """One resource as it was read. `row` is the line of an NDJSON file, or the entry of a bundle."""

    file: str
    row: int
    type: str
    content: dict[str, Any]
    full_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """What was not taken, and why. `message` never holds a value from the row."""

    file: str
    row: int
    type: str
    field: str
    code: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class SourceKey:
    """What a source calls a record: its server's address, or `fhir` where a file names none."""

    source: str
    id: str

    @property
    def text(self) -> str:
        """The key as one string, to be made a token."""
        return f"{self.source}\n{self.id}"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PatientRecord:
    """A Patient resource, read: the draft, whom the source says it is, and which version.

    `left_out` counts the identifiers that are not kept.
    """

    file: str
    row: int
    draft: PatientDraft
    key: SourceKey
    replaced_by: SourceKey | None = None
    last_updated: datetime | None = None
    version: int | None = None
    left_out: int = 0


@dataclass(kw_only=True, slots=True)
class TypeCount:
    """What became of one type's resources."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0

    def as_dict(self) -> dict[str, int]:
        """For the JSON report."""
        return asdict(self)


@dataclass(kw_only=True, slots=True)
class ImportReport:
    """What an import did. `batch` is None where nothing was written.

    `merged` counts records that became part of another in this run, `left_out` identifiers
    that are not kept, `stopped` says that the limit of errors was reached.
    """

    batch: int | None = None
    by_type: dict[str, TypeCount] = field(default_factory=dict)
    merged: int = 0
    left_out: int = 0
    stopped: bool = False
    seconds: float = 0.0

    def count(self, type_name: str) -> TypeCount:
        """The counts of one type, made when first asked for."""
        return self.by_type.setdefault(type_name, TypeCount())

    def total(self, name: str) -> int:
        """The sum over all types of one count."""
        return sum(getattr(count, name) for count in self.by_type.values())

    @property
    def exit_code(self) -> int:
        """0, or 1 where a row was rejected."""
        return 1 if self.total("rejected") else 0

    def as_dict(self) -> dict[str, Any]:
        """The document that `--json` prints."""
        totals = {name: self.total(name) for name in ("read", "created", "updated", "unchanged", "rejected")}
        return {
            "batch": self.batch,
            **totals,
            "skipped": self.total("skipped"),
            "merged": self.merged,
            "identifiers_left_out": self.left_out,
            "stopped": self.stopped,
            "by_type": {name: self.by_type[name].as_dict() for name in sorted(self.by_type)},
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportProgress:
    """How far an import is, for a progress bar."""

    file: int
    files: int
    read: int
    seconds: float


OnProgress = Callable[[ImportProgress], None]
