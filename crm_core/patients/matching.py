"""How well a typed word fits a name; both folded as vault/tokens.py folds them."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz

from crm_core.vault.tokens import name_words

SIMILAR = 75.0
"""rapidfuzz ratio from which a name counts as a misspelling: `smyth` for `smith` has 80."""


def name_parts(family: str | None, given: str | None) -> tuple[str, ...]:
    """The folded words of a name, and those written as one: `Smith-Jones` is also smithjones."""
    words = [name_words(text) for text in (family, given) if text]
    return tuple(word for each in words for word in each) + tuple("".join(each) for each in words if len(each) > 1)


def closeness(word: str, parts: Iterable[str]) -> float:
    """1 where a part is the word, less where it only begins with it, 0 where neither."""
    return max((len(word) / len(part) for part in parts if part.startswith(word)), default=0.0)


def similarity(word: str, parts: Iterable[str]) -> float:
    """As `closeness`, but half and less for a part that is merely spelt like the word."""
    known = tuple(parts)
    close = closeness(word, known)
    alike = max((fuzz.ratio(word, part) for part in known), default=0.0)
    return close or (alike / 200 if alike >= SIMILAR else 0.0)
