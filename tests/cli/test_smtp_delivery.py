"""Answers by e-mail, from the shell to a real mail server over STARTTLS."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from tests.cli.subprocess_call import Shell

PEER = Path(__file__).resolve().parents[3] / "shared" / "peers" / "smtp"
PEOPLE = {"vera": 1, "reject": 2, "defer": 3, "drop": 4}
"""The local part of each invented patient's address; the server refuses, defers and cuts off by three of them."""
SETTINGS = """
[gateway.email]
kind = "smtp"
host = "localhost"
port = {port}
security = "starttls"
user = "crm"
password_file = "smtp-password"
ca_file = "{certificate}"
from = "Front Desk <frontdesk@clinic.example.org>"
vendor = "Example Mail"
"""
ANSWER = "Hello, we sent a copy of your invoice by post today."


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The mail server that lies beside the project: its port and its run directory."""
    if not (PEER / "start.sh").is_file():
        pytest.skip(f"the mail server to try against is not here ({PEER})")
    run = tmp_path_factory.mktemp("peer")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "SMTP_PORT": str(port)}
    started = subprocess.run([PEER / "start.sh", run], env=environment, capture_output=True, check=False, timeout=240)
    if started.returncode != 0:
        pytest.skip("the mail server beside the project does not start here")
    yield port, run
    subprocess.run([PEER / "stop.sh", run], capture_output=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def asked(peer: tuple[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the mail server as its gateway, four patients, and an e-mail from each: C-1 to C-4."""
    port, run = peer
    folder = tmp_path_factory.mktemp("mail")
    shell = Shell(folder / "home")
    shell.done("init", "--key", "file")
    with (shell.home / "crm.toml").open("a") as settings:
        settings.write(SETTINGS.format(port=port, certificate=run / "cert.pem"))
    password = shell.home / "smtp-password"
    password.touch(mode=0o600)
    password.write_text("crmpw\n")
    people = [
        {
            "resourceType": "Patient",
            "id": name,
            "name": [{"family": f"Quillfeather{number}", "given": ["Vera"]}],
            "birthDate": "1975-06-01",
            "identifier": [{"system": "urn:example:mrn", "value": f"QF-{number}"}],
            "telecom": [{"system": "email", "value": f"{name}@example.org"}],
        }
        for name, number in PEOPLE.items()
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in people]}
    (folder / "people.json").write_text(json.dumps(bundle))
    shell.done("import", "fhir", folder / "people.json")
    text = "Could you send me a copy of my invoice from last month? My son asks for it."
    letters = [
        json.dumps({"channel": "email", "from": f"{name}@example.org", "text": text, "id": f"mail-{name}"})
        for name in PEOPLE
    ]
    (folder / "letters.ndjson").write_text("\n".join(letters))
    received = shell.done("receive", "--file", folder / "letters.ndjson")
    assert [message["conversation"] for message in received] == ["C-1", "C-2", "C-3", "C-4"]
    return shell.home


@pytest.fixture
def shell(asked: Path, tmp_path: Path) -> Shell:
    """That home, copied for one test, with the mail server's vendor under an agreement in date."""
    shutil.copytree(asked, tmp_path / "home")
    copied = Shell(tmp_path / "home")
    year = datetime.now(UTC).year
    days = ("--from", f"{year - 1}-01-01", "--until", f"{year + 1}-12-31")
    copied.done("vendor", "add", "Example Mail", "--gateway", "email", *days)
    return copied


def answer(shell: Shell, name: str) -> None:
    """Reply to one of the four."""
    shell.done("reply", f"C-{PEOPLE[name]}", "--text", ANSWER)


def row_of(shell: Shell, name: str) -> dict[str, Any]:
    """The newest row of the outbox that goes to one of the four."""
    conversation = f"C-{PEOPLE[name]}"
    found: dict[str, Any] = next(row for row in shell.done("outbox") if row["conversation"] == conversation)
    return found


def letters_to(peer: tuple[int, Path], name: str) -> list[EmailMessage]:
    """What the server keeps for one address, oldest first."""
    kept = []
    for file in sorted((peer[1] / "inbox").glob("*.eml")):
        letter = message_from_bytes(file.read_bytes(), policy=default)
        assert isinstance(letter, EmailMessage)
        if letter["X-RcptTo"] == f"{name}@example.org":
            kept.append(letter)
    return kept


def test_an_answer_arrives_as_a_letter_that_says_no_more_than_its_text(shell: Shell, peer: tuple[int, Path]) -> None:
    answer(shell, "vera")
    before = len(letters_to(peer, "vera"))
    tally = shell.done("poll", "--once")
    assert (tally["sent"], tally["failed"], tally["unknown"]) == (1, 0, 0)
    (letter,) = letters_to(peer, "vera")[before:]
    assert letter["To"] == "vera@example.org"
    assert letter["From"] == "Front Desk <frontdesk@clinic.example.org>"
    assert letter["Message-ID"].endswith("@clinic.example.org>")
    assert letter.get_content().strip() == ANSWER
    head = " ".join(f"{name}: {value}" for name, value in letter.items())
    assert not any(word in head for word in ("Quillfeather", "Vera", "invoice", "billing", "C-1", "P-1"))
    row = row_of(shell, "vera")
    assert (row["state"], row["tries"]) == ("sent", 1)
    shell.done("poll", "--once")
    assert len(letters_to(peer, "vera")) == before + 1


def test_without_an_agreement_in_date_no_answer_is_taken(shell: Shell) -> None:
    shell.done("vendor", "end", "Example Mail")
    code, said = shell.refused("reply", "C-1", "--text", ANSWER)
    assert (code, "no BAA in date" in said) == (1, True)
    assert shell.done("outbox") == []


def test_an_agreement_that_ends_in_between_stops_the_letter_and_brings_the_conversation_back(
    shell: Shell, peer: tuple[int, Path]
) -> None:
    answer(shell, "vera")
    shell.done("vendor", "end", "Example Mail")
    before = len(letters_to(peer, "vera"))
    assert shell.done("poll", "--once")["sent"] == 0
    row = row_of(shell, "vera")
    assert row["state"] == "suppressed"
    assert any("no BAA in date" in why for why in row["why"])
    assert len(letters_to(peer, "vera")) == before
    back = shell.done("show", "C-1")
    assert (back["state"], back["due_at"] is not None) == ("open", True)


def test_a_letter_that_the_server_refuses_has_failed_and_its_conversation_comes_back(shell: Shell) -> None:
    answer(shell, "reject")
    assert shell.done("poll", "--once", code=1)["failed"] == 1
    row = row_of(shell, "reject")
    assert (row["state"], row["failure"]) == ("failed", "the mail server answered 550 5.1.1")
    back = shell.done("show", "C-2")
    assert back["state"] == "open"
    assert "not delivered" in back["next_action"]


def test_a_letter_that_the_server_puts_off_waits_for_its_next_try(shell: Shell) -> None:
    answer(shell, "defer")
    assert shell.done("poll", "--once")["retried"] == 1
    row = row_of(shell, "defer")
    assert (row["state"], row["tries"], row["failure"]) == ("queued", 1, "the mail server answered 451 4.7.1")
    assert datetime.fromisoformat(row["due_at"]) > datetime.now(UTC)
    assert shell.done("show", "C-3")["state"] == "waiting_patient"


def test_a_letter_whose_fate_is_unknown_is_never_sent_again_but_by_a_person(shell: Shell) -> None:
    answer(shell, "drop")
    assert shell.done("poll", "--once", code=1)["unknown"] == 1
    assert shell.done("poll", "--once")["claimed"] == 0
    row = row_of(shell, "drop")
    assert row["state"] == "unknown"
    assert "Nobody knows" in shell.done("show", "C-4")["next_action"]
    number = str(row["outbox"])
    assert shell.done("outbox", "resolve", number, "--not-sent")["state"] == "queued"
    assert shell.done("poll", "--once", code=1)["unknown"] == 1
    settled = shell.done("outbox", "resolve", number, "--sent")
    assert (settled["state"], settled["why"][-1]) == ("sent", "then: a person found that it was sent")
    assert shell.refused("outbox", "resolve", number, "--sent")[0] == 2


def test_a_server_without_its_password_or_certificate_keeps_every_letter_queued(shell: Shell) -> None:
    answer(shell, "vera")
    (shell.home / "smtp-password").write_text("guessed\n")
    assert shell.done("poll", "--once")["retried"] == 1
    row = row_of(shell, "vera")
    assert (row["state"], row["failure"]) == ("queued", "the mail server refused the login (535)")
    assert "guessed" not in json.dumps(row)
