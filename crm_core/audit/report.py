"""What a verification says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from crm_core.audit.checkpoint import Checkpoint


class Fault(StrEnum):
    """What was done to a chain."""

    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    SWAPPED = "swapped"
    CUT = "cut"
    MISSING = "missing"
    ROLLED_BACK = "rolled_back"
    ANCHOR = "anchor"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bad:
    """One fault and where it is; chain and seq are None where the anchor itself is at fault."""

    chain: int | None
    seq: int | None
    fault: Fault
    why: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result over every chain. `bad` names at most 100 faults, in the order of the chains.

    What is newer than `checkpoint` is chained but not anchored: a cut there goes unseen.
    """

    chains: int
    rows: int
    bad: tuple[Bad, ...]
    checkpoint: Checkpoint | None

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.bad

    @property
    def first_bad(self) -> Bad | None:
        """The first fault, or None."""
        return self.bad[0] if self.bad else None
