"""Engines for the two stores, opened the one way that is safe on each.

SQLite: raw key, log silenced before the key is given, WAL, FULL, foreign keys, recursive
triggers. Two engines over one store: the reading one cannot write.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from crm_core.errors import Unavailable, UsageError
from crm_core.store.feed import ChangeFeed
from crm_core.store.ids import IdPool

BUSY_TIMEOUT_MS = 30_000
LONGEST_IDLE_MS = 120_000


class Store:
    """One opened store: a reading and a writing engine, the process's id pool, its change feed."""

    def __init__(self, reading: Engine, writing: Engine, lock_path: Path | None) -> None:
        self.reading = reading
        self.writing = writing
        self.ids = IdPool()
        self.feed = ChangeFeed(reading)
        self._lock_path = lock_path
        self._turn = threading.local()

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.writing.dialect.name

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for this process's turn to write.

        SQLite's own waiting is a lottery under load; a file lock serves writers in order
        (architecture.md has the figures). Postgres needs none. A thread that has the turn and
        asks again would wait for itself for ever: that is refused.
        """
        if self._lock_path is None:
            yield
            return
        if getattr(self._turn, "is_ours", False):
            raise RuntimeError("a unit of work that writes was begun inside another")
        try:
            handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            raise Unavailable(what="The store", remedy="check that its folder is there and writable") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._turn.is_ours = True
            yield
        finally:
            self._turn.is_ours = False
            os.close(handle)

    def close(self) -> None:
        """End the feed and every connection."""
        self.feed.close()
        self.reading.dispose()
        if self.writing is not self.reading:
            self.writing.dispose()


def open_store(url: str, file_key: bytes | None) -> Store:
    """Open the store at `url`: `sqlite:////path/crm.db` (needs its 32-byte key) or `postgresql://…`.

    Nothing is read yet, so a wrong key shows at the first unit of work, as `WrongKey`.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UsageError(
            problem="The store's address cannot be read", remedy="give sqlite:///… or postgresql://…"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database:
        if file_key is None:
            raise UsageError(problem="An embedded store needs its file key", remedy="run `crm doctor`")
        return _open_sqlcipher(Path(parsed.database), file_key)
    if backend == "postgresql":
        return _open_postgres(str(parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)))
    raise UsageError(problem=f"A store of kind {backend} is not known", remedy="give sqlite:///… or postgresql://…")


def _open_sqlcipher(path: Path, key: bytes) -> Store:
    def engine(query_only: bool) -> Engine:
        import sqlcipher3

        made = create_engine(
            "sqlite://",
            module=sqlcipher3,
            creator=_connector(sqlcipher3, path, key, query_only),
            poolclass=QueuePool,
            pool_size=5,
            max_overflow=20,
            hide_parameters=True,
        )

        @event.listens_for(made, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN" if query_only else "BEGIN IMMEDIATE")

        return made

    return Store(engine(query_only=True), engine(query_only=False), path.with_name(path.name + ".lock"))


def _connector(driver: Any, path: Path, key: bytes, query_only: bool) -> Callable[[], Any]:
    def connect() -> Any:
        connection = driver.connect(str(path), isolation_level=None, check_same_thread=False, cached_statements=256)
        try:
            for pragma in (
                "cipher_log_level=NONE",
                f"key=\"x'{key.hex()}'\"",
                "cipher_memory_security=OFF",
                f"busy_timeout={BUSY_TIMEOUT_MS}",
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                "recursive_triggers=ON",
                "temp_store=MEMORY",
                "cache_size=-16000",
                f"query_only={'ON' if query_only else 'OFF'}",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _open_postgres(url: str) -> Store:
    def engine(options: str) -> Engine:
        return create_engine(
            url,
            hide_parameters=True,
            pool_size=5,
            max_overflow=20,
            pool_pre_ping=True,
            connect_args={"options": options, "application_name": "crm", "connect_timeout": 10},
        )

    # A process that is stopped in the midst of a unit must not hold its locks, or old rows, for ever.
    idle = f"-c idle_in_transaction_session_timeout={LONGEST_IDLE_MS}"
    return Store(engine(f"{idle} -c default_transaction_read_only=on"), engine(f"{idle} -c lock_timeout=30s"), None)
