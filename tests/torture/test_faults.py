"""Every call that a poller's run makes on its files fails once: no space, a broken disk, the power gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.torture.faults import KINDS, Fault, calls_of, expect_whole, make_home, run, why_not
from tests.torture.processes import number_from, say

pytestmark = pytest.mark.skipif(why_not() != "", reason=why_not())

EVERY = number_from("TORTURE_FAULTS_EVERY", 1)
"""1 hits each call, 5 each fifth."""


def test_after_any_fault_the_store_is_whole_and_everything_goes_once(tmp_path: Path) -> None:
    made = tmp_path / "made"
    make_home(made)
    shutil.copytree(made, tmp_path / "counted")
    calls = calls_of(tmp_path / "counted", tmp_path / "calls")
    faults = [
        Fault(call=call, number=number, kind=kind)
        for kind in KINDS
        for call, count in sorted(calls.items())
        for number in range(1, count + 1, EVERY)
    ]
    say(f"{calls.total()} calls: {dict(calls)}; {len(faults)} faults")
    missed = 0
    for done, fault in enumerate(faults, 1):
        home = tmp_path / "home"
        shutil.copytree(made, home)
        ended = run(home, tmp_path / "calls", fault)
        missed += not ended.hit
        try:
            expect_whole(home, ended)
        except BaseException:
            say(f"after {fault.injection}")
            raise
        shutil.rmtree(home)
        if done % 20 == 0:
            say(f"{done} of {len(faults)} faults, {missed} came after the end")
    say(f"{len(faults)} faults, {missed} came after the end: whole each time, everything sent once")
    assert missed < len(faults) // 10
