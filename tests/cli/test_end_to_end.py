"""A clinic's first day from the shell: every call a process of its own, on real people where they are at hand."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.subprocess_call import Shell
from tests.conftest import database_url, run_sql

PASSWORD = "correct horse battery"
TEXTS = (
    ("Can I get a refill of my lisinopril please?", "refills"),
    ("I would like to book a visit for next week", "scheduling"),
    ("Why was I charged twice on my bill?", "billing"),
    ("Please send my vaccination records to the school", "records"),
)
CONVERSATION_KEYS = {
    "conversation", "patient", "lane", "category", "priority", "state", "owner", "due_at", "next_owner",
    "next_action", "messages",
}  # fmt: skip
RECEIVED_KEYS = {
    "message", "conversation", "patient", "lane", "category", "priority", "handled_by", "duplicate", "why",
}  # fmt: skip
QUEUE_KEYS = {"conversation", "patient", "category", "priority", "state", "owner", "due_at", "waiting_since"}
TALLY_KEYS = {"claimed", "done", "retried", "dead", "sent", "failed", "unknown"}


def invented(folder: Path) -> Path:
    """A bundle of five invented people; number 5 shares number 4's telephone."""
    people = [
        {
            "resourceType": "Patient",
            "id": f"p{number}",
            "name": [{"family": f"Quillfeather{number}", "given": ["Vera"]}],
            "birthDate": f"197{number}-06-01",
            "communication": [{"language": {"coding": [{"code": "en"}]}, "preferred": True}],
            "identifier": [{"system": "urn:example:mrn", "value": f"QF-{number}"}],
            "telecom": [{"system": "phone", "value": f"+1 212 555 017{min(number, 4)}", "use": "mobile"}],
        }
        for number in range(1, 6)
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in people]}
    path = folder / "people.json"
    path.write_text(json.dumps(bundle))
    return path


def inbox_file(folder: Path) -> Path:
    """One text each from the first four numbers, one from a stranger, and one line that is none."""
    lines = [
        json.dumps({"channel": "sms", "from": f"+1212555017{number}", "text": text, "id": f"T{number}"})
        for number, (text, _) in enumerate(TEXTS, start=1)
    ]
    lines.append(
        json.dumps({"channel": "sms", "from": "+12125550199", "text": "Do you take new patients?", "id": "T9"})
    )
    path = folder / "messages.ndjson"
    path.write_text("\n".join([*lines, '{"channel": "sms"']) + "\n")
    return path


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with five people, five conversations, and an agent and a nurse with passwords."""
    folder = tmp_path_factory.mktemp("end-to-end")
    shell = Shell(folder / "home")
    made = shell.done("init", "--key", "file")
    assert set(made) >= {"home", "store", "key", "playbook", "admin"}
    report = shell.done("import", "fhir", invented(folder))
    assert (report["created"], report["rejected"]) == (5, 0)
    received = shell.done("receive", "--file", inbox_file(folder), code=1)
    assert [message["lane"] for message in received[:4]] == [lane for _, lane in TEXTS]
    for login, role in (("amy", "agent"), ("ned", "nurse")):
        person = (login, "--name", login.title(), "--role", role, "--ask-password")
        shell.done("staff", "add", *person, stdin=PASSWORD + "\n")
    return shell.home


@pytest.fixture
def shell(opened: Path, tmp_path: Path) -> Shell:
    """That home, copied for one test."""
    shutil.copytree(opened, tmp_path / "home")
    return Shell(tmp_path / "home")


def in_lane(shell: Shell, lane: str) -> str:
    """The oldest conversation of a lane."""
    names = [str(item["conversation"]) for item in shell.done("queue", lane)]
    return min(names, key=lambda name: int(name.removeprefix("C-")))


def work_through(shell: Shell) -> None:
    """From the lanes to the spool file and the audit: the same on every store."""
    counts = {row["lane"]: row for row in shell.done("lanes")}
    assert all(set(row) == {"lane", "open", "unowned", "overdue", "next_due"} for row in counts.values())
    assert all(counts[lane]["open"] >= 1 for _, lane in TEXTS)
    assert all(set(item) == QUEUE_KEYS for item in shell.done("queue", "refills"))

    taken = shell.done("next", "--lane", "refills")
    assert set(taken) >= CONVERSATION_KEYS
    name = taken["conversation"]
    assert shell.done("next", "--lane", "refills") is None
    assert shell.done("show", name)["messages"][0]["text"] == TEXTS[0][0]
    assert shell.done("note", name, stdin="Asked twice already.")["messages"][-1]["kind"] == "note"

    code, said = shell.refused("reply", name, "--template", "refill_received")
    assert (code, "draft" in said or "approved" in said) == (1, True)
    assert shell.done("template", "approve", "refill_received")["state"] == "approved"
    replied = shell.done("reply", name, "--template", "refill_received")
    assert (replied["state"], replied["next_owner"]) == ("waiting_patient", "the patient")
    tally = shell.done("poll", "--once")
    assert set(tally) == TALLY_KEYS
    assert (tally["sent"], tally["failed"]) == (1, 0)
    (row,) = shell.done("outbox", "--state", "sent")
    assert row["why"]
    assert row["conversation"] == name
    (line,) = (shell.home / "sms.jsonl").read_text().splitlines()
    assert json.loads(line)["to"] == "+12125550171"
    assert "Vera" in json.loads(line)["body"]

    closed = shell.done("close", name, "--outcome", "resolved")
    assert (closed["state"], closed["outcome"]) == ("closed", "resolved")
    bill = in_lane(shell, "billing")
    assert shell.done("assign", bill, "--to", "amy")["owner"] == "Amy"
    moved = shell.done("move", bill, "--lane", "front_desk", "--reason", "wrong_lane")
    assert moved["lane"] == "front_desk"
    asleep = shell.done("snooze", in_lane(shell, "records"), "--until", "2d", "--action", "Ask the school again")
    assert asleep["state"] == "snoozed"
    assert datetime.fromisoformat(asleep["snoozed_until"]).utcoffset() == timedelta(0)
    up = shell.done(
        "escalate", in_lane(shell, "scheduling"), "--to", "supervisor", "--reason", "policy", stdin="May I?"
    )
    assert up["conversation"].startswith("C-")

    verified = shell.done("audit", "verify")
    assert verified["ok"] is True
    assert verified["rows"] > 30
    checks = {check["check"]: check["ok"] for check in shell.done("doctor")}
    assert all(checks.values()), checks


def test_a_day_in_an_embedded_store(shell: Shell) -> None:
    work_through(shell)


def test_a_day_on_postgres(postgres_url: str, tmp_path: Path) -> None:
    run_sql(postgres_url, "CREATE DATABASE end_to_end")
    shell = Shell(tmp_path / "home")
    address = database_url(postgres_url, "end_to_end").replace("postgres:@", "postgres@")
    shell.done("init", "--key", "file", "--store", address)
    shell.done("import", "fhir", invented(tmp_path))
    shell.done("receive", "--file", inbox_file(tmp_path), code=1)
    shell.done("staff", "add", "amy", "--name", "Amy", "--role", "agent", "--ask-password", stdin=PASSWORD + "\n")
    work_through(shell)


def test_real_people_come_in_once_and_a_second_run_changes_no_byte(shared_data: Path, tmp_path: Path) -> None:
    bundles = shared_data / "fhir" / "synthea-bundles"
    if not bundles.is_dir():
        pytest.skip(f"the real bundles are not here ({bundles})")
    shell = Shell(tmp_path / "home")
    shell.done("init", "--key", "file")
    empty = (shell.home / "crm.db").read_bytes()
    dry = shell.done("import", "fhir", bundles, "--dry-run")
    assert (dry["by_type"]["Patient"]["created"], dry["rejected"]) == (124, 0)
    assert (shell.home / "crm.db").read_bytes() == empty
    first = shell.done("import", "fhir", bundles)
    assert set(first) >= {"batch", "read", "created", "updated", "unchanged", "rejected", "by_type", "seconds"}
    assert (first["created"], first["rejected"]) == (124, 0)
    stored = (shell.home / "crm.db").read_bytes()
    again = shell.done("import", "fhir", bundles)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 124)
    assert (shell.home / "crm.db").read_bytes() == stored


def test_the_same_file_of_messages_again_makes_no_second_message(shell: Shell, tmp_path: Path) -> None:
    before = [shell.done("show", "C-1"), shell.done("lanes")]
    received = shell.done("receive", "--file", inbox_file(tmp_path), code=1)
    assert all(set(message) == RECEIVED_KEYS for message in received)
    assert {(message["handled_by"], message["duplicate"]) for message in received} == {("duplicate", True)}
    assert [shell.done("show", "C-1"), shell.done("lanes")] == before


def test_an_agent_may_not_put_danger_off_nor_do_another_roles_work(shell: Shell) -> None:
    def amy(*arguments: str, stdin: str = "") -> tuple[int, str]:
        return shell.refused("--as", "amy", *arguments, stdin=f"{PASSWORD}\n{stdin}")

    (alarm,) = shell.done(
        "receive", "--channel", "sms", "--from", "+12125550173", "--text", "I have crushing chest pain"
    )
    assert (alarm["lane"], alarm["priority"]) == ("clinical_triage", "stat")
    name = alarm["conversation"]
    refused = [
        amy("close", name, "--outcome", "resolved"),
        amy("snooze", name, "--until", "2h"),
        amy("move", name, "--lane", "billing", "--reason", "wrong_lane"),
        amy("template", "approve", "refill_received"),
        amy("staff", "disable", "ned"),
        amy("vendor", "list"),
        amy("audit", "tail"),
    ]
    assert {code for code, _ in refused} == {3}
    ned = shell.done("--as", "ned", "show", name, stdin=PASSWORD + "\n")
    assert (ned["danger"], ned["priority"]) == (True, "stat")


def test_a_foreign_lane_and_a_number_that_is_none_read_the_same(shell: Shell) -> None:
    shell.done("staff", "lanes", "amy", "--lane", "billing")
    foreign, nobody = (
        shell.refused("--as", "amy", "show", name, stdin=PASSWORD + "\n")
        for name in (in_lane(shell, "refills"), "C-4711")
    )
    assert foreign[0] == nobody[0] == 1
    assert foreign[1].partition("C-")[0] == nobody[1].partition("C-")[0]
    denied = [row for row in shell.done("audit", "tail", "--limit", "30") if row["outcome"] == "denied"]
    assert len(denied) == 2


def test_a_wrong_password_and_an_account_that_is_none_read_the_same(shell: Shell) -> None:
    answers = {shell.refused("--as", name, "lanes", stdin="not it\n") for name in ("amy", "nobody")}
    ((code, _),) = answers
    assert code == 3


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "P-999"), 1),
        (("show", "C-0"), 2),
        (("show", "Vera"), 2),
        (("queue", "nowhere"), 1),
        (("close", "C-1", "--outcome", "because"), 2),
        (("snooze", "C-1", "--until", "soon"), 2),
        (("assign", "C-1", "--to", "nobody"), 1),
        (("reply", "C-1", "--template", "nothing_such"), 1),
        (("import", "fhir", "/nowhere/at/all"), 2),
        (("import", "fhir", "/dev/null"), 2),
        (("receive", "--file", "/etc"), 2),
        (("receive", "--channel", "pigeon", "--from", "x", "--text", "y"), 2),
        (("outbox", "--state", "lost"), 2),
        (("outbox", "resolve", "1"), 2),
        (("vendor", "add", "X", "--gateway", "email", "--from", "2026-02-30", "--until", "2027-01-01"), 2),
        (("staff", "add", "amy", "--name", "Amy", "--role", "agent"), 1),
        (("frobnicate",), 2),
        (("--home", "/nowhere/at/all", "lanes"), 4),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_its_exit_code(
    shell: Shell, arguments: tuple[str, ...], code: int
) -> None:
    ended, said = shell.refused(*arguments)
    assert (ended, said.endswith(".")) == (code, True), said
    assert "incident" not in said


def test_a_damaged_key_file_is_said_and_touches_nothing(shell: Shell) -> None:
    key = shell.home / "crm.key"
    good = key.read_text()
    key.write_text(good[:10] + ("0" if good[10] != "0" else "1") + good[11:])
    code, said = shell.refused("lanes")
    assert code == 4
    assert good[:20] not in said
    key.write_text(good)
    assert shell.done("lanes")


@contextmanager
def watching() -> Iterator[set[bytes]]:
    """Every process's arguments, read over and over as any account of this host can."""
    seen: set[bytes] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    seen.add((process / "cmdline").read_bytes().replace(b"\0", b" "))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def test_no_secret_is_an_argument_of_any_process(tmp_path: Path) -> None:
    with watching() as lines:
        shell = Shell(tmp_path / "home")
        made = shell("init", "--key", "file")
        shell.done("staff", "add", "amy", "--name", "Amy", "--role", "agent", "--ask-password", stdin=PASSWORD + "\n")
        shell.done("--as", "amy", "lanes", stdin=PASSWORD + "\n")
        shell.done("keys", "status")
    key = (shell.home / "crm.key").read_text().strip()
    code = next(word for word in made.err.split() + made.out.split() if word.count("-") > 8)
    together = b"\n".join(lines)
    assert b"crm_tui" in together, "the calls were seen"
    for secret in (PASSWORD, PASSWORD.split()[1], key, code):
        assert secret.encode() not in together
