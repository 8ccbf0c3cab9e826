"""What changed, for whoever is looking: a topic, never a patient.

Postgres: NOTIFY after commit, at most one a topic, process and 250 ms; listeners hold one
connection. SQLite: `PRAGMA data_version` on a connection of its own says that something
changed, the `topic_version` rows say what.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Integer, String, select, text
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from crm_core.store.base import Base

log = logging.getLogger(__name__)

NOTIFY_EVERY = 0.25
"""Seconds between two notifications of one topic from one process (architecture.md)."""
POLL_EVERY = 0.25
"""Seconds between two looks at SQLite's data_version: a danger must show within 2 s."""
SLOW_POLL = 10.0
"""Seconds after which a listener asks all topics anew, in case a notification was lost."""
CHANNEL = "crm_changed"
LONGEST_START = 2.0
"""Seconds that a first listener waits until changes are being watched."""


class Topic(StrEnum):
    """What a screen may wait for."""

    INBOX = "inbox"
    ALARM = "alarm"
    OUTBOX = "outbox"
    PATIENTS = "patients"
    TASKS = "tasks"
    LIBRARY = "library"
    PLAYBOOK = "playbook"
    HANDOVER = "handover"
    PRESENCE = "presence"
    POLLERS = "pollers"
    INCOMING = "incoming"
    RINGING = "ringing"


_TOPICS = {topic.value: topic for topic in Topic}


class TopicVersion(Base):
    """How often a topic has changed; written on SQLite only."""

    __tablename__ = "topic_version"

    topic: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)


_BUMP = sqlite_insert(TopicVersion.__table__).on_conflict_do_update(  # type: ignore[arg-type]
    index_elements=["topic"], set_={"version": TopicVersion.__table__.c.version + 1}
)


class ChangeFeed:
    """One process's view of changes: announces its own, and tells listeners of everyone's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._listeners: list[Callable[[frozenset[Topic]], None]] = []
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None
        self._watching = threading.Event()
        self._pending: set[Topic] = set()
        self._pending_changed = threading.Condition()
        self._announcer: threading.Thread | None = None

    def before_commit(self, session: Session, topics: Iterable[Topic]) -> None:
        """Note the topics inside the writing transaction, where the store needs that."""
        if not self._sqlite:
            return
        rows = [{"topic": topic.value, "version": 1} for topic in sorted(topics)]
        if rows:
            session.execute(_BUMP, rows)

    def after_commit(self, topics: Iterable[Topic]) -> None:
        """Tell the others, once the change is theirs to see."""
        if self._sqlite:
            return
        with self._pending_changed:
            self._pending.update(topics)
            if self._pending and self._announcer is None:
                self._announcer = threading.Thread(target=self._announce, name="crm-announce", daemon=True)
                self._announcer.start()
            self._pending_changed.notify()

    def listen(self, listener: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        """Call `listener` from a thread on each change from now on; returns how to stop that.

        What was committed before this returns is there to be read: who listens, then looks,
        misses nothing.
        """
        self._listeners.append(listener)
        if self._watcher is None:
            watch = self._watch_sqlite if self._sqlite else self._watch_postgres
            self._watcher = threading.Thread(target=self._keep, args=(watch,), name="crm-feed", daemon=True)
            self._watcher.start()
        self._watching.wait(LONGEST_START)

        def stop() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def close(self) -> None:
        """Flush what is pending and end the threads."""
        self._stop.set()
        with self._pending_changed:
            self._pending_changed.notify()
        for thread in (self._announcer, self._watcher):
            if thread is not None and thread is not threading.current_thread():
                thread.join(timeout=2)

    def _tell(self, topics: Iterable[Topic]) -> None:
        changed = frozenset(topics)
        if changed:
            for listener in list(self._listeners):
                try:
                    listener(changed)
                except Exception as error:  # noqa: BLE001 - one that broke must not keep it from the others
                    log.warning("a listener of changes broke: %s", type(error).__name__)

    def _keep(self, watch: Callable[[], None]) -> None:
        """Watch again after a lost connection."""
        while not self._stop.is_set():
            try:
                watch()
            except Exception as error:  # noqa: BLE001 - a feed that dies silently would freeze screens
                log.warning("change feed interrupted: %s", type(error).__name__)
                self._stop.wait(1.0)

    def _begun(self) -> None:
        """Changes are seen from here on; after an interruption every screen looks for itself."""
        if self._watching.is_set():
            self._tell(Topic)
        self._watching.set()

    def _own_connection(self) -> Connection:
        """A connection that goes back to no pool: it would listen on, and be one less for the units."""
        connection = self._engine.connect()
        if not self._sqlite:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
        return connection

    def _watch_sqlite(self) -> None:
        with self._own_connection() as connection:
            raw: Any = connection.connection.dbapi_connection
            seen_version, seen = _data_version(raw), _topic_versions(raw)
            self._begun()
            while not self._stop.wait(POLL_EVERY):
                version = _data_version(raw)
                if version != seen_version:
                    rows = _topic_versions(raw)
                    self._tell(_known(topic for topic, count in rows.items() if seen.get(topic) != count))
                    seen_version, seen = version, rows

    def _watch_postgres(self) -> None:
        with self._own_connection() as connection:
            connection.execute(text(f"LISTEN {CHANNEL}"))
            raw: Any = connection.connection.dbapi_connection
            self._begun()
            last_slow = time.monotonic()
            while not self._stop.is_set():
                topics = _known(notice.payload for notice in raw.notifies(timeout=0.5, stop_after=1))
                if time.monotonic() - last_slow > SLOW_POLL:
                    last_slow = time.monotonic()
                    topics = set(Topic)
                self._tell(topics)

    def _announce(self) -> None:
        while True:
            with self._pending_changed:
                self._pending_changed.wait_for(lambda: self._pending or self._stop.is_set())
                topics, self._pending = self._pending, set()
            if topics:
                self._notify(topics)
            if self._stop.wait(NOTIFY_EVERY) and not self._pending:
                return

    def _notify(self, topics: set[Topic]) -> None:
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for topic in sorted(topics):
                    connection.execute(
                        select(text("pg_notify(:channel, :topic)")), {"channel": CHANNEL, "topic": topic.value}
                    )
        except Exception as error:  # noqa: BLE001 - listeners have their slow poll; the commit already stands
            log.warning("change not announced: %s", type(error).__name__)


def _data_version(raw: Any) -> int:
    """Rises when another connection commits; the driver's own connection, outside any snapshot."""
    version: int = raw.execute("PRAGMA data_version").fetchone()[0]
    return version


def _topic_versions(raw: Any) -> dict[str, int]:
    return dict(raw.execute("SELECT topic, version FROM topic_version").fetchall())


def _known(topics: Iterable[str]) -> set[Topic]:
    """The topics this version knows; a newer one beside it may name more."""
    return {_TOPICS[topic] for topic in topics if topic in _TOPICS}
