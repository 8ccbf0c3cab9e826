"""Where our log goes: a 0600 file in the home, warnings and incidents, no values."""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger("crm_tui")
_OURS = ("crm_core", "crm_tui")


class _QuietFile(logging.FileHandler):
    """A log that cannot be written says nothing: the standard handler prints a traceback over the console."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Let the entry go: what broke is told to the person where it happened."""


def log_to(file: Path) -> None:
    """Send our own log to `file`, from warnings up; other libraries' logs go nowhere near it.

    The file is made by its first entry, under the process's umask 077.
    """
    handler = _QuietFile(file, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"))
    handler.addFilter(_without_traces)
    for name in _OURS:
        ours = logging.getLogger(name)
        for old in ours.handlers[:]:
            ours.removeHandler(old)
            old.close()
        ours.addHandler(handler)
        ours.setLevel(logging.WARNING)
        ours.propagate = False


def is_kept() -> bool:
    """Whether a log file was named."""
    return any(isinstance(handler, logging.FileHandler) for handler in log.handlers)


def _without_traces(entry: logging.LogRecord) -> bool:
    # A traceback prints the exception's message, and a driver's message holds values.
    entry.exc_info = entry.exc_text = entry.stack_info = None
    return True
