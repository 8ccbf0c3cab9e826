"""A spool file keeps whole lines, for one account only, and can be asked what it holds."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from crm_core.channels.gateways.base import CannotTell, Found, NotFound, Outgoing, Sought, Temporary
from crm_core.channels.gateways.spool import SpoolGateway
from crm_core.words import Channel
from tests.conftest import MONDAY


def text(attempt: str, body: str = "Your form is ready.\nCall us. \u00c9l \U0001f44d") -> Outgoing:
    return Outgoing(attempt_id=attempt, to="+15555550123", body=body)


def asked(attempt: str) -> Sought:
    return Sought(outgoing=text(attempt), begun_at=MONDAY, asked_at=MONDAY)


def spool_many(path: Path, start: int) -> None:
    gateway = SpoolGateway(Channel.SMS, path)
    for number in range(start, start + 50):
        gateway.send(text(f"a{number}", "x" * 900))


def test_each_text_is_one_line_of_json_for_this_account_only(tmp_path: Path) -> None:
    path = tmp_path / "sms.jsonl"
    gateway = SpoolGateway(Channel.SMS, path)
    for attempt in ("a1", "a2"):
        assert gateway.send(text(attempt)).provider_id == attempt
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["attempt"] for line in lines] == ["a1", "a2"]
    assert (lines[0]["channel"], lines[0]["to"], lines[0]["body"]) == ("sms", "+15555550123", text("a1").body)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_attempt_is_found_again_by_its_id(tmp_path: Path) -> None:
    gateway = SpoolGateway(Channel.SMS, tmp_path / "sms.jsonl")
    assert gateway.find(asked("a1")) == NotFound()
    gateway.send(text("a1", body='"attempt": "a2"'))
    assert gateway.find(asked("a1")) == Found(provider_id="a1")
    assert gateway.find(asked("a2")) == NotFound()


def test_what_cannot_be_read_cannot_tell(tmp_path: Path) -> None:
    assert SpoolGateway(Channel.SMS, tmp_path).find(asked("a1")) == CannotTell()


@pytest.mark.parametrize("name", ["missing/sms.jsonl", "."])
def test_what_cannot_be_written_is_tried_again_later(tmp_path: Path, name: str) -> None:
    with pytest.raises(Temporary, match="spool file"):
        SpoolGateway(Channel.SMS, tmp_path / name).send(text("a1"))


def test_a_full_disk_is_tried_again_later() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(Temporary, match="spool file"):
        SpoolGateway(Channel.SMS, Path("/dev/full")).send(text("a1"))


def test_processes_that_spool_at_once_lose_and_mix_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sms.jsonl"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=spool_many, args=(path, start)) for start in (0, 100, 200)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
    attempts = [json.loads(line)["attempt"] for line in path.read_text("utf-8").splitlines()]
    assert (len(attempts), len(set(attempts))) == (150, 150)
