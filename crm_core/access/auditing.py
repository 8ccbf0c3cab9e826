"""Who may look at the audit. The audit itself lies below this room and knows no actor."""

from __future__ import annotations

from pathlib import Path

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.units import Reading, Writing
from crm_core.audit import checkpoint, reading, verify
from crm_core.audit.checkpoint import Checkpoint
from crm_core.audit.reading import AuditView
from crm_core.audit.report import Report
from crm_core.audit.tags import Outcome, Tag


@needs(Permission.AUDIT_VERIFY)
def verify_chains(unit: Reading, anchor: Path | None) -> Report:
    """Verify every chain, and against the last checkpoint in `anchor`; about 100,000 rows a second."""
    return verify.verify(unit.session.connection(), unit.vault, anchor)


@needs(Permission.AUDIT_VERIFY)
def note_verified(unit: Writing, report: Report) -> None:
    """Record that a verification was run, and how it ended."""
    why = f"rows {report.rows}, chains {report.chains}"
    unit.audit(Tag.CHAIN_VERIFIED, why=why, outcome=Outcome.DONE if report.ok else Outcome.FAILED)


@needs(Permission.AUDIT_READ)
def newest(unit: Writing, limit: int) -> list[AuditView]:
    """The newest `limit` rows, newest first; that they were looked at is itself recorded."""
    rows = reading.tail(unit.session.connection(), limit)
    unit.audit(Tag.AUDIT_SHOWN, why=f"newest {limit}")
    return rows


@needs(Permission.AUDIT_VERIFY)
def make_checkpoint(unit: Writing, anchor: Path) -> Checkpoint | None:
    """Sign the present heads into `anchor`; None where nothing was added since the last line."""
    made = checkpoint.make(unit.session.connection(), unit.vault, anchor, unit.now)
    if made is not None:
        unit.audit(Tag.CHECKPOINT_MADE, why=f"number {made.number}")
    return made
