"""The demo clinic as a visitor finds it: made by the real services, whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.app import Crm
from crm_core.channels.calling.queries import call_list
from crm_core.channels.consent.deciding import held_numbers
from crm_core.channels.consent.tables import Consent
from crm_core.channels.notices.queries import notices
from crm_core.channels.undelivered import did_not_go
from crm_core.clock import ShiftedClock
from crm_core.demo.plan import make_plan
from crm_core.demo.playing import Player, counts
from crm_core.inbox.model import State
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.tables import Conversation
from tests.conftest import MONDAY


def test_every_lane_has_work_in_every_state_with_three_months_behind_it(crm: Crm, clock: ShiftedClock) -> None:
    player = Player(crm, clock, make_plan(MONDAY), "visitor")
    player.play()
    assert player.left_out == []
    with crm.read(SYSTEM) as unit:
        grouped = select(Conversation.lane, Conversation.state, func.count()).group_by(
            Conversation.lane, Conversation.state
        )
        found = [tuple(row) for row in unit.execute(grouped)]
        lanes = set(inbox_rules(unit).lanes.lane)
    still_open = {(lane, state): count for lane, state, count in found if state is not State.CLOSED}
    assert sum(still_open.values()) >= 60
    assert sum(count for _, state, count in found if state is State.CLOSED) >= 300
    assert {lane for lane, _ in still_open} == lanes
    assert {state for _, state in still_open} == set(State) - {State.CLOSED}
    assert counts(crm)["patients"] >= 400
    supervisor = Actor.with_roles(1, "a supervisor", frozenset({Role.SUPERVISOR}), None)
    with crm.read(supervisor) as unit:
        (held,) = held_numbers(unit)
        assert len(did_not_go(unit).refused) == 1
        assert len(call_list(unit, crm.gate)) == 1
        assert {one.fate for one in notices(unit)} >= {"planned", "calling"}
    with crm.read(SYSTEM) as unit:
        said = select(func.count()).where(Consent.patient_id.is_not(None))
        assert unit.scalar(said) == 1
    assert len(held.patient_ids) == 1


def crm_demo(home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """`crm demo` in a process of its own, without a terminal."""
    command = [sys.executable, "-m", "crm_tui", "demo", "--to", str(home), "--no-console", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=dict(os.environ))


def test_the_command_makes_it_once_and_then_opens_what_is_there(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    # What a run that was cut off has left is no demo, and no hindrance.
    (tmp_path / ".demo.making").mkdir()
    made = crm_demo(home, "--json")
    assert made.returncode == 0, made.stderr
    document = json.loads(made.stdout)
    assert set(document) == {"home", "patients", "conversations", "appointments", "referrals"}
    assert document["patients"] >= 400
    assert document["conversations"] >= 360
    store = (home / "crm.db").stat()
    again = crm_demo(home, "--json")
    assert json.loads(again.stdout) == document
    assert (home / "crm.db").stat().st_mtime_ns == store.st_mtime_ns
    assert not (tmp_path / ".demo.making").exists()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    refused = crm_demo(tmp_path)
    assert refused.returncode == 2
    assert "is no demo" in refused.stderr
    assert (tmp_path / "letter.txt").read_text() == "mine"
