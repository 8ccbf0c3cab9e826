"""A poller whose disk fails in the midst of it, at a few calls; `make torture` does it at every one (case 17)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.torture.faults import Fault, expect_whole, make_home, run, why_not

pytestmark = pytest.mark.skipif(why_not() != "", reason=why_not())

FEW = (
    Fault(call="pwrite64", number=9, kind="error=ENOSPC"),
    Fault(call="fsync", number=3, kind="error=EIO"),
    Fault(call="write", number=2, kind="signal=SIGKILL"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with something to do."""
    home = tmp_path_factory.mktemp("faults") / "home"
    make_home(home)
    return home


@pytest.mark.parametrize("fault", FEW, ids=lambda fault: fault.injection)
def test_what_was_being_written_is_old_or_new_and_a_further_run_sends_the_rest_once(
    made: Path, tmp_path: Path, fault: Fault
) -> None:
    home = tmp_path / "home"
    shutil.copytree(made, home)
    ended = run(home, tmp_path / "calls", fault)
    assert ended.hit
    expect_whole(home, ended)
