"""The recovery code: the master key on paper.

Eleven groups of five: 52 symbols of Crockford's base 32 for the key and three that check it.
The check is the number modulo a prime whose base-32 order exceeds the length, so every single
wrong symbol and every exchange of two symbols is caught, and all but 1 in 32,749 of the rest.
"""

from __future__ import annotations

from crm_core.errors import CrmError
from crm_core.vault.keys import KEY_BYTES, Key

_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE = {symbol: value for value, symbol in enumerate(_SYMBOLS)} | {"O": 0, "I": 1, "L": 1}
_PRIME = 32_749
_CHECK = 3
_LENGTH = 55
_GROUP = 5


class CodeMistyped(CrmError):
    """The recovery code {problem}; compare it with the paper, eleven groups of five, and type it again."""

    exit_code = 2


def recovery_code(key: Key) -> str:
    """The key as groups of five symbols, joined by hyphens, for a printer."""
    number = int.from_bytes(key)
    symbols = _encoded(number, _LENGTH - _CHECK) + _encoded(number % _PRIME, _CHECK)
    return "-".join(symbols[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def read_recovery_code(text: str) -> Key:
    """The key again. Case, blanks and hyphens do not matter; O reads as 0, I and L as 1.

    `CodeMistyped`, without what was typed, for anything else.
    """
    symbols = "".join(text.upper().split()).replace("-", "")
    if not all(symbol in _VALUE for symbol in symbols):
        raise CodeMistyped(problem="holds a character that no code has")
    if len(symbols) != _LENGTH:
        raise CodeMistyped(problem=f"has {len(symbols)} letters and digits instead of {_LENGTH}")
    number, check = _decoded(symbols[:-_CHECK]), _decoded(symbols[-_CHECK:])
    if number % _PRIME != check or number.bit_length() > KEY_BYTES * 8:
        raise CodeMistyped(problem="does not add up")
    return Key(number.to_bytes(KEY_BYTES))


def _encoded(number: int, length: int) -> str:
    return "".join(_SYMBOLS[number >> 5 * place & 31] for place in reversed(range(length)))


def _decoded(symbols: str) -> int:
    number = 0
    for symbol in symbols:
        number = number << 5 | _VALUE[symbol]
    return number
