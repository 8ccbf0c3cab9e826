"""Text from outside made safe: nothing in it can drive a terminal, hide, or turn the reading order.

`clean` is for ingest (the raw text stays sealed elsewhere), `single_line` for names and
subjects, `inert` for a line about to be shown. What is taken out leaves the printable rest: of
a clipboard escape only its harmless letters remain.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 20_000
"""Characters of a message that are kept; more than a hundred texts, or seven pages."""

MARK = "\N{REPLACEMENT CHARACTER}"
"""Stands where `inert` took something out."""

_PLAIN = re.compile(r"[\n\x20-\x7e]*\Z")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BETWEEN = frozenset("\u200c\u200d")
"""Non-joiner and joiner: Persian, Indic scripts and families of emoji need them."""
_SELECTORS = frozenset(chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that are letters by category and nothing to the eye."""
_MOST_MARKS = 4
"""Combining marks kept on one letter: enough for Vietnamese, Hebrew and Thai, not for Zalgo."""
_KEYCAP = "\u20e3"
_JOINABLE = frozenset("LMS")
_JOINABLE_ON = _JOINABLE | {"selector"}
_PRIVATE = range(0xE000, 0xF900)
_PLANE_14_ON = 0xE0000
_LAST_TWO_OF_A_PLANE = 0xFFFE


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """A text fit to keep and show; `hidden` counts what was taken out of it."""

    text: str
    hidden: int = 0
    truncated: bool = False


def clean(text: str) -> Cleaned:
    """`text` without control, bidi, zero-width and tag characters, in NFC, at most LONGEST long.

    Line ends of every kind become a line feed and tabs a space, which hides nothing and is not
    counted.
    """
    if _PLAIN.match(text):
        return Cleaned(text=text[:LONGEST], truncated=len(text) > LONGEST)
    truncated = len(text) > LONGEST
    kept, hidden = _kept(_BREAKS.sub("\n", text[:LONGEST]).replace("\t", " "), "")
    normal = unicodedata.normalize("NFC", kept)
    return Cleaned(text=normal[:LONGEST], hidden=hidden, truncated=truncated or len(normal) > LONGEST)


def single_line(text: str) -> str:
    """`text` cleaned, on one line, with runs of white space as one space: for names and subjects."""
    return " ".join(clean(text).text.split())


def inert(text: str) -> str:
    """One line as it may be shown: what would drive the terminal or hide becomes a visible mark.

    A line break or tab becomes a space.
    """
    if text.isascii() and text.isprintable():
        return text
    return _kept(_BREAKS.sub(" ", text).replace("\n", " ").replace("\t", " "), MARK)[0]


def _kept(text: str, mark: str) -> tuple[str, int]:
    """What of `text` is shown as itself, the rest replaced by `mark`; and how much that was."""
    kept: list[str] = []
    before = ""
    hidden = marks = 0
    for each, after in zip(text, text[1:] + "\0", strict=True):
        kind = _kind(each)
        marks = marks + 1 if kind == "M" else 0
        if kind == "joiner":
            keep = before in _JOINABLE_ON and _kind(after) in _JOINABLE
        elif kind == "selector":
            keep = before in _JOINABLE or (before == "P" and after == _KEYCAP)
        elif kind == "M":
            keep = before != "" and marks <= _MOST_MARKS
        else:
            keep = kind != ""
        if keep:
            kept.append(each)
        else:
            hidden += 1
            kept.append(mark)
        before = kind if keep else ""
    return "".join(kept), hidden


@lru_cache(maxsize=8192)
def _kind(character: str) -> str:
    """L, M, S for what a joiner may stand between, P for what else is shown, "" for what never is."""
    if character == "\n":
        return "P"
    if character in _BETWEEN:
        return "joiner"
    if character in _SELECTORS:
        return "selector"
    category = unicodedata.category(character)
    if category[0] == "C" or category in ("Zl", "Zp") or character in _BLANK_LETTERS:
        return "P" if category in ("Co", "Cn") and not _is_never_assigned(ord(character)) else ""
    return category[0] if category[0] in _JOINABLE else "P"


def _is_never_assigned(code: int) -> bool:
    """Non-characters, tags and their plane, private planes; other unassigned codes may be new letters."""
    if code in _PRIVATE or code >= _PLANE_14_ON:
        return True
    return code in range(0xFDD0, 0xFDF0) or code & _LAST_TWO_OF_A_PLANE == _LAST_TWO_OF_A_PLANE
