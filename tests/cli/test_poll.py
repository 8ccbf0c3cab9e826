"""`crm poll` as a service: works until it is told to stop, and stops whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_core.access.model import SYSTEM
from crm_core.app import open_crm
from crm_core.settings import read_settings
from crm_core.timers.model import TimerState
from crm_core.timers.service import NewTimer, set_timers
from crm_core.timers.tables import PollerRow, TimerRow
from tests.cli.conftest import Caller


def started(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """A poller in a process of its own, which heeds signals by now."""
    poller = subprocess.Popen(
        [sys.executable, "-m", "crm_tui", "--home", str(home), "poll", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert poller.stderr is not None
    assert "Polling" in poller.stderr.readline()
    return poller


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_poller_anchors_the_audit_and_ends_by_a_signal_with_its_tally(crm_home: Caller, ending: int) -> None:
    poller = started(crm_home.home)
    try:
        for _ in range(2):  # as `timeout` does, to the process and to its group
            poller.send_signal(ending)
        out, err = poller.communicate(timeout=60)
    finally:
        poller.kill()
    assert poller.returncode == 0, err
    assert set(json.loads(out)) == {"claimed", "done", "retried", "dead", "sent", "failed", "unknown"}
    assert (crm_home.home / "anchor.jsonl").stat().st_mode & 0o777 == 0o600


def test_polling_once_ends_when_nothing_is_due(crm_home: Caller) -> None:
    assert crm_home.done("poll", "--once")["claimed"] == 0
    assert crm_home.done("audit", "verify")["checkpoint"]["number"] == 1


def test_a_poller_that_is_stopped_in_the_midst_of_its_work_leaves_nothing_leased(crm_home: Caller) -> None:
    """Its timers are done, or due for the next one at once; and it is not missed afterwards."""
    many = 3000
    with open_crm(read_settings(crm_home.home)) as crm, crm.write(SYSTEM) as unit:
        due = unit.now - timedelta(seconds=1)
        set_timers(
            unit,
            [
                NewTimer(kind="incoming", subject_id=10**9 + number, run_at=due, dedup_key=f"nothing-{number}")
                for number in range(many)
            ],
        )
    poller = started(crm_home.home)
    try:
        poller.send_signal(signal.SIGTERM)
        out, err = poller.communicate(timeout=60)
    finally:
        poller.kill()
    assert poller.returncode == 0, err
    with open_crm(read_settings(crm_home.home)) as crm, crm.read(SYSTEM) as unit:
        done = unit.scalar(select(func.count()).where(TimerRow.state == TimerState.DONE))
        due_now = unit.scalar(
            select(func.count()).where(TimerRow.state == TimerState.WAITING, TimerRow.run_at <= unit.now)
        )
        assert (done, done + due_now) == (json.loads(out)["done"], many)
        assert unit.scalars(select(PollerRow.stopped_at.is_not(None))) == [True]


def test_only_the_kinds_that_are_named_are_polled(crm_home: Caller) -> None:
    with open_crm(read_settings(crm_home.home)) as crm, crm.write(SYSTEM) as unit:
        set_timers(unit, [NewTimer(kind="incoming", subject_id=1, run_at=unit.now, dedup_key="one")])
    assert crm_home.done("poll", "--once", "--kinds", "outbox, anchor")["claimed"] == 0
    assert crm_home.done("poll", "--once", "--kinds", "timers") == {
        **dict.fromkeys(("retried", "dead", "sent", "failed", "unknown"), 0), "claimed": 1, "done": 1,
    }  # fmt: skip


def test_a_kind_that_nobody_knows_is_a_mistake_that_names_those_there_are(crm_home: Caller) -> None:
    answer = crm_home("poll", "--kinds", "outbox,pigeons")
    assert answer.code == 2
    assert "pigeons" in answer.err
    assert "timers, outbox, anchor" in answer.err
