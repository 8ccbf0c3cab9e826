"""`crm poll` as a service: works until it is told to stop, and stops whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from tests.cli.conftest import Caller


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_poller_anchors_the_audit_and_ends_by_a_signal_with_its_tally(crm_home: Caller, ending: int) -> None:
    poller = subprocess.Popen(
        [sys.executable, "-m", "crm_tui", "--home", str(crm_home.home), "poll", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert poller.stderr is not None
    try:
        assert "Polling" in poller.stderr.readline()
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
