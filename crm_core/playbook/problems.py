"""What can be wrong with a playbook: where it is, and what it says to the person who wrote it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crm_core.errors import CrmError

KeyPath = tuple[str | int, ...]
"""A place inside a file: table keys, and indexes of arrays from 0."""


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One mistake that keeps a playbook from being applied.

    `key` is written as `lanes[2].owner` and is empty where the whole file is meant; `line`
    counts from 1 and is None where nothing better than the file is known.
    """

    file: str
    line: int | None = None
    key: str = ""
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


@dataclass(frozen=True, kw_only=True, order=True)
class Caution(Problem):
    """Something legal that is probably not meant: shown by `crm playbook check`, stops nothing."""


class PlaybookErrors(CrmError):
    """The playbook {name} has {count} to mend, the first in {first}; run `crm playbook check` to see all."""

    problems: tuple[Problem, ...]

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        super().__init__(name=name, count=count, first=str(problems[0]), problems=tuple(problems))


def key_text(path: KeyPath) -> str:
    """`("lanes", 2, "owner")` as `lanes[2].owner`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def key_path(text: str) -> KeyPath:
    """The inverse of `key_text`, for keys that hold no dot or bracket themselves."""
    return tuple(int(part[1:-1]) if part.startswith("[") else part for part in re.findall(r"\[\d+\]|[^.\[\]]+", text))
