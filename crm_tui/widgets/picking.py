"""Finding one of a few by typing parts of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def score(query: str, text: str) -> int:
    """How well `text` answers `query`, 0 for not at all; case does not count.

    Every word of the query must be found: at the start of the text (best), at the start of a
    word, anywhere, or as letters in order.
    """
    text = text.casefold()
    total = 0
    for word in query.casefold().split():
        if text.startswith(word):
            total += 100
        elif any(part.startswith(word) for part in text.replace("_", " ").split()):
            total += 60
        elif word in text:
            total += 30
        elif _in_order(word, text):
            total += 5
        else:
            return 0
    return total


def _in_order(letters: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)


def ranked(query: str, things: Iterable[T], text: Callable[[T], str]) -> list[T]:
    """The things that answer the query, best first, else in their own order; all for an empty one."""
    if not query.strip():
        return list(things)
    scored = [(score(query, text(thing)), thing) for thing in things]
    found = [one for one in scored if one[0]]
    found.sort(key=lambda one: -one[0])
    return [thing for _, thing in found]
