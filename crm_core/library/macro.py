"""A macro: what else happens in the conversation when a template is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

LONGEST_SPAN = timedelta(days=366)
"""Beyond it a date is a slip, and what it puts away would be lost."""

_SPAN = re.compile(r"([1-9]\d{0,3})([hd])")
_UNITS = {"h": ("hour", timedelta(hours=1)), "d": ("day", timedelta(days=1))}


@dataclass(frozen=True, kw_only=True)
class ThenTask:
    """A task that is made; `due` is a span from the sending, such as `1d`."""

    title: str
    due: str


@dataclass(frozen=True, kw_only=True)
class Then:
    """What follows in the same unit as the answer: a closing or a snooze, and a task.

    `close` is an outcome of the playbook's, `snooze` a span; never both. One of the three is given.
    """

    close: str | None = None
    snooze: str | None = None
    task: ThenTask | None = None

    def __str__(self) -> str:
        """As it is shown before the sending: `closes as resolved, makes the task “Call again” for 1 day later`."""
        parts = []
        if self.close is not None:
            parts.append(f"closes as {self.close.replace('_', ' ')}")
        if self.snooze is not None:
            parts.append(f"snoozes for {span_words(self.snooze)}, or until the patient writes")
        if self.task is not None:
            parts.append(f"makes the task “{self.task.title}”, due in {span_words(self.task.due)}")
        return "; ".join(parts)


def span(text: str) -> timedelta:
    """`2d` or `4h` as a timedelta; ValueError for anything else, and for more than a year."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no span; write 4h or 2d")
    found = int(match[1]) * _UNITS[match[2]][1]
    if found > LONGEST_SPAN:
        raise ValueError(f"{text} is more than a year")
    return found


def span_words(text: str) -> str:
    """`2d` as `2 days`."""
    count, unit = text[:-1], _UNITS[text[-1]][0]
    return f"{count} {unit}" if count == "1" else f"{count} {unit}s"
