"""What a command prints: one JSON document, or tables a person can read.

A command builds its document once, out of dicts, lists and our own values; both forms are
made from it, so that what a script sees and what a person sees cannot drift apart. Every
string passes the cleaner: text from data reaches a terminal as text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import PurePath
from time import monotonic
from typing import Any, TextIO

_REDRAW_EVERY = 0.2
_LONG_CELL = 72
"""Letters in a cell beyond which a table would run off the screen."""
_LONG_LAST = 96
"""The same for the last column, beside which nothing stands."""


def clean(text: str) -> str:
    """`text` as it may reach a terminal, line breaks kept."""
    from crm_core.cleaning import inert

    return "\n".join(inert(line) for line in text.split("\n"))


def plain(value: Any) -> Any:  # noqa: PLR0911 - one return for each kind of value
    """`value` as JSON has it: times in ISO 8601 UTC, enums as their words, strings cleaned."""
    match value:
        case None | bool() | int() | float():
            return value.value if isinstance(value, Enum) else value
        case Enum():
            return plain(value.value)
        case str():
            return clean(str(value))
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case PurePath():
            return clean(str(value))
        case Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case set() | frozenset():
            return sorted(plain(item) for item in value)
        case Sequence() | Iterator():
            return [plain(item) for item in value]
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _line(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
    except UnicodeEncodeError:  # a terminal that does not speak UTF-8 gets what it can show
        spoken = sys.stdout.encoding
        sys.stdout.write(text.encode(spoken, "replace").decode(spoken) + "\n")


def print_json(document: Any) -> None:
    """One JSON document on stdout and nothing else."""
    spoken = (sys.stdout.encoding or "").lower().replace("-", "")
    json.dump(plain(document), sys.stdout, ensure_ascii=spoken != "utf8", indent=2)
    sys.stdout.write("\n")


def print_people(document: Any, empty: str = "Nothing to show.") -> None:
    """The same document as a person reads it: a list as a table, a dict as lines."""
    if document is None or document == []:
        _line(empty)
    elif isinstance(document, Mapping):
        _record(document, "")
    elif isinstance(document, Sequence) and not isinstance(document, str):
        _table(document, "")
    else:
        _line(_cell(document))


def _record(record: Mapping[str, Any], indent: str) -> None:
    """A line a value; what is not known, or empty, is left out."""
    known = {_title(key): value for key, value in record.items() if value is not None and value != []}
    width = max((len(title) for title in known), default=0)
    for title, value in known.items():
        if _is_rows(value):
            _line(f"{indent}{title}")
            _table(value, indent + "  ")
        elif isinstance(value, Mapping) and value:
            _line(f"{indent}{title}")
            _record(value, indent + "  ")
        elif lines := _lines_of(value):
            _line(f"{indent}{title}")
            for line in lines:
                _line(f"{indent}  {line}")
        else:
            _line(f"{indent}{title:<{width}}  {_cell(value)}".rstrip())


def _lines_of(value: Any) -> list[str]:
    """A long text, or a list of sentences, as lines of their own; empty for what fits beside its title."""
    if isinstance(value, str):
        return clean(value).split("\n") if "\n" in value or len(value) > _LONG_CELL else []
    if isinstance(value, list | tuple) and len(_cell(value)) > _LONG_CELL:
        return [_cell(item) for item in value]
    return []


def _is_rows(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _table(rows: Sequence[Any], indent: str) -> None:
    if not all(isinstance(row, Mapping) for row in rows):
        for row in rows:
            _line(f"{indent}{_cell(row)}")
        return
    from rich.cells import cell_len

    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [[_title(column) for column in columns]]
    lines += [[_cell(row.get(column)) for column in columns] for row in rows]
    if any(len(cell) > _LONG_CELL for line in lines for cell in line[:-1]) or any(
        len(line[-1]) > _LONG_LAST for line in lines
    ):
        _stack(rows, indent)
        return
    widths = [max(cell_len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        _line((indent + "  ".join(cells)).rstrip())


def _stack(rows: Sequence[Mapping[str, Any]], indent: str) -> None:
    """Rows too wide for a table, one below the other."""
    for number, row in enumerate(rows):
        if number:
            _line("")
        _record(row, indent)


def _title(key: str) -> str:
    return clean(key.replace("_", " "))


def _cell(value: Any) -> str:
    """One value on one line; times in this host's zone."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M")
        case Mapping():
            return ", ".join(f"{_title(str(key))} {_cell(item)}" for key, item in value.items()) or "–"
        case list() | tuple() | set() | frozenset():
            return ", ".join(_cell(item) for item in value) or "–"
    return " ".join(str(plain(value)).split())


@dataclass
class Progress:
    """A count that grows, drawn on stderr while that is a terminal."""

    label: str
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _started: float = field(default_factory=monotonic)
    _drawn: float = 0.0

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say that `done` (of `total`) are through."""
        now = monotonic()
        if not self.stream.isatty() or now - self._drawn < _REDRAW_EVERY:
            return
        self._drawn = now
        rate = done / max(now - self._started, 0.001)
        share = f" of {total:,} ({100 * done // total} %)" if total else ""
        self.stream.write(f"\r\x1b[K{self.label}: {done:,}{share}, {rate:,.0f}/s")
        self.stream.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._drawn:
            self.stream.write("\r\x1b[K")
            self.stream.flush()


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """A `Progress` that cleans up after itself, whatever happens."""
    line = Progress(clean(label))
    try:
        yield line
    finally:
        line.end()
