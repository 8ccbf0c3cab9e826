"""`crm listen` as a service: it listens until it is told to stop, and says what is missing in a sentence."""

from __future__ import annotations

import base64
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from crm_core.access.model import SYSTEM
from crm_core.app import open_crm
from crm_core.channels.ringing.model import Ringing
from crm_core.channels.ringing.service import offer
from crm_core.settings import read_settings
from tests.cli.conftest import Caller
from tests.listening.signing import post_signed

HOOK = """
[listen]
port = 0
[listen.hook.portal]
channel = "portal"
secret_file = "portal-secret"
"""


@pytest.fixture
def listening_home(crm_home: Caller) -> Caller:
    """A home with one sender, whose secret `crm` made."""
    made = crm_home.done("listen", "--new-key", "portal-secret")
    assert Path(made["file"]).stat().st_mode & 0o777 == 0o600
    with (crm_home.home / "crm.toml").open("a", encoding="utf-8") as file:
        file.write(HOOK)
    return crm_home


def test_it_takes_in_what_is_signed_and_a_poller_handles_it_and_a_signal_ends_it(listening_home: Caller) -> None:
    home = listening_home.home
    secret = base64.b64decode((home / "portal-secret").read_text("utf-8").removeprefix("whsec_"))
    process = subprocess.Popen(
        [sys.executable, "-m", "crm_tui", "--home", str(home), "listen"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        assert said.startswith("Listening on http://127.0.0.1:")
        with httpx.Client(base_url=said.split()[2].rstrip(";"), trust_env=False, timeout=60) as web:
            text = {"from": "+12125550177", "text": "My refill ran out"}
            answer = post_signed(web, "/hook/portal", secret, text, at=datetime.now(UTC))
            assert answer.json() == {"taken": True, "duplicate": False}
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (0, ""), err
    assert "POST /hook/portal 200" in err
    assert "refill" not in err
    document = listening_home.done("poll", "--once")
    assert document["dead"] == 0


def test_without_its_libraries_it_says_how_to_install_them(
    listening_home: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "starlette" or "listening" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette", None)
    answer = listening_home("listen")
    assert (answer.code, answer.err.count("\n")) == (4, 1)
    assert "clinic-crm[listen]" in answer.err


def test_a_home_where_nobody_may_bring_anything_is_told_what_to_add(crm_home: Caller) -> None:
    answer = crm_home("listen")
    assert answer.code == 2
    assert "[listen.twilio]" in answer.err


def test_a_secret_in_use_is_not_overwritten_and_one_open_to_others_is_not_used(listening_home: Caller) -> None:
    assert listening_home("listen", "--new-key", "portal-secret").code == 2
    nowhere = listening_home("listen", "--new-key", "nowhere/secret")
    assert (nowhere.code, "cannot be written" in nowhere.err) == (2, True)
    (listening_home.home / "portal-secret").chmod(0o640)
    answer = listening_home("listen")
    assert answer.code == 4
    assert "0640" in answer.err


def test_what_rings_is_listed_with_whom_it_may_be(crm_home: Caller) -> None:
    assert crm_home.done("ringing") == []
    with open_crm(read_settings(crm_home.home)) as crm, crm.write(SYSTEM) as unit:
        offer(unit, Ringing(call_id="1", number="+1 212 555 0177", line="front desk", at=unit.now))
    (ring,) = crm_home.done("ringing")
    assert (ring["from"], ring["line"], ring["candidates"]) == ("+12125550177", "front desk", [])
    assert "not known" in crm_home("ringing").out
