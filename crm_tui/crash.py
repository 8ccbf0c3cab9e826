"""Where an exception ends that nobody caught: one sentence with an incident id, and no value.

A value may be a patient, and so may a message or a local variable. The screen and stderr get
the id; what the log gets is settled in incident.py.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from types import TracebackType
from typing import Any

from textual.worker import WorkerFailed

from crm_tui.incident import record

logging.getLogger("crm_tui").addHandler(logging.NullHandler())
"""Until a log file is named, an incident is not written over the screen either."""


def sentence(incident: str) -> str:
    """What a person is told of an incident."""
    return f"The console had to stop; what was saved is kept. Tell your administrator: incident {incident}."


def settle(error: BaseException) -> str:
    """Record an error, a worker's by its cause; returns the sentence to show."""
    return sentence(record(error.error if isinstance(error, WorkerFailed) else error))


def guard_process() -> None:
    """Let no exception print itself: in the main thread, in other threads, in a finaliser."""

    def main(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        sys.stderr.write(settle(error) + "\n")

    def elsewhere(args: Any) -> None:
        if args.exc_value is not None:
            record(args.exc_value)

    sys.excepthook = main
    threading.excepthook = elsewhere
    sys.unraisablehook = elsewhere


def guard_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Let no task print its exception when nobody awaited it."""

    def quietly(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            record(error)

    loop.set_exception_handler(quietly)
