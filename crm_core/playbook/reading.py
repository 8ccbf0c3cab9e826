"""From a folder of files to data: reading, and parsing TOML with or without a body."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from crm_core.playbook.lines import lines_of
from crm_core.playbook.problems import KeyPath, Problem

_FENCE = "+++"
LONGEST_FILE = 1_000_000
"""Bytes; the longest shipped word list is a fiftieth of it."""
MOST_ENTRIES = 2_000
"""Files and folders looked at before a folder is taken for something other than a playbook."""
_AT = re.compile(r" \(at line (\d+), column \d+\)$")


def read_texts(directory: Traversable | Path) -> tuple[dict[str, str], list[Problem]]:
    """Every file below `directory` by its path with slashes, as text with plain newlines.

    Names that begin with a dot or two underscores are not the clinic's and are passed over.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    if not directory.is_dir():
        return {}, [Problem(file=str(directory), message="is not a folder; name the folder that holds clinic.toml")]
    for number, (path, file) in enumerate(_walk(directory, "")):
        if number == MOST_ENTRIES:
            said = f"holds more than {MOST_ENTRIES:,} files and folders; name the folder that holds clinic.toml"
            return {}, [Problem(file=str(directory), message=said)]
        if file.is_dir():
            continue
        found = read_text(path, file)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            texts[path] = found
    return texts, problems


def read_text(path: str, file: Traversable | Path) -> str | Problem:
    """One file as text with plain newlines, under the name `path` where something is wrong with it."""
    if not file.is_file():
        there = file.is_dir() or (isinstance(file, Path) and file.exists())
        return Problem(file=path, message="is not a file" if there else "is not there")
    try:
        with file.open("rb") as opened:
            data = opened.read(LONGEST_FILE + 1)
        if len(data) > LONGEST_FILE:
            return Problem(file=path, message=f"is longer than {LONGEST_FILE:,} bytes")
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        return Problem(file=path, message=f"is not UTF-8 text (byte {error.start}); save it as UTF-8")
    except OSError as error:
        return Problem(file=path, message=f"cannot be read ({error.strerror or 'unknown error'})")


def _walk(directory: Traversable | Path, prefix: str) -> Iterator[tuple[str, Traversable | Path]]:
    for entry in sorted(directory.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith((".", "__")):
            continue
        yield prefix + entry.name, entry
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")


def parse(file: str, text: str) -> dict[str, Any] | Problem:
    """The data of one file: a TOML document, or a Markdown one's front matter with `body` and `file`."""
    if not file.endswith(".md"):
        return _parse_toml(file, text, skipped=0)
    matter, body = _split(text)
    if matter is None:
        return Problem(file=file, line=1, message=f"must begin with TOML between two lines of {_FENCE}")
    data = _parse_toml(file, matter, skipped=1)
    if isinstance(data, Problem):
        return data
    for name in ("body", "file"):
        if name in data:
            return Problem(file=file, key=name, line=line_of(file, text, (name,)), message="is not a known key")
    return {**data, "file": file, "body": body}


def line_of(file: str, text: str, path: KeyPath) -> int | None:
    """The line of `path`, or of the nearest thing around it; None where there is none."""
    skipped = 0
    if file.endswith(".md"):
        text, skipped = _split(text)[0] or "", 1
    found = lines_of(text)
    while path and path not in found:
        path = path[:-1]
    return found[path] + skipped if path else None


def _split(text: str) -> tuple[str | None, str]:
    """Front matter and body; None for the first where the fences are missing."""
    if not text.startswith(_FENCE + "\n"):
        return None, text
    matter, fence, body = text[len(_FENCE) + 1 :].partition(f"\n{_FENCE}\n")
    if not fence and matter.endswith("\n" + _FENCE):
        matter, fence = matter.removesuffix("\n" + _FENCE), _FENCE
    return (matter + "\n", body.strip("\n")) if fence else (None, text)


def _parse_toml(file: str, text: str, skipped: int) -> dict[str, Any] | Problem:
    try:
        return tomllib.loads(text)
    except RecursionError:
        return Problem(file=file, message="is not TOML that can be read: it is nested too deeply")
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _AT.search(message)
        line = int(place[1]) + skipped if place else text.rstrip("\n").count("\n") + 1 + skipped
        return Problem(file=file, line=line, message=f"is not TOML: {_AT.sub('', message)}")
