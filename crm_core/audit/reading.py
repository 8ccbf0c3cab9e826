"""Reading the newest audit rows, for `crm audit tail`."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from crm_core.audit.heads import heads
from crm_core.audit.packing import unpack
from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Outcome

_table = AuditRow.__table__


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditView:
    """One row, as a person reads it. `tag` is text: old rows may hold words no longer in use."""

    chain: int
    seq: int
    at: datetime
    actor_id: int
    tag: str
    subject: str
    ids: tuple[int, ...]
    why: str | None
    outcome: Outcome


def tail(connection: Connection, limit: int) -> list[AuditView]:
    """The newest `limit` rows over all chains, newest first: `limit` rows of each chain are read, by key."""
    newest: list[Row[Any]] = []
    for chain in heads(connection):
        rows = connection.execute(
            select(_table).where(_table.c.chain == chain).order_by(_table.c.seq.desc()).limit(limit)
        )
        newest.extend(rows.all())
    return [
        AuditView(
            chain=row.chain,
            seq=row.seq,
            at=row.at,
            actor_id=row.actor_id,
            tag=row.tag,
            subject=row.subject,
            ids=unpack(row.ids),
            why=row.why,
            outcome=row.outcome,
        )
        for row in heapq.nlargest(limit, newest, key=lambda row: (row.at, row.chain, row.seq))
    ]
