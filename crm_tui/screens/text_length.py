"""How long a reply is as its reader's phone counts it."""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The characters of GSM 03.38 that take one place."""
_ESCAPED = frozenset("^{}\\[~]|€")
"""Those that take two."""

_PLAIN = (160, 153)
_WIDE = (70, 67)
"""Places in one text, and in each of several: 7-bit, and UTF-16 where any other character is in it."""


def texts_needed(text: str) -> tuple[int, int]:
    """How many texts `text` takes, and how many characters the last one has left."""
    if all(one in _BASIC or one in _ESCAPED for one in text):
        places, (single, each) = len(text) + sum(one in _ESCAPED for one in text), _PLAIN
    else:
        places, (single, each) = len(text.encode("utf-16-le")) // 2, _WIDE
    if places <= single:
        return 1, single - places
    count = -(-places // each)
    return count, count * each - places


def said_length(text: str) -> str:
    """`1 text, 31 left`."""
    count, left = texts_needed(text)
    return f"{count} text{'s' if count > 1 else ''}, {left} left"
