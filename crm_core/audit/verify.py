"""Verifying every chain, and that it still holds what the last checkpoint saw."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, type_coerce
from sqlalchemy.types import NullType

from crm_core.audit import checkpoint as anchoring
from crm_core.audit.chain import NO_MAC
from crm_core.audit.checkpoint import AnchorDamaged, Checkpoint
from crm_core.audit.entry import Content
from crm_core.audit.report import Bad, Fault, Report
from crm_core.audit.suspects import Suspect, judged
from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError
from crm_core.vault.vault import Vault

_NAMED = 100
_BATCH = 2_000
_table = AuditRow.__table__
_UTC_TEXT = 'YYYY-MM-DD"T"HH24:MI:SS.US'


def _rows(dialect: str) -> Select[Any]:
    """Columns as the driver gives them: a forged word or date must be reported, not raised."""
    columns = {column.name: type_coerce(column, NullType()).label(column.name) for column in _table.c}
    if dialect == "postgresql":
        # As text, because the driver raises on dates that the column allows, such as infinity.
        columns["at"] = func.to_char(func.timezone("UTC", _table.c.at), _UTC_TEXT).label("at")
    return select(*columns.values()).order_by(_table.c.chain, _table.c.seq)


def verify(connection: Connection, vault: Vault, anchor: Path | None = None) -> Report:
    """Read every row of every chain in order, in constant memory; some 50,000 rows a second.

    With `anchor`, the checkpoint in its last line is compared too. The anchor is read first,
    so rows written meanwhile do not matter.
    """
    walk = _Walk(vault)
    if anchor is not None:
        try:
            walk.checkpoint = anchoring.last(anchor, vault)
        except AnchorDamaged as error:
            walk.name(Bad(chain=None, seq=None, fault=Fault.ANCHOR, why=error.message))
    walk.through(connection.execute(_rows(connection.dialect.name), execution_options={"yield_per": _BATCH}))
    if anchor is not None and walk.checkpoint is None and walk.anchored and not walk.bad:
        walk.name(Bad(chain=None, seq=None, fault=Fault.ANCHOR, why="checkpoints were made but the anchor is gone"))
    return walk.report()


class _Walk:
    """The state of one pass over all chains."""

    def __init__(self, vault: Vault) -> None:
        self.checkpoint: Checkpoint | None = None
        self.anchored = False
        self.bad: list[Bad] = []
        self._vault = vault
        self._suspects: list[Suspect] = []
        self._rows = 0
        self._chains: set[int] = set()
        self._chain: int | None = None
        self._seq = 0
        self._mac: bytes = NO_MAC

    def through(self, rows: Iterable[Row[Any]]) -> None:
        for row in rows:
            self._rows += 1
            if not (isinstance(row.chain, int) and isinstance(row.seq, int) and isinstance(row.mac, bytes)):
                why = "a row after this place has no number or no MAC"
                self.name(Bad(chain=self._chain, seq=self._seq, fault=Fault.EDITED, why=why))
                continue
            if row.chain != self._chain:
                self._end_chain()
                self._chain, self._seq, self._mac = row.chain, 0, NO_MAC
                self._chains.add(row.chain)
            self._take(row)
        self._end_chain()
        for chain in sorted(self._seen_by_checkpoint() - self._chains):
            self.name(Bad(chain=chain, seq=1, fault=Fault.MISSING, why=f"{self._saw()} saw this chain; it is gone"))

    def name(self, bad: Bad) -> None:
        if len(self.bad) < _NAMED:
            self.bad.append(bad)

    def report(self) -> Report:
        for bad in judged(self._suspects, self._vault):
            self.name(bad)
        ordered = sorted(self.bad, key=lambda bad: (-1 if bad.chain is None else bad.chain, bad.seq or 0))
        return Report(chains=len(self._chains), rows=self._rows, bad=tuple(ordered), checkpoint=self.checkpoint)

    def _take(self, row: Row[Any]) -> None:
        self.anchored = self.anchored or row.tag == Tag.CHECKPOINT_MADE
        if row.seq != self._seq + 1:
            why = f"rows {self._seq + 1} to {row.seq - 1} are gone"
            self.name(Bad(chain=row.chain, seq=self._seq + 1, fault=Fault.DELETED, why=why))
        else:
            content = _content(row)
            if not self._fits(content, row) and len(self._suspects) < _NAMED:
                self._suspects.append(
                    Suspect(chain=row.chain, seq=row.seq, content=content, mac=row.mac, previous=self._mac)
                )
        self._seq, self._mac = row.seq, row.mac
        self._compare_anchored(row)

    def _fits(self, content: Content | None, row: Row[Any]) -> bool:
        if content is None:
            return False
        try:
            mac = self._vault.audit_mac(content.key_id, content.covered(row.chain, row.seq, self._mac))
        except CrmError:
            return False
        return mac == bytes(row.mac)

    def _compare_anchored(self, row: Row[Any]) -> None:
        seen = self.checkpoint.heads.get(row.chain) if self.checkpoint else None
        if seen is not None and seen.seq == row.seq and seen.mac != row.mac:
            why = f"{self._saw()} saw another row here: the store was an older copy and was written on"
            self.name(Bad(chain=row.chain, seq=row.seq, fault=Fault.ROLLED_BACK, why=why))

    def _end_chain(self) -> None:
        seen = self.checkpoint.heads.get(self._chain) if self.checkpoint and self._chain is not None else None
        if seen is not None and self._seq < seen.seq:
            why = f"{self._saw()} saw {seen.seq} rows: the end was cut off, or the store is an older copy"
            self.name(Bad(chain=self._chain, seq=self._seq + 1, fault=Fault.CUT, why=why))

    def _seen_by_checkpoint(self) -> set[int]:
        return set(self.checkpoint.heads) if self.checkpoint else set()

    def _saw(self) -> str:
        assert self.checkpoint is not None
        return f"the checkpoint of {self.checkpoint.at.isoformat(timespec='seconds')}"


def _content(row: Row[Any]) -> Content | None:
    """The row's columns, or None where one of them holds what we never write."""
    numbers = (row.actor_id, row.key_id)
    texts = (row.at, row.tag, row.subject, row.ids, row.outcome, row.why or "")
    if not (all(isinstance(number, int) for number in numbers) and all(isinstance(text, str) for text in texts)):
        return None
    try:
        at = datetime.fromisoformat(row.at).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Content(
        at=at,
        actor_id=row.actor_id,
        tag=row.tag,
        subject=row.subject,
        ids=row.ids,
        why=row.why,
        outcome=row.outcome,
        key_id=row.key_id,
    )
