"""What may reach a terminal: text from outside is shown as text and never obeyed.

Two fences. `plain` makes data safe before it is laid out: a control or bidi character becomes
`�`, so that the reader sees that something stood there. `SafeText` is the last fence, a line
filter over everything that is rendered, whoever forgot `plain`; it keeps the width of what it
changes, because the layout is settled by then.

Joiners, variation selectors and skin tones are left out on the screen (the store keeps them):
terminals disagree with Rich about the width of what they change, and a row must be as wide as
it was measured. The price is that a family of emoji shows as its members.
"""

from __future__ import annotations

import unicodedata
from enum import Enum
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from typing_extensions import override

MARK = "\N{REPLACEMENT CHARACTER}"
"""Stands where a character was that must not reach the terminal."""

_MOST_MARKS = 4
"""Characters without width kept after one with width; more would paint over other rows."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SHOWN_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_CHANGERS = (range(0x1F3FB, 0x1F400), range(0xFE00, 0xFE10), range(0xE0000, 0xE1000))
"""Skin tones, variation selectors, and plane 14 with its tags."""
_ZWNJ = "\u200c"


class _Kind(Enum):
    KEPT = 0
    WIDTHLESS = 1
    UNSAFE = 2
    INVISIBLE = 3
    BREAK = 4


def _is_non_character(code: int) -> bool:
    """Whether Unicode promises never to assign it; what is only not assigned yet is kept."""
    return code in range(0xFDD0, 0xFDF0) or code % 0x10000 in (0xFFFE, 0xFFFF)


@lru_cache(maxsize=4096)
def _kind(character: str) -> _Kind:
    """What one non-ASCII or control character is to a terminal."""
    code = ord(character)
    if character in "\n\u2028\u2029":
        return _Kind.BREAK
    category = unicodedata.category(character)
    if category in ("Cc", "Cs") or character in _BIDI or (category == "Cn" and _is_non_character(code)):
        return _Kind.UNSAFE
    if character in _BLANKS or any(code in changers for changers in _CHANGERS):
        return _Kind.INVISIBLE
    if category == "Cf" and character not in _SHOWN_FORMATS:
        return _Kind.INVISIBLE
    return _Kind.KEPT if get_character_cell_size(character) else _Kind.WIDTHLESS


def _joins_letters(text: str, index: int) -> bool:
    """Whether the ZWNJ at `index` stands between two letters, as Persian spelling needs."""
    around = (text[index - 1 : index], text[index + 1 : index + 2])
    return all(one and unicodedata.category(one)[0] in "LM" for one in around)


def _rebuild(text: str, *, mark: str, line_break: str) -> str:
    kept: list[str] = []
    widthless = 0
    for index, character in enumerate(text):
        kind = _kind(character)
        if kind is _Kind.KEPT:
            widthless = 0
            kept.append(character)
        elif kind is _Kind.WIDTHLESS:
            widthless += 1
            if kept and widthless <= _MOST_MARKS:
                kept.append(character)
        elif kind is _Kind.UNSAFE:
            kept.append(mark)
        elif kind is _Kind.BREAK:
            widthless = 0
            kept.append(line_break)
        elif character == _ZWNJ and _joins_letters(text, index):
            kept.append(character)
    return "".join(kept)


@lru_cache(maxsize=2048)
def _visible(text: str, line_break: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return _rebuild(text, mark=MARK, line_break=line_break)


@lru_cache(maxsize=2048)
def _same_width(text: str) -> str:
    safe = _rebuild(text, mark="", line_break="")
    width = cell_len(text)
    return safe if cell_len(safe) == width else set_cell_size(safe, width)


def visible(text: str) -> str:
    """`text` over as many lines as it has, with nothing in it that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return _visible(text, "\n")


def one_line(text: str) -> str:
    """`visible(text)` on one line: each line break becomes a space."""
    if text.isascii() and text.isprintable():
        return text
    return _visible(text, " ")


def plain(text: str, style: str = "") -> Content:
    """Data as content: never markup, never an escape sequence, in one style if given.

    This is the only way by which a value from the store becomes something a widget shows.
    """
    return Content.styled(visible(text), style) if style else Content(visible(text))


def forget() -> None:
    """Empty the caches, which hold what was shown; called when the console locks."""
    _visible.cache_clear()
    _same_width.cache_clear()


class SafeText(LineFilter):
    """The last fence before the driver: no control, bidi or invisible character passes.

    ASCII is passed by one test; the rest is cached by its text.
    """

    @override
    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments where all are safe, else with the unsafe ones rewritten."""
        for text, _, _ in segments:
            if not (text.isascii() and text.isprintable()):
                break
        else:
            return segments
        return [
            segment
            if segment.text.isascii() and segment.text.isprintable()
            else Segment(_same_width(segment.text), segment.style, segment.control)
            for segment in segments
        ]
