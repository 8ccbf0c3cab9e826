"""Which chain this process appends to.

On Postgres a process holds a session advisory lock on its chain, so that two processes do
not wait for one head. The lease is a matter of speed alone: an append also takes a
transaction's lock on its chain (chain.py), so a lost lease or a 65th process only waits.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.pool import PoolProxiedConnection

from crm_core.audit.tables import CHAINS

log = logging.getLogger(__name__)

LEASE_LOCKS = 0x43524D01
"""The first key of the advisory locks by which chains are leased ("CRM", 1)."""

_CHECK_SECONDS = 30.0


class ChainLease:
    """Leases one chain of a Postgres store on a connection of its own; not thread-safe by itself."""

    def __init__(self, engine: Engine) -> None:
        # A sibling pool with the same settings: units waiting for a chain hold every
        # connection of the engine's own pool, and must not keep the lease from them.
        self._pool = engine.pool.recreate()
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._connection: PoolProxiedConnection | None = None
        self._chain = os.getpid() % CHAINS
        self._checked = float("-inf")

    def chain(self) -> int:
        """The chain to append to; every half minute the lease is seen to, and taken anew if it was lost."""
        if time.monotonic() - self._checked > _CHECK_SECONDS:
            if not self._alive():
                self._take()
            self._checked = time.monotonic()
        return self._chain

    def close(self) -> None:
        """Give the chain back."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection = None
        self._pool.dispose()
        self._checked = float("-inf")

    def _alive(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._ask(self._connection, "SELECT 1")
        except self._error:
            self._connection.invalidate()
            self._connection = None
            return False
        return True

    def _take(self) -> None:
        """Lease the first free chain; where there is none, share one and try again at the next check."""
        connection: PoolProxiedConnection | None = None
        try:
            connection = self._pool.connect()
            driver: Any = connection.driver_connection
            driver.autocommit = True
            for chain in range(CHAINS):
                if self._ask(connection, f"SELECT pg_try_advisory_lock({LEASE_LOCKS}, {chain})"):
                    self._connection, self._chain = connection, chain
                    return
        except self._error as error:
            log.warning("no audit chain leased: %s", type(error).__name__)
        if connection is not None:
            connection.invalidate()

    @staticmethod
    def _ask(connection: PoolProxiedConnection, statement: str) -> Any:
        cursor = connection.cursor()
        try:
            cursor.execute(statement)
            row = cursor.fetchone()
            return row[0] if row else None
        finally:
            cursor.close()
