"""The anchor shows what the chains alone cannot: a cut end, a missing chain, an older copy."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from crm_core.audit.chain import Entry, Ledger
from crm_core.audit.checkpoint import AnchorDamaged, AnchorFailed, Checkpoint, StoreBehindAnchor, last, make
from crm_core.audit.report import Fault
from crm_core.audit.tags import Tag
from crm_core.clock import SystemClock
from crm_core.vault.keys import Key
from crm_core.vault.vault import SignsNothing, Vault
from tests.audit.conftest import Scribe
from tests.audit.test_verify import found
from tests.vault.conftest import ListKeyStore

MakeLedger = Callable[[], Ledger]


@pytest.fixture
def anchor(tmp_path: Path) -> Path:
    return tmp_path / "anchor.jsonl"


def checkpoint(scribe: Scribe, anchor: Path) -> Checkpoint | None:
    scribe.now += timedelta(minutes=1)
    with scribe.store.reading.connect() as connection:
        return make(connection, scribe.vault, anchor, scribe.now)


def test_a_checkpoint_holds_the_heads_and_is_signed(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 3)
    made = checkpoint(scribe, anchor)
    assert made is not None
    assert (made.number, made.heads[0].seq, made.heads[0].mac) == (1, 3, scribe.rows()[-1].mac)
    assert last(anchor, scribe.vault) == made
    assert stat.S_IMODE(anchor.stat().st_mode) == 0o600
    report = scribe.verify(anchor)
    assert report.ok
    assert report.checkpoint == made


def test_nothing_is_signed_twice(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    assert checkpoint(scribe, anchor) is None
    scribe.write(ledger, 1)
    assert checkpoint(scribe, anchor) is not None
    assert checkpoint(scribe, anchor) is None
    scribe.write(ledger, 1)
    later = checkpoint(scribe, anchor)
    assert later is not None
    assert later.number == 2
    assert len(anchor.read_text().splitlines()) == 2


def test_a_checkpoint_is_no_reason_for_another(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 1)
    assert checkpoint(scribe, anchor) is not None
    scribe.write(ledger, [Entry(tag=Tag.CHECKPOINT_MADE, why="number 1")])
    assert checkpoint(scribe, anchor) is None
    scribe.write(ledger, 1)
    later = checkpoint(scribe, anchor)
    assert later is not None
    assert later.heads[0].seq == 3


def test_what_is_newer_than_the_anchor_is_fine(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 3)
    checkpoint(scribe, anchor)
    scribe.write(ledger, 5)
    assert scribe.verify(anchor).ok


def test_an_end_that_was_cut_off_is_named(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 6)
    checkpoint(scribe, anchor)
    scribe.tamper("DELETE FROM audit_row WHERE seq > 4")
    assert scribe.verify().ok
    assert found(scribe.verify(anchor)) == [(Fault.CUT, 0, 5)]


def test_a_missing_chain_is_named(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 6)
    checkpoint(scribe, anchor)
    scribe.tamper("DELETE FROM audit_row")
    assert scribe.verify().ok
    assert found(scribe.verify(anchor)) == [(Fault.MISSING, 0, 1)]


def test_one_missing_chain_among_others_is_named(scribe: Scribe, make_ledger: MakeLedger, anchor: Path) -> None:
    if scribe.store.dialect == "sqlite":
        pytest.skip("SQLite has one chain")
    for chain_owner in [make_ledger() for _ in range(3)]:
        scribe.write(chain_owner, 2)
    checkpoint(scribe, anchor)
    scribe.tamper("DELETE FROM audit_row WHERE chain = 1")
    assert found(scribe.verify(anchor)) == [(Fault.MISSING, 1, 1)]


def test_an_older_copy_that_was_written_on_is_named(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 6)
    checkpoint(scribe, anchor)
    scribe.tamper("DELETE FROM audit_row WHERE seq > 3")
    scribe.write(ledger, [Entry(tag=Tag.MESSAGE_OPENED, ids=(n,)) for n in range(9)])
    assert scribe.verify().ok
    assert found(scribe.verify(anchor)) == [(Fault.ROLLED_BACK, 0, 6)]


def test_a_rolled_back_store_is_not_signed_over(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 6)
    checkpoint(scribe, anchor)
    before = anchor.read_bytes()
    scribe.tamper("DELETE FROM audit_row WHERE seq > 3")
    with pytest.raises(StoreBehindAnchor, match="chain 0"):
        checkpoint(scribe, anchor)
    scribe.write(ledger, 9)
    with pytest.raises(StoreBehindAnchor, match="chain 0"):
        checkpoint(scribe, anchor)
    assert anchor.read_bytes() == before


def test_an_edit_below_the_anchor_is_named_once(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 6)
    checkpoint(scribe, anchor)
    scribe.tamper("UPDATE audit_row SET actor_id = 99 WHERE seq = 2")
    assert found(scribe.verify(anchor)) == [(Fault.EDITED, 0, 2)]


@pytest.mark.parametrize(
    "forge",
    [
        lambda body: body["heads"].update({"0": [1, "00" * 32]}),
        lambda body: body.update(at="2020-01-01T00:00:00+00:00"),
        lambda body: body.update(number=9),
        lambda body: body.update(key=1),
        lambda body: body.update(signature="00" * 64),
        lambda body: body.pop("signature"),
        lambda body: body.update(form="crm checkpoint 2"),
        lambda body: body.clear(),
    ],
)
def test_a_forged_anchor_is_named(
    scribe: Scribe, ledger: Ledger, anchor: Path, forge: Callable[[dict[str, object]], object]
) -> None:
    scribe.write(ledger, 3)
    checkpoint(scribe, anchor)
    body = json.loads(anchor.read_text())
    forge(body)
    anchor.write_text(json.dumps(body) + "\n")
    assert found(scribe.verify(anchor)) == [(Fault.ANCHOR, None, None)]
    with pytest.raises(AnchorDamaged):
        checkpoint(scribe, anchor)


@pytest.mark.parametrize("junk", [b"\n", b"[]\n", b"null\n", b"{\n", b"\xff\xfe\n", b'{"key": 4, "signature": 5}\n'])
def test_junk_at_the_anchors_end_is_named(scribe: Scribe, ledger: Ledger, anchor: Path, junk: bytes) -> None:
    scribe.write(ledger, 3)
    checkpoint(scribe, anchor)
    anchor.write_bytes(anchor.read_bytes() + junk)
    report = scribe.verify(anchor)
    assert found(report) == [(Fault.ANCHOR, None, None)]


def test_an_anchor_of_another_store_is_refused(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 3)
    checkpoint(scribe, anchor)
    keystore, master = ListKeyStore(), Key.random()
    Vault.create(keystore, master, SystemClock())
    with pytest.raises(AnchorDamaged):
        last(anchor, Vault.open_existing(keystore, master, signing=True))


def test_a_line_torn_by_a_crash_never_counted(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 3)
    first = checkpoint(scribe, anchor)
    whole = anchor.read_bytes()
    anchor.write_bytes(whole + whole[: len(whole) // 2])
    assert last(anchor, scribe.vault) == first
    scribe.write(ledger, 1)
    second = checkpoint(scribe, anchor)
    assert second is not None
    assert second.number == 2
    assert last(anchor, scribe.vault) == second


def test_a_long_anchor_is_read_from_its_end(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    for _ in range(3):
        scribe.write(ledger, 1)
        checkpoint(scribe, anchor)
    newest = last(anchor, scribe.vault)
    anchor.write_bytes(b"x" * 200_000 + b"\n" + anchor.read_bytes())
    assert last(anchor, scribe.vault) == newest


def test_pollers_that_anchor_at_once_leave_whole_lines(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    def work(turn: int) -> None:
        scribe.write(ledger, turn % 2 + 1)
        with scribe.store.reading.connect() as connection:
            make(connection, scribe.vault, anchor, scribe.now)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(24)))
    numbers = [json.loads(line)["number"] for line in anchor.read_text().splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert scribe.verify(anchor).ok


def test_no_anchor_yet_is_no_fault_but_a_vanished_one_is(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 2)
    assert scribe.verify(anchor).ok
    scribe.write(ledger, [Entry(tag=Tag.CHECKPOINT_MADE)])
    checkpoint(scribe, anchor)
    assert scribe.verify(anchor).ok
    anchor.unlink()
    assert found(scribe.verify(anchor)) == [(Fault.ANCHOR, None, None)]


def test_an_anchor_that_cannot_be_written_or_read_is_said_in_one_sentence(
    scribe: Scribe, ledger: Ledger, tmp_path: Path
) -> None:
    scribe.write(ledger, 1)
    with pytest.raises(AnchorFailed, match="cannot be written") as unwritten:
        checkpoint(scribe, tmp_path / "nowhere" / "anchor.jsonl")
    with pytest.raises(AnchorFailed, match="cannot be read") as unread:
        last(tmp_path, scribe.vault)
    assert {unwritten.value.exit_code, unread.value.exit_code} == {4}
    if Path("/dev/full").exists():
        with pytest.raises(AnchorFailed, match="No space left"):
            checkpoint(scribe, Path("/dev/full"))


def test_a_console_without_the_signing_key_makes_no_checkpoint(scribe: Scribe, ledger: Ledger, anchor: Path) -> None:
    scribe.write(ledger, 1)
    scribe.vault = Vault.create(ListKeyStore(), Key.random(), SystemClock())
    with pytest.raises(SignsNothing):
        checkpoint(scribe, anchor)
    assert anchor.read_bytes() == b""
