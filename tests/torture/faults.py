"""`crm poll --once` in a process whose nth write to its files fails, or is its last, by strace's hand.

Only calls on the store, the spool and the anchor are counted and hit (`strace -P`): what Python itself
writes is none of ours. strace counts each kind of call by itself, and in each thread by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import func, select

from crm_core.access.auditing import verify_chains
from crm_core.access.model import SYSTEM
from crm_core.app import Crm, open_crm
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.model import Delivery, Inbound
from crm_core.channels.outbox import Posting, post_all
from crm_core.channels.tables import Message, Outbox
from crm_core.clock import ShiftedClock
from crm_core.settings import read_settings
from crm_core.words import Channel
from tests.torture.occasions import TEXT, message_to, people

CALLS = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate")
KINDS = ("error=ENOSPC", "error=EIO", "signal=SIGKILL")
MESSAGES = 2
ASKED = "How much is my copay for the last visit?"
LONGEST = 120.0
_FILES = ("crm.db", "crm.db-wal", "sms.jsonl", "anchor.jsonl")
_QUICK = "--seccomp-bpf"
_POLL = (sys.executable, "-m", "crm_tui", "poll", "--once", "--json")
_KILLED = (-9, 137)
_TOLD = frozenset({0, 1, 4})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The `number`th call of its kind, and what becomes of it."""

    call: str
    number: int
    kind: str

    @property
    def injection(self) -> str:
        """As strace wants it."""
        return f"{self.call}:{self.kind}:when={self.number}"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How the child ended; `hit` says whether the fault came about."""

    code: int
    said: str
    sent: int | None
    hit: bool


@cache
def why_not() -> str:
    """Why no fault can be injected here; empty where one can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else "strace may not trace here (ptrace is not permitted)"


def make_home(home: Path) -> None:
    """A home with messages to send, and one that was brought and waits, by its timer, to be taken in."""
    environment = {**os.environ, "CRM_HOME": str(home)}
    subprocess.run(
        [sys.executable, "-m", "crm_tui", "init", "--key", "file"], env=environment, capture_output=True, check=True
    )
    with open_crm(read_settings(home)) as crm:
        known = people(crm, MESSAGES)
        postings = [Posting(conversation_id=None, candidate=message_to(*one), author_id=None) for one in known]
        brought = Inbound(channel=Channel.SMS, sender="+12125551000", text=ASKED, at=crm.clock.now(), provider_id="t1")
        with crm.write(SYSTEM) as unit:
            post_all(unit, crm.gate, postings)
            take_in(unit, "test", brought)


def calls_of(home: Path, log: Path) -> Counter[str]:
    """How often an undisturbed run makes each call on its files, at most in any of its threads."""
    _traced(home, log, [_QUICK])
    made = Counter(tuple(line.split("(")[0].split()) for line in log.read_text().splitlines() if "(" in line)
    most: Counter[str] = Counter()
    for (_, call), count in made.items():
        most[call] = max(most[call], count)
    return most


def run(home: Path, log: Path, fault: Fault) -> Ended:
    """One `crm poll --once` with that fault."""
    # The quicker way to trace lets no signal be injected.
    quick = [] if fault.kind.startswith("signal") else [_QUICK]
    ended = _traced(home, log, [*quick, "-e", f"inject={fault.injection}"])
    traced = log.read_text()
    sent = json.loads(ended.stdout)["sent"] if ended.returncode in (0, 1) and ended.stdout else None
    hit = "INJECTED" in traced or "killed by SIGKILL" in traced
    return Ended(code=ended.returncode, said=ended.stderr, sent=sent, hit=hit)


def _traced(home: Path, log: Path, more: list[str]) -> subprocess.CompletedProcess[str]:
    files = [part for name in _FILES for part in ("-P", str(home / name))]
    strace = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={','.join(CALLS)}", *files, *more]
    environment = {**os.environ, "CRM_HOME": str(home)}
    return subprocess.run(
        [*strace, *_POLL], env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
    )


def expect_whole(home: Path, ended: Ended) -> None:
    """After a fault: the store is whole, each message is as it was before or sent, and a further run sends the rest."""
    assert ended.code in _KILLED or (ended.code in _TOLD and "Traceback" not in ended.said), ended
    later = ShiftedClock(datetime.now(UTC) + timedelta(hours=2))
    with open_crm(read_settings(home), clock=later, signing=True) as crm:
        _expect_integrity(crm)
        states, lines = _states(crm), _lines(home)
        assert set(states.values()) <= {Delivery.QUEUED, Delivery.SENDING, Delivery.SENT}
        assert {key for key, state in states.items() if state is Delivery.SENT} <= set(lines)
        if ended.sent is not None:
            assert list(states.values()).count(Delivery.SENT) >= ended.sent
        for chore in crm.chores:
            chore.run(lambda: False)
        assert list(_states(crm).values()) == [Delivery.SENT] * MESSAGES
        with crm.read(SYSTEM) as unit:
            assert unit.scalar(select(func.count()).select_from(Message)) == MESSAGES + 1
        assert sorted(_lines(home)) == sorted(_states(crm))
        _expect_integrity(crm)


def _expect_integrity(crm: Crm) -> None:
    with crm.store.reading.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA cipher_integrity_check").all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    with crm.read(SYSTEM) as unit:
        report = verify_chains(unit, crm.settings.anchor)
        bodies = Counter(str(unit.open(sealed)) for sealed in unit.scalars(select(Message.body)))
    assert report.ok, report
    assert bodies[TEXT] == MESSAGES
    assert bodies[ASKED] == bodies.total() - MESSAGES <= 1


def _states(crm: Crm) -> dict[str, Delivery]:
    with crm.read(SYSTEM) as unit:
        return {row.dedup_key: row.state for row in unit.execute(select(Outbox.dedup_key, Outbox.state))}


def _lines(home: Path) -> list[str]:
    """The attempts that the spool file holds; each line is whole."""
    spool = home / "sms.jsonl"
    return [json.loads(line)["attempt"] for line in spool.read_text().splitlines()] if spool.exists() else []
