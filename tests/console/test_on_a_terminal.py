"""The console as it is started: `crm` on a real pseudo-terminal, over a home made by `crm init`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.widgets.terminal_session import ROOT, TerminalSession


def crm(home: Path, *args: str, stdin: str = "") -> str:
    """Run a command of the CLI to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "crm_tui", "--home", str(home), *args],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_person_signs_in_takes_the_next_answers_and_leaves(tmp_path: Path) -> None:
    home = tmp_path / "home"
    crm(home, "init", "--key", "file")
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"family": "Lopez", "given": ["Ana"]}],
        "birthDate": "1970-01-31",
        "telecom": [{"system": "phone", "value": "+12125550101"}],
    }
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}))
    crm(home, "import", "fhir", str(bundle))
    crm(
        home,
        "receive",
        "--channel",
        "sms",
        "--from",
        "+12125550101",
        "--text",
        "-",
        stdin="A refill \x1b]52;c;eA==\x07?",
    )
    with TerminalSession("-m", "crm_tui", "--home", str(home)) as terminal:
        terminal.wait_for("enter signs in")
        terminal.send("\r")
        terminal.wait_for("Your first sign-in here")
        terminal.send("n")
        terminal.wait_for("Ana Lopez · born 31 Jan 1970")
        terminal.settle(quiet=0.6)
        terminal.send("r")
        terminal.wait_for("ctrl+s sends")
        terminal.settle()
        terminal.send("On its way")
        terminal.wait_for("On its way")
        terminal.send("\x13")
        terminal.wait_for("goes out in")
        terminal.send("\x11")
        assert terminal.finish() == 0
        received = bytes(terminal.received)
    assert b"\x1b]52" not in received
    shown = json.loads(crm(home, "outbox", "--json"))
    assert len(shown) == 1


def test_without_a_terminal_it_says_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    crm(home, "init", "--key", "file")
    started = [sys.executable, "-m", "crm_tui", "--home", str(home)]
    done = subprocess.run(started, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 4
    assert "needs a terminal" in done.stderr
    assert "Traceback" not in done.stderr
