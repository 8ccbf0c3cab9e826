"""Real processes append at once and are killed in the middle: the chains stay whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from crm_core.audit.chain import Ledger
from crm_core.audit.tables import AuditRow
from crm_core.clock import ShiftedClock
from crm_core.store.base import Base
from crm_core.store.engines import open_store
from crm_core.vault.keys import Key
from crm_core.vault.vault import Vault
from tests.audit.conftest import START, Scribe
from tests.vault.conftest import ListKeyStore

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, UNITS = 4, 25


class Site:
    """A store that other processes can open, and what they must be told to do so."""

    def __init__(self, url: str) -> None:
        master, file_key, keystore = Key.random(), Key.random(), ListKeyStore()
        self.vault = Vault.create(keystore, master, ShiftedClock(START))
        self.store = open_store(url, file_key)
        keys = [{"id": key.id, "purpose": key.purpose, "wrapped": key.wrapped.hex()} for key in keystore.keys]
        self.told = json.dumps({"url": url, "file_key": file_key.hex(), "master": master.hex(), "keys": keys}) + "\n"

    def start(self) -> subprocess.Popen[str]:
        """One appending process."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.audit.appender"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(self.told)
        process.stdin.flush()
        return process


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    sqlite = request.param == "sqlite"
    made = Site(f"sqlite:///{tmp_path / 'crm.db'}" if sqlite else request.getfixturevalue("postgres_url"))
    with made.store.writing.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS audit_row"))
        Base.metadata.create_all(connection, tables=[Base.metadata.tables[AuditRow.__tablename__]])
    yield made
    made.store.close()


def test_processes_killed_while_they_append_leave_whole_chains(site: Site) -> None:
    committed: Counter[int] = Counter()
    with ExitStack() as ends:
        processes = [ends.enter_context(site.start()) for _ in range(PROCESSES)]
        for process in processes:
            ends.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            for _ in range(UNITS):
                committed[process.pid] = int(process.stdout.readline())
    assert {process.returncode for process in processes} == {-signal.SIGKILL}
    scribe = Scribe(site.store, site.vault)
    report = scribe.verify()
    assert report.ok, report.first_bad
    assert report.chains == (1 if site.store.dialect == "sqlite" else PROCESSES)
    written = Counter(row.actor_id for row in scribe.rows())
    assert set(written) == set(committed)
    assert all(written[pid] >= 2 * units and written[pid] % 2 == 0 for pid, units in committed.items())
    ledger = Ledger(site.vault, site.store.writing)
    scribe.write(ledger, 3)
    ledger.close()
    after = scribe.verify()
    assert after.ok
    assert after.rows >= report.rows + 3
