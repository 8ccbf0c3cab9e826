"""`crm audit`: verifying, reading, anchoring."""

from __future__ import annotations

from tests.cli.conftest import Caller


def test_a_home_verifies_and_says_what_it_was_compared_with(crm_home: Caller) -> None:
    first = crm_home.done("audit", "verify")
    assert (first["ok"], first["first_bad"], first["checkpoint"]) == (True, None, None)
    assert first["rows"] > 0
    made = crm_home.done("audit", "checkpoint")
    assert made["number"] == 1
    assert made["at"].endswith("Z")
    second = crm_home.done("audit", "verify")
    assert second["checkpoint"]["number"] == 1


def test_nothing_new_makes_no_checkpoint(crm_home: Caller) -> None:
    assert crm_home.done("audit", "checkpoint")["number"] == 1
    assert crm_home.done("audit", "checkpoint") is None


def test_a_store_rolled_back_below_its_anchor_is_found(crm_home: Caller) -> None:
    older = {path.name: path.read_bytes() for path in crm_home.home.glob("crm.db*")}
    crm_home.done("staff", "add", "maria", "--name", "Maria", "--role", "nurse")
    crm_home.done("audit", "checkpoint")
    for path in crm_home.home.glob("crm.db*"):
        path.unlink()
    for name, content in older.items():
        (crm_home.home / name).write_bytes(content)
        (crm_home.home / name).chmod(0o600)
    answer = crm_home("audit", "verify", "--json")
    assert answer.code == 1
    assert answer.json["ok"] is False
    assert answer.json["first_bad"]["fault"] == "cut"


def test_the_tail_names_who_did_what_and_that_it_was_looked_at(crm_home: Caller) -> None:
    crm_home.done("staff", "add", "maria", "--name", "Maria", "--role", "nurse")
    rows = crm_home.done("audit", "tail", "--limit", "3")
    assert rows[0]["what"] == "staff:account:created"
    assert rows[0]["why"] == "nurse"
    assert set(rows[0]) == {"at", "who", "what", "subject", "ids", "why", "outcome"}
    assert crm_home.done("audit", "tail", "--limit", "1")[0]["what"] == "audit:records:shown"
