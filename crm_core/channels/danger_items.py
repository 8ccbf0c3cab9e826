"""The items of a danger list: how one is written, and where it stands in a text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BRACES = re.compile(r"\{([^{}]*)\}")
_NUMBER = re.compile(r"#(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$")
_WORD = re.compile(r"=?[a-z0-9]+$")
GAP = 2
"""A word of an item stands at most this many places after the one before it."""
WIDE_GAP = 6
"""The same, after `..`."""
NUMBER = "#"
"""What stands for a number in the index of first words."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of an item: the words and number ranges that fit; `reach` from the place before.

    `exact` are those of the words that no resemblance may stand for. A context (`~`)
    must be there but keeps its own meaning when the item is an idiom.
    """

    words: frozenset[str]
    exact: frozenset[str]
    ranges: tuple[tuple[float, float], ...]
    reach: int
    is_context: bool

    def fits(self, stands_for: frozenset[str], number: float | None) -> bool:
        """Whether a token that stands for these words, or is this number, fills the slot."""
        if not self.words.isdisjoint(stands_for):
            return True
        return number is not None and any(low <= number <= high for low, high in self.ranges)

    def firsts(self) -> frozenset[str]:
        """What the slot is indexed by, when it opens an item."""
        return self.words | {NUMBER} if self.ranges else self.words


def parse_item(text: str, *, adjoining: bool = False) -> tuple[Slot, ...]:
    """The slots of one item; ValueError says what is wrong with it.

    With `adjoining` no word may stand between, as in idioms.
    """
    slots: list[Slot] = []
    near = 1 if adjoining else GAP
    reach = near
    for part in text.removeprefix("!").split():
        if part == "..":
            reach = WIDE_GAP
            continue
        is_context = part[0] == "~"
        if part[0] == "+":
            reach = 1
        words: set[str] = set()
        exact: set[str] = set()
        ranges: list[tuple[float, float]] = []
        for word in (word for choice in part.lstrip("~+").split("|") for word in _expanded(choice)):
            if number := _NUMBER.match(word):
                ranges.append((float(number[1]), float(number[2])))
            elif _WORD.match(word):
                words.add(word.lstrip("="))
                if word[0] == "=":
                    exact.add(word[1:])
            else:
                raise ValueError(f"{word!r} in {text!r} is no word of plain small letters and no #low-high")
        slots.append(Slot(frozenset(words), frozenset(exact), tuple(ranges), reach, is_context))
        reach = near
    if not slots:
        raise ValueError(f"{text!r} holds no word")
    return tuple(slots)


def _expanded(choice: str) -> Iterator[str]:
    """`sangr{o,a}` as sangr, sangro, sangra."""
    pieces = [["", *piece.split(",")] if at % 2 else [piece] for at, piece in enumerate(_BRACES.split(choice))]
    return ("".join(parts) for parts in itertools.product(*pieces))


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands: the indices of its words, and the places of the first and last."""

    words: tuple[int, ...]
    start: int
    end: int

    def distance(self, other: Span) -> int:
        """Places between two spans; 1 when they adjoin, 0 when one reaches into the other."""
        return max(0, self.start - other.end, other.start - self.end)

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a word."""
        return not set(self.words).isdisjoint(other.words)


def find(
    slots: Sequence[Slot],
    at: int,
    stands: Sequence[frozenset[str]],
    numbers: Sequence[float | None],
    places: Sequence[int],
) -> Span | None:
    """Where the item whose first slot is filled by token `at` stands; the first way it fits."""
    words = [at]
    for slot in slots[1:]:
        limit = places[words[-1]] + slot.reach
        follower = words[-1] + 1
        while follower < len(stands) and places[follower] <= limit:
            if slot.fits(stands[follower], numbers[follower]):
                break
            follower += 1
        else:
            return None
        words.append(follower)
    return Span(tuple(words), places[at], places[words[-1]])
