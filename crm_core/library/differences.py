"""What two versions of a template say differently, as a person reads it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from crm_core.library.files import as_file
from crm_core.library.model import TemplateView


class Change(StrEnum):
    """What became of a line."""

    SAME = " "
    GONE = "-"
    NEW = "+"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of either version."""

    change: Change
    text: str


def differences(before: TemplateView, after: TemplateView) -> list[Line]:
    """The lines of both files in order, each once; a changed one is gone and new."""
    return list(_lines(as_file(before).splitlines(), as_file(after).splitlines()))


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    for tag, one, other, three, four in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (Line(change=Change.SAME, text=text) for text in before[one:other])
            continue
        yield from (Line(change=Change.GONE, text=text) for text in before[one:other])
        yield from (Line(change=Change.NEW, text=text) for text in after[three:four])
