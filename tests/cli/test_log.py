"""The log file: it never speaks where a person reads."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_tui.log import log_to


@pytest.fixture
def loggers_as_they_were() -> Iterator[None]:
    """Both of our loggers, put back with their handlers."""
    ours = [logging.getLogger(name) for name in ("crm_core", "crm_tui")]
    before = [(log, log.handlers[:], log.level, log.propagate) for log in ours]
    yield
    for made in {handler for log, handlers, *_ in before for handler in log.handlers if handler not in handlers}:
        with contextlib.suppress(OSError):
            made.close()
    for log, handlers, level, propagate in before:
        log.handlers[:] = handlers
        log.setLevel(level)
        log.propagate = propagate


@pytest.mark.usefixtures("loggers_as_they_were")
def test_a_log_on_a_full_disk_prints_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    log_to(full)
    logging.getLogger("crm_core.store").warning("store error %s", "SQLITE_FULL")
    assert capfd.readouterr() == ("", "")
