"""What is left behind when something breaks: an incident id, and where in the code; no value.

A value may be a patient, and so may a message or a local variable. The screen and stderr get
one sentence with the id; the log gets the types of the errors and the lines they passed.
Console and command line both end here, so this imports no terminal library.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

log = logging.getLogger("crm_tui.crash")
logging.getLogger("crm_tui").addHandler(logging.NullHandler())
"""Until a log file is named, an incident is not written over the screen either."""

_LETTERS = "23456789CFGHJMPQRVWX"
"""Letters and digits that are not mistaken for one another on the telephone."""

_LONGEST_CHAIN = 8
_HOUSE = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One crash, told without values.

    `errors` are the types of the error and of what caused it, outermost first; `frames` are
    `file:line function` of the first cause, outermost first.
    """

    id: str
    errors: tuple[str, ...]
    frames: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What a person is told."""
        return f"The console had to stop; what was saved is kept. Tell your administrator: incident {self.id}."


def incident(error: BaseException) -> Incident:
    """Make an incident of an error, without its message, arguments or locals."""
    errors: list[str] = []
    at: BaseException | None = error
    deepest = error
    while at is not None and len(errors) < _LONGEST_CHAIN:
        errors.append(f"{type(at).__module__}.{type(at).__qualname__}")
        deepest = at
        within = getattr(at, "error", None)  # a failed worker carries its error without raising from it
        at = at.__cause__ or at.__context__ or (within if isinstance(within, BaseException) else None)
    number = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return Incident(id=f"{number[:4]}-{number[4:]}", errors=tuple(errors), frames=_frames(deepest.__traceback__))


def _frames(trace: TracebackType | None) -> tuple[str, ...]:
    summary = traceback.StackSummary.extract(traceback.walk_tb(trace), limit=-40, lookup_lines=False)
    return tuple(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in summary)


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(_HOUSE):
        return str(path.relative_to(_HOUSE))
    return "/".join(path.parts[-2:])


def record(error: BaseException) -> Incident:
    """Log an incident and return it."""
    made = incident(error)
    log.error("incident %s: %s at %s", made.id, " from ".join(made.errors), " > ".join(made.frames))
    return made


def guard_process() -> None:
    """Let no exception print itself: in the main thread, in other threads, in a finaliser."""

    def main(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            sys.stderr.write(record(error).sentence + "\n")

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
