"""Attachments, letters, calls and figures from the command line, with what goes wrong."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Caller

PHOTO = b"\xff\xd8" + bytes(range(256)) * 20
LETTER = """From: Maria <maria@example.org>
Subject: Re: Message from the clinic
Message-ID: <a1@mail.example>
Date: Mon, 23 Nov 2026 09:14:00 -0500

Could you refill my metformin please
"""


def received(call: Caller, *more: str) -> dict[str, Any]:
    one: dict[str, Any] = call.done(
        "receive", "--channel", "sms", "--from", "+12125550123", "--text", "Please see the form", *more
    )[0]
    return one


def attachment(call: Caller, conversation: str) -> dict[str, Any]:
    found: dict[str, Any] = call.done("show", conversation)["messages"][0]["attachments"][0]
    return found


def test_a_file_that_came_in_comes_out_as_a_new_file_only(crm_home: Caller, tmp_path: Path) -> None:
    photo = tmp_path / "rash.jpg"
    photo.write_bytes(PHOTO)
    got = received(crm_home, "--attach", str(photo), "--attach", str(photo))
    one = attachment(crm_home, got["conversation"])
    assert (one["name"], one["type"], one["bytes"], one["withheld"]) == ("rash.jpg", "image/jpeg", len(PHOTO), None)
    to = tmp_path / "out.jpg"
    assert crm_home.done("attachment", "save", one["attachment"], "--to", str(to))["bytes"] == len(PHOTO)
    assert to.read_bytes() == PHOTO
    assert to.stat().st_mode & 0o777 == 0o600


def test_nothing_that_exists_is_touched_by_a_saving(crm_home: Caller, tmp_path: Path) -> None:
    photo = tmp_path / "rash.jpg"
    photo.write_bytes(PHOTO)
    number = attachment(crm_home, received(crm_home, "--attach", str(photo))["conversation"])["attachment"]
    kept = tmp_path / "kept"
    kept.write_text("mine")
    (tmp_path / "link").symlink_to(kept)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    names = [tmp_path / name for name in ("kept", "link", "dangling", "pipe", "no/such/folder")]
    for to in (*names, tmp_path, Path("/dev/null"), Path("/dev/shm/x")):
        answer = crm_home("attachment", "save", number, "--to", str(to))
        assert answer.code == 2, answer
        assert "name a new file in a folder that exists" in answer.err
    assert kept.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    assert crm_home("attachment", "save", "F-99", "--to", str(tmp_path / "x")).code == 1
    assert crm_home("attachment", "save", "C-1", "--to", str(tmp_path / "x")).code == 2
    assert not (tmp_path / "x").exists()


def test_a_served_session_saves_nothing(crm_home: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", str(os.geteuid() + 1))
    answer = crm_home("attachment", "save", "F-1", "--to", str(tmp_path / "x"))
    assert answer.code == 2
    assert not (tmp_path / "x").exists()


def test_a_letter_as_it_travels_is_taken_in_once(crm_home: Caller, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_text(LETTER)
    first = crm_home.done("receive", "--eml", str(tmp_path / "a.eml"))[0]
    assert (first["category"], first["duplicate"]) == ("refill", False)
    assert crm_home.done("receive", "--eml", str(tmp_path / "a.eml"))[0]["duplicate"]
    answer = LETTER.replace("a1@", "a2@").replace("Date:", "In-Reply-To: <a1@mail.example>\nDate:")
    (tmp_path / "b.eml").write_text(answer)
    assert crm_home.done("receive", "--eml", str(tmp_path / "b.eml"))[0]["conversation"] == first["conversation"]
    (tmp_path / "no.eml").write_text("hello")
    for named in ("no.eml", "missing.eml", "."):
        assert crm_home("receive", "--eml", str(tmp_path / named)).code == 2
    assert crm_home("receive", "--eml", "x", "--text", "y").code == 2


def test_a_file_of_messages_brings_attachments_or_their_number(crm_home: Caller, tmp_path: Path) -> None:
    data = base64.b64encode(PHOTO).decode()
    one = {"name": "a.jpg", "type": "image/jpeg", "data": data}
    lines = [
        {"channel": "sms", "from": "+12125550101", "text": "see this", "attachments": [one, {"name": "b", "size": 9}]},
        {"channel": "sms", "from": "+12125550102", "text": "and this", "attachments": 2},
        {"channel": "sms", "from": "+12125550103", "text": "x", "attachments": [{"name": "c", "data": "%%%"}]},
        {"channel": "sms", "from": "+12125550104", "text": "x", "attachments": -1},
    ]
    (tmp_path / "m.ndjson").write_text("\n".join(map(json.dumps, lines)))
    answer = crm_home("receive", "--file", str(tmp_path / "m.ndjson"), "--json")
    assert answer.code == 1
    assert "%%%" not in answer.err
    assert [line.partition(" was")[0] for line in answer.err.splitlines() if "left out" in line] == ["Line 3", "Line 4"]
    first, second = answer.json
    shown = crm_home.done("show", first["conversation"])["messages"][0]
    assert [(each["name"], each["bytes"], each["withheld"]) for each in shown["attachments"]] == [
        ("a.jpg", len(PHOTO), None), ("b", 9, "not_delivered"),
    ]  # fmt: skip
    assert crm_home.done("show", second["conversation"])["messages"][0]["attached"] == 2


def test_a_call_is_logged_with_its_reason_and_the_next_date(crm_home: Caller) -> None:
    number = received(crm_home)["conversation"]
    shown = crm_home.done(
        "call", number, "--outcome", "no_answer", "--reason", "results", "--next", "3h", "--words", "rang out"
    )
    last = shown["messages"][-1]
    assert (last["call_outcome"], last["call_reason"], last["text"]) == ("no_answer", "results", "rang out")
    assert last["next_call_at"] == shown["follow_up_at"]
    for wrong in (
        ("call",), ("call", number), ("call", number, "--from", "x"), ("call", number, "--outcome", "shouted"),
        ("call", number, "--outcome", "busy", "--inbound"), ("call", number, "--outcome", "busy", "--next", "soon"),
        ("call", "--from", "+12125550177", "--reason", "results"),
    ):  # fmt: skip
        assert crm_home(*wrong).code == 2


def test_who_calls_us_is_taken_in_and_screened(crm_home: Caller) -> None:
    said = ("--words", "-", "--outcome", "reached")
    shown = crm_home.done("call", "--from", "+12125550177", *said, stdin="wants her metformin refilled")
    (only,) = shown["messages"]
    assert (only["kind"], only["direction"], only["call_outcome"]) == ("call", "in", "reached")
    assert (shown["category"], shown["state"]) == ("refill", "waiting_patient")
    waiting = crm_home.done("call", "--from", "+12125550178", "--words", "please call back about my bill")
    assert (waiting["state"], waiting["messages"][0]["call_outcome"]) == ("new", None)
    danger = crm_home.done("call", "--from", "+12125550179", *said, stdin="has crushing chest pain")
    assert danger["danger"]


def test_figures_of_a_week_are_one_document(crm_home: Caller) -> None:
    number = received(crm_home)["conversation"]
    crm_home.done("call", number, "--outcome", "reached")
    crm_home.done("close", number, "--outcome", "resolved")
    shown = crm_home.done("metrics", "--by", "channel")
    assert [one["group"] for one in shown["figures"]] == ["all", "sms"]
    assert shown["figures"][0]["first_contact_resolution"] == {"count": 1, "share": 1.0}
    assert crm_home.done("metrics", "--week", "2020-02-29")["figures"][0]["opened"] == 0
    assert "first contact" in crm_home("metrics").out
    for wrong in (("--week", "monday"), ("--by", "moon")):
        assert crm_home("metrics", *wrong).code == 2
