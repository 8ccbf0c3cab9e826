"""Texts that a command is given: as an argument, or on standard input, which `ps` does not show."""

from __future__ import annotations

import sys

from crm_core.errors import UsageError

LONGEST = 100_000
"""Characters of a text read from standard input; more is no message."""


def given_text(given: str | None) -> str:
    """The text as given; read from standard input where it is None or `-`."""
    if given is not None and given != "-":
        return given
    if sys.stdin.isatty():
        sys.stderr.write("The text, ended by Ctrl-D:\n")
    text = sys.stdin.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise UsageError(problem=f"The text is longer than {LONGEST} characters", remedy="shorten it")
    return text.strip()
