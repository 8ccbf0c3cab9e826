"""Processes to be killed: forked from a clean server that has imported everything once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from typing import Any

PRELOADED = ["tests.torture.sending", "tests.torture.halting", "tests.torture.takers", "tests.torture.desks"]


def context() -> Any:
    """Makes processes in some 20 ms each: a spawned one would pay its imports anew."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(PRELOADED)
    return made


class Ahead:
    """The host's clock and what a campaign adds to it, shared between processes (seconds, a double)."""

    def __init__(self, by: Any) -> None:
        self._by = by

    def now(self) -> datetime:
        """The time for all of the campaign."""
        return datetime.now(UTC) + timedelta(seconds=self._by.value)


def kill(process: BaseProcess) -> None:
    """SIGKILL, at once, and wait until it is gone."""
    if process.pid is not None and process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()


def number_from(name: str, otherwise: int) -> int:
    """A campaign's size, which the environment may change."""
    return int(os.environ.get(name, otherwise))


def say(text: str) -> None:
    """One line of progress on stderr."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()
