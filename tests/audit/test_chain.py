"""Appending: chained, in the transaction of the work, by many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from crm_core.audit.chain import Entry, Ledger
from crm_core.audit.entry import Content
from crm_core.audit.lease import LEASE_LOCKS
from crm_core.audit.reading import tail
from crm_core.audit.tables import CHAINS, AuditRow
from crm_core.audit.tags import Outcome, Tag
from crm_core.store.engines import Store
from tests.audit.conftest import START, Scribe

MakeLedger = Callable[[], Ledger]


def test_a_row_says_who_when_what_on_which_why_and_how_it_ended(scribe: Scribe, ledger: Ledger) -> None:
    denied = Entry(tag=Tag.MESSAGE_SUPPRESSED, ids=(9,), why="opted_out", outcome=Outcome.SUPPRESSED)
    listed = Entry(tag=Tag.LIST_SHOWN, subject="patient", ids=range(200), why="queue by lane")
    scribe.write(ledger, [denied, listed])
    first, second = scribe.rows()
    assert (first.seq, first.actor_id, first.at) == (1, 7, scribe.now)
    assert (first.tag, first.subject, first.ids) == ("message:outbound:suppressed", "message", "[9]")
    assert (first.why, first.outcome) == ("opted_out", Outcome.SUPPRESSED)
    assert (second.seq, second.subject, second.ids, second.chain) == (2, "patient", "d0,1x199", first.chain)


def test_what_is_rolled_back_leaves_no_row_and_no_gap(scribe: Scribe, ledger: Ledger, store: Store) -> None:
    scribe.write(ledger, 2)
    with store.turn(), Session(store.writing) as session, ledger.chain_for(session) as chain:
        chain.append([Entry(tag=Tag.PATIENT_OPENED, ids=(99,))], actor_id=1, now=START)
        session.rollback()
    scribe.write(ledger, 2)
    assert [row.seq for row in scribe.rows()] == [1, 2, 3, 4]
    assert scribe.verify().ok


def test_an_error_in_the_block_lets_the_next_unit_append(scribe: Scribe, ledger: Ledger, store: Store) -> None:
    with (
        pytest.raises(RuntimeError),
        store.turn(),
        Session(store.writing) as session,
        ledger.chain_for(session) as chain,
    ):
        chain.append([Entry(tag=Tag.PATIENT_OPENED)], actor_id=1, now=START)
        raise RuntimeError
    scribe.write(ledger, 1)
    assert scribe.verify().rows == 1


def test_several_appends_of_one_unit_follow_each_other(scribe: Scribe, ledger: Ledger, store: Store) -> None:
    with store.turn(), Session(store.writing) as session, ledger.chain_for(session) as chain:
        for number in range(3):
            chain.append([Entry(tag=Tag.PATIENT_OPENED, ids=(number,))], actor_id=1, now=START)
        chain.append([], actor_id=1, now=START)
        session.commit()
    assert [row.seq for row in scribe.rows()] == [1, 2, 3]
    assert scribe.verify().ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_row SET why = 'other'",
        "UPDATE audit_row SET actor_id = actor_id WHERE seq = 1",
        "DELETE FROM audit_row",
        "DELETE FROM audit_row WHERE seq = 3",
        "INSERT INTO audit_row SELECT * FROM audit_row WHERE seq = 1 {replacing}",
        "{truncating}",
    ],
)
def test_the_store_refuses_to_change_a_row(scribe: Scribe, ledger: Ledger, store: Store, statement: str) -> None:
    scribe.write(ledger, 3)
    sqlite = store.dialect == "sqlite"
    spelled = statement.format(
        replacing="" if sqlite else "ON CONFLICT (chain, seq) DO UPDATE SET why = 'other'",
        truncating="INSERT OR REPLACE INTO audit_row SELECT * FROM audit_row" if sqlite else "TRUNCATE audit_row",
    )
    with pytest.raises(IntegrityError, match="append-only"), store.writing.begin() as connection:
        connection.execute(text(spelled))
    assert scribe.verify().rows == 3


def test_replace_is_refused_without_recursive_triggers_too(scribe: Scribe, ledger: Ledger, store: Store) -> None:
    if store.dialect != "sqlite":
        pytest.skip("REPLACE is SQLite's")
    scribe.write(ledger, 1)
    with store.writing.connect() as connection:
        raw = connection.connection.cursor()
        raw.execute("PRAGMA recursive_triggers=OFF")
        with pytest.raises(Exception, match="append-only"):
            raw.execute("REPLACE INTO audit_row SELECT * FROM audit_row")
        raw.execute("PRAGMA recursive_triggers=ON")
        raw.close()


def test_threads_of_one_process_share_its_chain_without_a_gap(scribe: Scribe, ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: scribe.write(ledger, 3), range(64)))
    report = scribe.verify()
    assert (report.ok, report.chains, report.rows) == (True, 1, 192)


def test_more_threads_than_connections_do_not_wait_for_each_other_for_ever(scribe: Scribe, ledger: Ledger) -> None:
    """The first append leases a chain while every pooled connection is held by a waiting unit."""
    start = threading.Barrier(25)

    def unit(_: int) -> None:
        with Session(scribe.store.writing) as session:
            if scribe.store.dialect == "postgresql":
                session.connection()
            start.wait()
            with scribe.store.turn(), ledger.chain_for(session) as chain:
                chain.append([Entry(tag=Tag.PATIENT_OPENED)], actor_id=1, now=START)
                session.commit()

    with ThreadPoolExecutor(25) as pool:
        list(pool.map(unit, range(25)))
    assert scribe.verify().rows == 25


def test_processes_append_side_by_side(scribe: Scribe, make_ledger: MakeLedger, store: Store) -> None:
    ledgers = [make_ledger() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda turn: scribe.write(ledgers[turn % 4], 2), range(80)))
    report = scribe.verify()
    assert (report.ok, report.rows) == (True, 160)
    assert report.chains == (1 if store.dialect == "sqlite" else 4)


def test_a_closed_ledger_gives_its_chain_to_the_next_process(
    scribe: Scribe, make_ledger: MakeLedger, store: Store
) -> None:
    first = make_ledger()
    scribe.write(first, 1)
    first.close()
    scribe.write(make_ledger(), 1)
    assert [(row.chain, row.seq) for row in scribe.rows()] == [(0, 1), (0, 2)]


def test_when_every_chain_is_leased_processes_share_one_in_order(
    scribe: Scribe, make_ledger: MakeLedger, store: Store
) -> None:
    if store.dialect != "postgresql":
        pytest.skip("SQLite has one writer")
    with store.writing.connect() as others:
        others.execute(text(f"SELECT pg_advisory_lock({LEASE_LOCKS}, n) FROM generate_series(0, {CHAINS - 1}) n"))
        ledgers = [make_ledger() for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda turn: scribe.write(ledgers[turn % 3], 2), range(60)))
        others.execute(text("SELECT pg_advisory_unlock_all()"))
    report = scribe.verify()
    assert (report.ok, report.chains, report.rows) == (True, 1, 120)


def test_a_lease_whose_connection_died_harms_nothing(
    scribe: Scribe, make_ledger: MakeLedger, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.dialect != "postgresql":
        pytest.skip("SQLite has one writer")
    first, second = make_ledger(), make_ledger()
    scribe.write(first, 1)
    _kill_lease_holders(store)
    scribe.write(second, 1)
    scribe.write(first, 1)
    assert [(row.chain, row.seq) for row in scribe.rows()] == [(0, 1), (0, 2), (0, 3)]
    monkeypatch.setattr("crm_core.audit.lease._CHECK_SECONDS", -1.0)
    scribe.write(first, 1)
    assert (scribe.rows()[-1].chain, scribe.rows()[-1].seq) == (1, 1)
    assert scribe.verify().ok


def _kill_lease_holders(store: Store) -> None:
    with store.writing.begin() as connection:
        killed = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
                f"WHERE locktype = 'advisory' AND classid = {LEASE_LOCKS} AND pid <> pg_backend_pid()"
            )
        )
        assert killed.all() == [(True,)]


def test_one_append_costs_two_statements_and_on_postgres_a_lock(scribe: Scribe, ledger: Ledger, store: Store) -> None:
    scribe.write(ledger, 1)
    said: list[str] = []

    @event.listens_for(store.writing, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement.split(maxsplit=1)[0])

    scribe.write(ledger, 5)
    assert said.count("INSERT") == 1
    assert said.count("SELECT") == (1 if store.dialect == "sqlite" else 2)


def test_what_cannot_be_audited_is_not_done(scribe: Scribe, ledger: Ledger, store: Store) -> None:
    with store.writing.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS work"))
        connection.execute(text("CREATE TABLE work (id INTEGER)"))
        connection.execute(text("ALTER TABLE audit_row RENAME TO audit_hidden"))
    with pytest.raises(DBAPIError), store.turn(), Session(store.writing) as session:
        session.execute(text("INSERT INTO work VALUES (1)"))
        with ledger.chain_for(session) as chain:
            chain.append([Entry(tag=Tag.PATIENT_OPENED)], actor_id=1, now=START)
            session.commit()
    with store.writing.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM work")).scalar() == 0
        connection.execute(text("ALTER TABLE audit_hidden RENAME TO audit_row"))
    scribe.write(ledger, 1)
    assert scribe.verify().ok


def test_the_newest_rows_of_all_chains_are_read_newest_first(scribe: Scribe, make_ledger: MakeLedger) -> None:
    ledgers = [make_ledger(), make_ledger()]
    for turn in range(6):
        scribe.write(ledgers[turn % 2], [Entry(tag=Tag.PATIENT_OPENED, ids=(turn,))])
    with scribe.store.reading.connect() as connection:
        assert [view.ids for view in tail(connection, 4)] == [(5,), (4,), (3,), (2,)]
        assert connection.execute(select(func.count()).select_from(AuditRow)).scalar() == 6


def test_no_two_rows_share_an_encoding() -> None:
    base = {"at": START, "actor_id": 1, "subject": "patient", "outcome": "done", "key_id": 3}
    rows = [
        Content(tag="a", ids="b", why=None, **base),  # type: ignore[arg-type]
        Content(tag="ab", ids="", why=None, **base),  # type: ignore[arg-type]
        Content(tag="a", ids="b", why="", **base),  # type: ignore[arg-type]
        Content(tag="", ids="ab", why=None, **base),  # type: ignore[arg-type]
    ]
    covered = [row.covered(chain, seq, b"") for row in rows for chain, seq in ((1, 11), (11, 1))]
    assert len(set(covered)) == len(covered)
