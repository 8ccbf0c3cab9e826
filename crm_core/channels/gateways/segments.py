"""How carriers cut a long text: by it a gateway's rate is counted, as providers count it.

One text of GSM 03.38's letters holds 160, a part of a longer one 153; with any letter beyond them
it is UCS-2, 70 and 67. A letter of GSM's second table counts twice, one beyond the basic plane is
two units, and neither is cut in two. (3GPP TS 23.038 and 23.040; Twilio cuts so:
twilio.com/docs/glossary/what-sms-character-limit.)
"""

from __future__ import annotations

from collections.abc import Iterable

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("\f^{}\\[~]|€")
_GSM_ALONE, _GSM_PART = 160, 153
_UCS2_ALONE, _UCS2_PART = 70, 67
_BASIC_PLANE = 0xFFFF


def segments(text: str) -> int:
    """How many parts the text goes out in; at least one."""
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        return _parts((1 + (letter in _GSM_TWICE) for letter in text), _GSM_ALONE, _GSM_PART)
    return _parts((1 + (ord(letter) > _BASIC_PLANE) for letter in text), _UCS2_ALONE, _UCS2_PART)


def _parts(units: Iterable[int], alone: int, part: int) -> int:
    sizes = list(units)
    if sum(sizes) <= alone:
        return 1
    parts, filled = 1, 0
    for size in sizes:
        if filled + size > part:
            parts, filled = parts + 1, 0
        filled += size
    return parts
