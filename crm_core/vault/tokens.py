"""Blind tokens: keyed hashes by which sealed values are found.

Exact tokens lie in 2⁶²…2⁶³−1, name tokens in 0…65,535: both fit one BIGINT column or one
full-text index, never meet, and are never negative (a full-text tokenizer drops the sign).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from crm_core.vault.keys import Key

PREFIXES = range(3, 7)
"""Lengths of the name prefixes that are indexed."""

_EXACT_LOW = 1 << 62
_ASCII_WORD = re.compile(r"[0-9A-Za-z'`.]+")
"""What `_joins` makes of plain ASCII, twice as fast: an import and a search split every name."""
# Letters that Unicode does not decompose, as people type them without the right keyboard.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})


class TokenKind(StrEnum):
    """Kinds of exact value; the same text under two kinds gives two tokens."""

    MRN = "mrn"
    PHONE = "phone"
    LAST_FOUR = "last_four"
    EMAIL = "email"
    BIRTH_DATE = "birth_date"


class Tokens:
    """Makes tokens under one key; safe for many threads. BLAKE2b, keyed and personalised."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._names = hashlib.blake2b(key=key, digest_size=2, person=b"crm name")
        self._kinds: dict[str, hashlib.blake2b] = {}

    def exact(self, kind: str, value: str) -> int:
        """The token of a whole value.

        A phone number is given in E.164, a birth date as ISO 8601; case and outer blanks of
        an email address or MRN do not matter.
        """
        prepared = self._kinds.get(kind) or self._prepare(kind)
        hasher = prepared.copy()
        hasher.update(normal(kind, value).encode("utf-8", "surrogatepass"))
        return _EXACT_LOW | int.from_bytes(hasher.digest()) >> 2

    def name(self, text: str) -> int:
        """The 16-bit token of a name part or the beginning of one; accents and case do not matter."""
        hasher = self._names.copy()
        hasher.update(fold_name(text).encode("utf-8", "surrogatepass"))
        return int.from_bytes(hasher.digest())

    def names(self, parts: Iterable[str]) -> frozenset[int]:
        """The tokens a person with these name parts is found by."""
        tokens = set()
        for piece in {piece for part in parts for piece in _pieces(part)}:
            hasher = self._names.copy()
            hasher.update(piece.encode("utf-8", "surrogatepass"))
            tokens.add(int.from_bytes(hasher.digest()))
        return frozenset(tokens)

    def fingerprint(self, data: bytes) -> bytes:
        """16 bytes that are equal for equal data: for "has this changed?"."""
        return hashlib.blake2b(data, key=self._key, digest_size=16, person=b"crm print").digest()

    def _prepare(self, kind: str) -> hashlib.blake2b:
        prepared = hashlib.blake2b(key=self._key, digest_size=8, person=b"crm exact")
        prepared.update(kind.encode() + b"\0")
        self._kinds[kind] = prepared
        return prepared


def normal(kind: str, value: str) -> str:
    """`value` as it is hashed: what people write in several ways, in one."""
    value = unicodedata.normalize("NFC", value.strip())
    return value.casefold() if kind in (TokenKind.EMAIL, TokenKind.MRN) else value


def fold_name(text: str) -> str:
    """A name's letters and digits alone, without case, accents and compatibility forms."""
    if text.isascii():
        return "".join(filter(str.isalnum, text.lower()))
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_PLAIN)
    return "".join(filter(str.isalnum, folded))


def name_words(part: str) -> list[str]:
    """A name part's words, folded: `Smith-Jones` and `De la Cruz` are several, `O'Brien` is one."""
    if part.isascii():
        words = _ASCII_WORD.findall(part)
    else:
        words = "".join(mark if _joins(mark) else " " for mark in part).split()
    return [folded for word in words if (folded := fold_name(word))]


def _joins(mark: str) -> bool:
    """Whether a character stands inside a word: letters, digits, accents, apostrophes and points."""
    return mark.isalnum() or mark in "'’ʼ`." or unicodedata.category(mark).startswith("M")


def sought(word: str) -> str:
    """What to look up for a typed word: its longest beginning that is indexed, folded.

    The candidates are opened and checked against the whole word afterwards.
    """
    return fold_name(word)[: PREFIXES[-1]]


def _pieces(part: str) -> set[str]:
    """What is indexed of one name part: each word, the words joined, and their beginnings."""
    words = name_words(part)
    wholes = {*words, "".join(words)} - {""}
    return wholes | {whole[:length] for whole in wholes for length in PREFIXES if length <= len(whole)}
