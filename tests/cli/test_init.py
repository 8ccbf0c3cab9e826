"""`crm init`: a home, and nothing where it cannot be made."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Caller
from tests.conftest import database_url, run_sql

CODE = re.compile(r"^  ([0-9A-Z]{5}(?:-[0-9A-Z]{5}){10})$", re.MULTILINE)


def test_it_makes_a_home_that_its_owner_alone_can_read(call: Caller) -> None:
    umask = os.umask(0o022)
    try:
        answer = call("init", "--key", "file", "--json")
    finally:
        os.umask(umask)
    assert answer.code == 0, answer.err
    me = pwd.getpwuid(os.getuid()).pw_name
    assert answer.json == {
        "home": str(call.home),
        "store": f"sqlite:///{call.home / 'crm.db'}",
        "key": "file",
        "playbook": "primary_care",
        "admin": me.casefold(),
    }
    assert call.home.stat().st_mode & 0o777 == 0o700
    files = {path.name: path.stat().st_mode & 0o777 for path in call.home.iterdir()}
    assert {"crm.toml", "crm.db", "crm.key", "crm.db.key"} <= set(files)
    assert set(files.values()) == {0o600}


def test_the_recovery_code_is_shown_once_on_standard_error_and_kept_nowhere(call: Caller) -> None:
    answer = call("init", "--key", "file", "--json")
    code = CODE.search(answer.err)
    assert code is not None
    assert code[1] not in answer.out
    for path in call.home.iterdir():
        assert code[1].encode() not in path.read_bytes()
    assert "advisory" in answer.err


def test_the_first_account_holds_every_role_so_that_one_person_can_work_alone(crm_home: Caller) -> None:
    (first,) = crm_home.done("staff", "list")
    assert set(first["roles"]) == {
        "agent", "nurse", "physician", "coordinator", "supervisor", "approver", "privacy", "admin",
    }  # fmt: skip
    assert not first["has_password"]


def test_admin_only_sees_no_patient(call: Caller) -> None:
    assert call("init", "--key", "file", "--admin-only").code == 0
    assert call.done("staff", "list")[0]["roles"] == ["admin"]
    refused = call("patients", "find", "garcia")
    assert refused.code == 3
    assert "patient:read" in refused.err


def test_a_home_that_holds_anything_is_left_as_it_is(crm_home: Caller) -> None:
    before = {path: path.read_bytes() for path in crm_home.home.iterdir()}
    answer = crm_home("init", "--key", "file")
    assert answer.code == 2
    assert "holds files already" in answer.err
    assert {path: path.read_bytes() for path in crm_home.home.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--key", "file", "--playbook", "nonsense"), 2, "primary_care"),
        (("--key", "file", "--store", "postgresql://crm:hunter2@db.example.org/crm"), 2, "--ask-store-password"),
        (("--key", "file", "--store", "postgresql://crm@h/crm?password=hunter2"), 2, "--ask-store-password"),
        (("--key", "file", "--store", "mysql://h/crm"), 2, "postgresql://"),
        (("--key", "file", "--store", "postgresql://crm@127.0.0.1:1/crm"), 4, "crm doctor"),
    ],
)
def test_what_cannot_be_made_leaves_nothing_behind(
    call: Caller, arguments: tuple[str, ...], code: int, said: str
) -> None:
    answer = call("init", *arguments)
    assert answer.code == code, answer.err
    assert said in answer.err
    assert "hunter2" not in answer.err + answer.out
    assert "Traceback" not in answer.err
    assert not call.home.exists()


@pytest.mark.parametrize("backend", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"])
def test_a_keyring_that_protects_nothing_is_refused_with_the_fix(tmp_path: Path, backend: str) -> None:
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-m", "crm_tui", "--home", str(home), "init"],
        env={**os.environ, "PYTHON_KEYRING_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert "crm init --key file" in done.stderr
    assert not home.exists()


def test_a_lost_key_comes_back_from_the_paper(call: Caller) -> None:
    code = CODE.search(call("init", "--key", "file").err)
    assert code is not None
    key = (call.home / "crm.key").read_bytes()
    (call.home / "crm.key").unlink()
    lost = call("staff", "list")
    assert lost.code == 4
    assert "crm keys recover" in lost.err
    typed = code[1].lower().replace("-", " ").replace("0", "o")
    assert call.done("keys", "recover", stdin=typed + "\n")["recovered"] is True
    assert (call.home / "crm.key").read_bytes() == key
    assert call("staff", "list").code == 0


def test_a_mistyped_or_foreign_code_changes_nothing(crm_home: Caller) -> None:
    from crm_core.vault.keys import Key
    from crm_core.vault.recovery import recovery_code

    key = (crm_home.home / "crm.key").read_bytes()
    assert crm_home("keys", "recover", stdin="12345\n").code == 2
    foreign = crm_home("keys", "recover", stdin=recovery_code(Key.random()) + "\n")
    assert foreign.code == 4
    assert "does not open with this key" in foreign.err
    assert (crm_home.home / "crm.key").read_bytes() == key


def test_a_store_on_postgres(call: Caller, postgres_url: str) -> None:
    run_sql(postgres_url, "CREATE DATABASE made_by_init")
    url = database_url(postgres_url, "made_by_init")
    if ":" in url.removeprefix("postgresql://").rpartition("@")[0]:
        url = url.replace(":@", "@")
    made = call.done("init", "--key", "file", "--store", url)
    assert made["store"].startswith("postgresql://")
    assert not (call.home / "crm.db").exists()
    call.done("receive", "--channel", "sms", "--from", "+12125550123", "--text", "When do you open?")
    assert sum(lane["open"] for lane in call.done("lanes")) == 1
    assert call.done("next")["state"] == "open"
    assert call.done("poll", "--once")["failed"] == 0
    assert call.done("audit", "verify")["ok"] is True
    assert all(finding["ok"] for finding in call.done("doctor"))
    again = Caller(call.home.with_name("other"), call._monkeypatch, call._capsys)
    refused = again("init", "--key", "file", "--store", url)
    assert refused.code != 0
    assert "keys already" in refused.err
    assert call.done("lanes")
