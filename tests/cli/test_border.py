"""The border: one sentence, the right exit code, never a traceback, never a value."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Caller


def test_without_a_home_the_sentence_says_init(call: Caller) -> None:
    answer = call("lanes")
    assert answer.code == 4
    assert answer.err == f"crm: There is no store in {call.home}; run `crm init` first.\n"
    assert answer.out == ""


def test_a_wrong_key_is_one_sentence(crm_home: Caller) -> None:
    (crm_home.home / "crm.key").write_text("00" * 32 + "\n")
    answer = crm_home("lanes")
    assert answer.code == 4
    assert answer.err.count("\n") == 1
    assert "crm keys recover" in answer.err


def test_an_open_file_is_refused_until_the_doctor_closes_it(crm_home: Caller) -> None:
    (crm_home.home / "crm.db").chmod(0o644)
    answer = crm_home("lanes")
    assert answer.code == 4
    assert "crm doctor --fix" in answer.err
    findings = {found["check"]: found for found in crm_home("doctor", "--fix", "--json").json}
    assert findings["files"]["ok"]
    assert crm_home("lanes").code == 0


def test_an_error_nobody_foresaw_leaves_an_incident_and_no_value(
    crm_home: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm_core.inbox import queries

    def broken(_unit: object) -> None:
        patient = "Sentinel Patientson"
        raise RuntimeError(f"cannot list {patient}")

    monkeypatch.setattr(queries, "lanes", broken)
    answer = crm_home("lanes")
    assert answer.code == 1
    assert answer.out == ""
    assert "incident" in answer.err
    log = crm_home.home / "crm.log"
    assert log.stat().st_mode & 0o777 == 0o600
    kept = log.read_text()
    assert "RuntimeError" in kept
    assert "lanes.py" in kept
    assert "Sentinel" not in answer.err + kept
    incident = answer.err.split("incident ")[1].split(";")[0]
    assert incident in kept


def test_an_interrupt_ends_with_130(crm_home: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm_core.inbox import queries

    def interrupted(_unit: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(queries, "lanes", interrupted)
    assert crm_home("lanes").code == 130


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("queue",), ("staff", "add"), ("show", "12"), ("reply", "X-1", "--text", "x"), ("receive",),
     ("queue", "refills", "--limit", "0")],
)  # fmt: skip
def test_a_wrong_call_is_a_usage_error(crm_home: Caller, arguments: tuple[str, ...]) -> None:
    answer = crm_home(*arguments)
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_a_reader_that_leaves_is_no_error(crm_home: Caller) -> None:
    command = f"{sys.executable} -m crm_tui --home {crm_home.home} staff list --json | head -c 1 >/dev/null"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_full_disk_behind_standard_output_is_said(crm_home: Caller) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "crm_tui", "--home", str(crm_home.home), "staff", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert "make room" in done.stderr


def test_no_secret_is_in_the_arguments_or_the_environment_of_a_whole_run(crm_home: Caller) -> None:
    secret = "sentinel kettle marathon"
    crm_home("staff", "password", crm_home.done("staff", "list")[0]["login"], stdin=secret + "\n")
    code = """
from crm_tui.__main__ import main
try:
    main()
except SystemExit:
    print(open("/proc/self/cmdline").read(), open("/proc/self/environ").read())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "--home", str(crm_home.home), "--as", crm_home.done("staff", "list")[0]["login"],
         "lanes"],
        input=secret + "\n", env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "sentinel" not in done.stdout + done.stderr


def test_an_argument_that_is_not_utf_8_is_refused_before_the_store_sees_it(crm_home: Caller) -> None:
    answer = crm_home("template", "show", "a\udcff")
    assert answer.code == 2
    assert "not valid UTF-8" in answer.err


def test_a_terminal_that_does_not_speak_utf_8_gets_what_it_can_show(crm_home: Caller) -> None:
    for arguments in (["lanes"], ["lanes", "--json"], ["template", "show", "refill_received", "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "crm_tui", "--home", str(crm_home.home), *arguments],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.isascii()


def test_a_refusal_says_what_may_not_be_done_in_words(crm_home: Caller) -> None:
    crm_home("staff", "add", "joe", "--name", "Joe", "--role", "agent", "--ask-password", stdin="tea kettle marathon\n")
    refused = crm_home("--as", "joe", "audit", "tail", stdin="tea kettle marathon\n")
    assert refused.code == 3
    assert refused.err == "crm: You may not read the audit; ask an administrator for the permission audit:read.\n"


def test_without_a_terminal_the_console_says_what_works_without_one(crm_home: Caller) -> None:
    answer = crm_home()
    assert answer.code == 4
    assert "needs a terminal" in answer.err
