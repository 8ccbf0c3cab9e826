"""How many segments a text message takes: GSM 7-bit where its alphabet suffices, else UCS-2.

Figures from 3GPP TS 23.038 and 23.040: a single segment holds 160 septets or 70 UTF-16 units;
a longer text gives up 7 septets, or 3 units, of each segment to the header that joins them.
"""

from __future__ import annotations

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_LAST_IN_ONE_UNIT = "\uffff"


@dataclass(frozen=True, kw_only=True)
class Segments:
    """`units` are septets (GSM 7-bit) or UTF-16 code units; `odd` are the characters that force UCS-2."""

    count: int
    units: int
    odd: tuple[str, ...]

    @property
    def encoding(self) -> str:
        """`UCS-2` as soon as one character is outside the GSM alphabet."""
        return "UCS-2" if self.odd else "GSM-7"


def segments(text: str) -> Segments:
    """Count `text` as carriers bill it. A character is never cut in two, so both parts of a pair stay together."""
    odd = tuple(sorted({char for char in text if char not in _BASIC and char not in _EXTENDED}))
    if odd:
        sizes = [2 if char > _LAST_IN_ONE_UNIT else 1 for char in text]
        single, joined = 70, 67
    else:
        sizes = [2 if char in _EXTENDED else 1 for char in text]
        single, joined = 160, 153
    units = sum(sizes)
    if units <= single:
        return Segments(count=1 if units else 0, units=units, odd=odd)
    count, room = 1, joined
    for size in sizes:
        if size > room:
            count, room = count + 1, joined
        room -= size
    return Segments(count=count, units=units, odd=odd)
