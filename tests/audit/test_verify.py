"""Whatever is done to the rows behind the triggers' back, verification names it and the place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from crm_core.audit.chain import Chain, Entry, Ledger
from crm_core.audit.report import Fault, Report
from crm_core.audit.tags import Tag
from crm_core.clock import SystemClock
from crm_core.vault.keys import Key
from crm_core.vault.vault import Vault
from tests.audit.conftest import Scribe
from tests.vault.conftest import ListKeyStore

MakeLedger = Callable[[], Ledger]

ALL_COLUMNS = "at, actor_id, tag, subject, ids, why, outcome, key_id, mac"


def found(report: Report) -> list[tuple[Fault, int | None, int | None]]:
    return [(bad.fault, bad.chain, bad.seq) for bad in report.bad]


def exchange(scribe: Scribe, first: tuple[int, int], second: tuple[int, int], columns: str) -> None:
    """Let two rows exchange some of their columns, as an administrator's script would."""
    rows = {(row.chain, row.seq): row for row in scribe.rows()}
    for place, source in ((first, rows[second]), (second, rows[first])):
        for column in columns.split(", "):
            value = getattr(source, column)
            scribe.tamper(
                f"UPDATE audit_row SET {column} = :value WHERE chain = {place[0]} AND seq = {place[1]}",
                value=value.replace(tzinfo=None) if column == "at" and scribe.store.dialect == "sqlite" else value,
            )


def test_an_honest_chain_is_whole(scribe: Scribe, ledger: Ledger) -> None:
    for _ in range(5):
        scribe.write(ledger, 4)
    report = scribe.verify()
    assert report.ok
    assert report.first_bad is None
    assert (report.chains, report.rows, report.checkpoint) == (1, 20, None)


def test_an_empty_table_is_whole(scribe: Scribe) -> None:
    assert scribe.verify().ok


@pytest.mark.parametrize(
    "change",
    [
        "actor_id = 8",
        "ids = '[4]'",
        "ids = '[3, 3]'",
        "tag = 'patient:record:changed'",
        "subject = 'message'",
        "why = ''",
        "why = 'other'",
        "outcome = 'failed'",
        "key_id = 1",
        "key_id = 99",
        "at = '2026-11-23 14:00:00.000000'",
        "mac = (SELECT mac FROM audit_row a WHERE a.seq = 5)",
    ],
)
def test_an_edit_of_any_column_is_named(scribe: Scribe, ledger: Ledger, change: str) -> None:
    scribe.write(ledger, 6)
    scribe.tamper(f"UPDATE audit_row SET {change} WHERE seq = 3")
    report = scribe.verify()
    assert not report.ok
    assert (Fault.EDITED, 0, 3) in found(report)
    assert report.first_bad is not None
    assert report.first_bad.seq == 3
    assert report.rows == 6


def test_an_edit_by_one_microsecond_is_named(scribe: Scribe, ledger: Ledger) -> None:
    scribe.write(ledger, 3)
    earlier = "strftime('%Y-%m-%d %H:%M:%S', at) || '.000001'"
    change = earlier if scribe.store.dialect == "sqlite" else "at + interval '1 microsecond'"
    scribe.tamper(f"UPDATE audit_row SET at = {change} WHERE seq = 2")
    assert found(scribe.verify()) == [(Fault.EDITED, 0, 2)]


def test_every_edit_is_named_and_honest_rows_are_not(scribe: Scribe, ledger: Ledger) -> None:
    scribe.write(ledger, 12)
    scribe.tamper("UPDATE audit_row SET actor_id = 99 WHERE seq IN (2, 3, 11)")
    assert found(scribe.verify()) == [(Fault.EDITED, 0, 2), (Fault.EDITED, 0, 3), (Fault.EDITED, 0, 11)]


@pytest.mark.parametrize(("gone", "first"), [("1", 1), ("3", 3), ("3, 4, 5", 3), ("1, 2", 1)])
def test_deleted_rows_are_named(scribe: Scribe, ledger: Ledger, gone: str, first: int) -> None:
    scribe.write(ledger, 8)
    scribe.tamper(f"DELETE FROM audit_row WHERE seq IN ({gone})")
    report = scribe.verify()
    assert found(report) == [(Fault.DELETED, 0, first)]
    assert report.bad[0].why == f"rows {first} to {first + gone.count(',')} are gone"


def test_a_deletion_that_is_closed_by_renumbering_is_named(scribe: Scribe, ledger: Ledger) -> None:
    scribe.write(ledger, 6)
    renumber = [f"UPDATE audit_row SET seq = {seq - 1} WHERE seq = {seq}" for seq in (4, 5, 6)]
    scribe.tamper("DELETE FROM audit_row WHERE seq = 3", *renumber)
    report = scribe.verify()
    assert report.first_bad is not None
    assert (report.first_bad.chain, report.first_bad.seq) == (0, 3)


def test_a_row_inserted_between_others_is_named(scribe: Scribe, ledger: Ledger) -> None:
    scribe.write(ledger, 4)
    scribe.tamper(
        "UPDATE audit_row SET seq = 5 WHERE seq = 4",
        f"INSERT INTO audit_row SELECT chain, 4, {ALL_COLUMNS} FROM audit_row WHERE seq = 2",
    )
    report = scribe.verify()
    assert report.first_bad is not None
    assert report.first_bad.seq == 4


@pytest.mark.parametrize(("one", "other"), [(3, 4), (2, 6), (1, 2)])
def test_two_rows_that_changed_places_are_named(scribe: Scribe, ledger: Ledger, one: int, other: int) -> None:
    scribe.write(ledger, 7)
    exchange(scribe, (0, one), (0, other), ALL_COLUMNS)
    report = scribe.verify()
    assert found(report) == [(Fault.REORDERED, 0, one), (Fault.REORDERED, 0, other)]
    assert report.bad[0].why == f"this row was written as row {other} of chain 0"


def test_two_rows_that_changed_contents_are_named(scribe: Scribe, ledger: Ledger) -> None:
    scribe.write(ledger, 7)
    exchange(scribe, (0, 2), (0, 5), "ids")
    assert found(scribe.verify()) == [(Fault.REORDERED, 0, 2), (Fault.REORDERED, 0, 5)]


def test_rows_exchanged_between_two_chains_are_named(scribe: Scribe, make_ledger: MakeLedger) -> None:
    _two_chains(scribe, make_ledger)
    exchange(scribe, (0, 2), (1, 3), ALL_COLUMNS)
    report = scribe.verify()
    assert {(Fault.SWAPPED, 0, 2), (Fault.SWAPPED, 1, 3)} <= set(found(report))
    assert report.bad[0].why == "this row was written as row 3 of chain 1"


def test_two_chains_that_changed_names_are_named(scribe: Scribe, make_ledger: MakeLedger) -> None:
    _two_chains(scribe, make_ledger)
    scribe.tamper(
        "UPDATE audit_row SET chain = 5 WHERE chain = 0",
        "UPDATE audit_row SET chain = 0 WHERE chain = 1",
        "UPDATE audit_row SET chain = 1 WHERE chain = 5",
    )
    report = scribe.verify()
    assert report.first_bad is not None
    assert (report.first_bad.fault, report.first_bad.chain) == (Fault.SWAPPED, 0)


def test_a_row_forged_without_the_key_is_named(scribe: Scribe, ledger: Ledger) -> None:
    scribe.write(ledger, 3)
    scribe.tamper(f"INSERT INTO audit_row SELECT chain, 4, {ALL_COLUMNS} FROM audit_row WHERE seq = 3")
    assert found(scribe.verify()) == [(Fault.EDITED, 0, 4)]


@pytest.mark.parametrize(
    ("sqlite", "postgres"),
    [
        ("at = 'yesterday'", "at = 'infinity'"),
        ("at = x'00'", "at = '-infinity'"),
        ("actor_id = 'someone'", "at = '0044-03-15 BC'"),
        ("outcome = 'forgotten'", "at = '20000-01-01'"),
        ("mac = 'short'", "tag = ''"),
        ("ids = x'ff'", "ids = ''"),
    ],
)
def test_a_column_that_cannot_be_read_is_named_not_raised(
    scribe: Scribe, ledger: Ledger, sqlite: str, postgres: str
) -> None:
    scribe.write(ledger, 4)
    on_sqlite = scribe.store.dialect == "sqlite"
    with_checks_off = ["PRAGMA ignore_check_constraints=ON"] if on_sqlite else []
    scribe.tamper(*with_checks_off, f"UPDATE audit_row SET {sqlite if on_sqlite else postgres} WHERE seq = 2")
    report = scribe.verify()
    assert not report.ok
    assert report.rows == 4
    assert {bad.fault for bad in report.bad} <= {Fault.EDITED, Fault.DELETED}


def test_a_row_whose_number_is_no_number_is_named(scribe: Scribe, ledger: Ledger) -> None:
    if scribe.store.dialect != "sqlite":
        pytest.skip("Postgres keeps columns to their types")
    scribe.write(ledger, 4)
    scribe.tamper("UPDATE audit_row SET seq = 'two' WHERE seq = 2")
    assert (Fault.DELETED, 0, 2) in found(scribe.verify())
    assert not scribe.verify().ok


def test_a_verification_under_another_stores_keys_fails_from_the_first_row(scribe: Scribe, ledger: Ledger) -> None:
    scribe.write(ledger, 2)
    scribe.vault = Vault.create(ListKeyStore(), Key.random(), SystemClock())
    report = scribe.verify()
    assert report.first_bad is not None
    assert report.first_bad.seq == 1


def test_thousands_of_edits_are_counted_out_at_a_hundred(scribe: Scribe, ledger: Ledger) -> None:
    scribe.write(ledger, 300)
    scribe.tamper("UPDATE audit_row SET actor_id = 99")
    report = scribe.verify()
    assert len(report.bad) == 100
    assert found(report)[0] == (Fault.EDITED, 0, 1)
    assert report.rows == 300


def test_rows_written_during_a_verification_do_not_disturb_it(
    scribe: Scribe, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_core.audit.verify._BATCH", 2)
    scribe.write(ledger, 10)
    taken = 0
    honest = scribe.vault.audit_mac

    def writing_meanwhile(key_id: int, data: bytes) -> bytes:
        nonlocal taken
        taken += 1
        if taken == 3:
            scribe.write(ledger, [Entry(tag=Tag.PATIENT_OPENED)])
        return honest(key_id, data)

    monkeypatch.setattr(scribe.vault, "audit_mac", writing_meanwhile)
    assert scribe.verify().ok
    assert len(scribe.rows()) == 11


def _two_chains(scribe: Scribe, make_ledger: MakeLedger) -> None:
    """Six rows on each of chains 0 and 1; on SQLite, where one chain is in use, as an own chain would be written."""
    first = make_ledger()
    scribe.write(first, 6)
    second = make_ledger()
    if scribe.store.dialect == "sqlite":
        with scribe.store.turn(), Session(scribe.store.writing) as session:
            entries = [Entry(tag=Tag.MESSAGE_OPENED, ids=(number,)) for number in range(6)]
            Chain(scribe.vault, session, 1).append(entries, actor_id=7, now=scribe.now)
            session.commit()
    else:
        scribe.write(second, 6)
