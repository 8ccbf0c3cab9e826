"""Appending to the chains, inside the transaction of the work that is audited."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

from crm_core.audit.entry import Content, Entry
from crm_core.audit.heads import head, mac_at
from crm_core.audit.lease import ChainLease
from crm_core.audit.packing import pack
from crm_core.audit.tables import AuditRow
from crm_core.vault.vault import Vault

__all__ = ["Chain", "Entry", "Ledger"]

NO_MAC = b""
"""What the first row of a chain follows."""

APPEND_LOCKS = 0x43524D02
"""The first key of the advisory locks that a Postgres transaction appends under ("CRM", 2)."""

_append = insert(AuditRow.__table__)  # type: ignore[arg-type]
_lock = text(f"SELECT pg_advisory_xact_lock({APPEND_LOCKS}, :chain)")


class Chain:
    """One chain, while a transaction may append to it."""

    def __init__(self, vault: Vault, session: Session, number: int) -> None:
        self.number = number
        self._vault = vault
        self._session = session
        self._last: tuple[int, bytes] | None = None

    def append(self, entries: Sequence[Entry], *, actor_id: int, now: datetime) -> None:
        """Add `entries` in order, done by `actor_id` at `now` (aware); the caller commits."""
        if not entries:
            return
        seq, mac = self._last or self._head()
        key_id = self._vault.current_audit_key
        rows: list[dict[str, Any]] = []
        for entry in entries:
            content = Content(
                at=now,
                actor_id=actor_id,
                tag=entry.tag.value,
                subject=entry.subject or entry.tag.subject,
                ids=pack(entry.ids),
                why=entry.why,
                outcome=entry.outcome.value,
                key_id=key_id,
            )
            seq += 1
            mac = self._vault.audit_mac(key_id, content.covered(self.number, seq, mac))
            rows.append(_row(content, entry, self.number, seq, mac))
        self._session.execute(_append, rows)
        self._last = seq, mac

    def stands(self, engine: Engine) -> bool:
        """Whether what was appended is in the store, asked on a connection of its own after the first was lost.

        Waits for the lost transaction to end: on Postgres it holds the chain's lock until then.
        """
        assert self._last is not None
        seq, mac = self._last
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(_lock, {"chain": self.number})
            return mac_at(connection, self.number, seq) == mac

    def _head(self) -> tuple[int, bytes]:
        """The last row's number and MAC, read from the table: what was rolled back leaves no trace here."""
        end = head(self._session.connection(), self.number)
        return (end.seq, end.mac) if end else (0, NO_MAC)


class Ledger:
    """Hands out this process's chain; one per process, shared between threads.

    On SQLite that is chain 0: there is one writer. On Postgres it is a leased one.
    """

    def __init__(self, vault: Vault, engine: Engine) -> None:
        self._vault = vault
        self._lock = threading.Lock()
        self._lease = ChainLease(engine) if engine.dialect.name == "postgresql" else None

    @contextmanager
    def chain_for(self, session: Session) -> Iterator[Chain]:
        """The chain, held from the first append to the end of the block: append, commit, nothing else.

        Anything that could wait for another unit would make that unit wait for this one.
        """
        # On SQLite this begins the transaction, so the store's write lock comes before ours.
        session.connection()
        with self._lock:
            number = 0
            if self._lease is not None:
                number = self._lease.chain()
                session.execute(_lock, {"chain": number})
            yield Chain(self._vault, session, number)

    def close(self) -> None:
        """Give the chain back to other processes."""
        with self._lock:
            if self._lease is not None:
                self._lease.close()


def _row(content: Content, entry: Entry, chain: int, seq: int, mac: bytes) -> dict[str, Any]:
    return {
        "chain": chain,
        "seq": seq,
        "at": content.at,
        "actor_id": content.actor_id,
        "tag": content.tag,
        "subject": content.subject,
        "ids": content.ids,
        "why": content.why,
        "outcome": entry.outcome,
        "key_id": content.key_id,
        "mac": mac,
    }
