"""How a text becomes words for the danger screen, and which listed word a misspelt one stands for."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA

LONGEST = 20_000
"""Characters of a text that are screened; ingest caps a text at the same length."""

_HIDDEN = dict.fromkeys(
    [0x00AD, 0x061C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)]
)
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´ʼ＇"))
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})
_SPELT_OUT = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .\-_*]){3,}[^\W\d_](?![^\W_])")
_CHUNK = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)?(?![^\W\d_]*\d))(?P<unit>[^\W\d_]*)|(?P<word>[^\W_]+(?:[@$*!|]+[^\W_]+)*)|(?P<stop>[.!?;:\n]+)"
)
_FIGURES = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i", "|": "i"}
)
_MANY = re.compile(r"(.)\1{2,}")
_TWICE = re.compile(r"(.)\1+")
_SHORTEST = 3
_SHORTEST_HALVED = 6
_SHORTEST_JOINED = 7
_SHORTEST_FUZZY = 4
_TWO_SLIPS = 8
_MOST_MEANINGS = 2
SENTENCE_GAP = 3
"""Positions that the end of a sentence puts between two words, so that windows rarely span it."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word or number of a text; `place` counts words, with a gap where a sentence ends."""

    word: str
    number: float | None
    place: int


def folded(text: str) -> str:
    """Lower case without accents, apostrophes and hidden characters."""
    text = unicodedata.normalize("NFKC", text[:LONGEST]).translate(_HIDDEN).casefold().translate(_APOSTROPHES)
    if text.isascii():
        return text
    marks = unicodedata.normalize("NFD", text)
    return "".join(each for each in marks if unicodedata.category(each) != "Mn").translate(_STROKES)


def tokens(text: str, numbers: Mapping[str, float], known: Iterable[str] = ()) -> list[Token]:
    """The words and numbers of `text`, already folded; `numbers` are number words.

    A figure inside a word is read as the letter it looks like; "104f" is a number and a unit,
    unless the whole is one of the words `known` ("5uicide").
    """
    text = _SPELT_OUT.sub(lambda run: re.sub(r"[ .\-_*]", "", run[0]), text)
    found: list[Token] = []
    place = 0
    for chunk in _CHUNK.finditer(text):
        if chunk["stop"]:
            place += SENTENCE_GAP
            continue
        if chunk["number"]:
            plain = (chunk["number"] + chunk["unit"]).translate(_FIGURES)
            if len(chunk["unit"]) >= _SHORTEST and plain in known:
                found.append(Token(plain, None, place))
            else:
                figure = chunk["number"]
                found.append(Token(figure, float(figure.replace(",", ".")), place))
                if chunk["unit"]:
                    place += 1
                    found.append(Token(chunk["unit"], None, place))
        else:
            word = chunk["word"]
            if not word.isalpha():
                word = word.replace("*", "").translate(_FIGURES)
            found.append(Token(word, numbers.get(word), place))
        place += 1
    return found


def forms(word: str) -> tuple[str, ...]:
    """`word` as written, and with letters that are drawn out ("heeelp") set back."""
    if not _MANY.search(word):
        return (word,)
    return (word, _MANY.sub(r"\1\1", word), _MANY.sub(r"\1", word))


def errors_allowed(length: int) -> int:
    """How many slips a listed word of `length` letters may show and still be recognised."""
    return 0 if length < _SHORTEST_FUZZY else 1 if length < _TWO_SLIPS else 2


class Speller:
    """Which words of a list a written word may stand for.

    `fuzzy` words are recognised with slips: a letter missing, added, changed, two swapped,
    letters doubled, or one of the pairs in `respell` for another. `exact` words only as
    written. `everyday` words are what they are, and never a slip for another.
    """

    def __init__(
        self,
        *,
        fuzzy: Iterable[str],
        exact: Iterable[str],
        everyday: Iterable[str],
        glue: Iterable[str],
        misspelt: Mapping[str, str],
        respell: Iterable[tuple[str, str]],
    ) -> None:
        self.fuzzy = frozenset(fuzzy)
        self.exact = frozenset(exact)
        self._everyday = frozenset(everyday)
        self._glue = frozenset(glue)
        self._misspelt: dict[str, set[str]] = {}
        for right, wrongs in misspelt.items():
            for wrong in wrongs.split():
                self._misspelt.setdefault(wrong, set()).add(right)
        self._respell = tuple(respell)
        self._by_sound: dict[str, set[str]] = {}
        self._by_cut: dict[str, set[str]] = {}
        for word in self.fuzzy:
            allowed = errors_allowed(len(word))
            if allowed:
                self._by_sound.setdefault(self._sound(word), set()).add(word)
                for cut in _cuts(word, allowed):
                    self._by_cut.setdefault(cut, set()).add(word)
        self.stands_for = functools.lru_cache(maxsize=65_536)(self._stands_for)
        self.parts = functools.lru_cache(maxsize=65_536)(self._parts)

    def _sound(self, word: str) -> str:
        for written, read in self._respell:
            word = word.replace(written, read)
        return _TWICE.sub(r"\1", word)

    def _stands_for(self, word: str) -> frozenset[str]:
        """The listed words that `word` may be; none but itself where it is listed or everyday."""
        ways = forms(word)
        found = {way for way in ways if way in self.fuzzy or way in self.exact}
        found = found.union(*(self._misspelt.get(way, ()) for way in ways))
        if word[-1] == "s" and len(word) > _SHORTEST and word[:-1] in self.fuzzy and word not in self._everyday:
            found.add(word[:-1])
        if found or len(word) < _SHORTEST or any(way in self._everyday for way in ways):
            return frozenset(found)
        word = ways[-1]
        found = set(self._by_sound.get(self._sound(word), ())) if len(word) >= _SHORTEST_FUZZY else set()
        candidates: set[str] = set()
        for cut in _cuts(word, 2 if len(word) >= _TWO_SLIPS - 1 else 1):
            candidates |= self._by_cut.get(cut, set())
        slips = {candidate: _slips(word, candidate) for candidate in candidates}
        fewest = min((count for count in slips.values() if count is not None), default=None)
        nearest = {candidate for candidate, count in slips.items() if count == fewest is not None}
        if len(word) == _SHORTEST_FUZZY and len(nearest) > _MOST_MEANINGS:
            nearest = set()
        return frozenset(found | nearest)

    def _parts(self, word: str) -> tuple[str, ...]:
        """The words that `word` runs together ("cantbreathe"), one of them listed; or nothing."""
        word = forms(word)[-1]
        if len(word) < _SHORTEST_JOINED or word in self._everyday or self.stands_for(word):
            return ()
        parts = self._split(word)
        listed = sum(len(part) for part in parts if len(part) > _SHORTEST_FUZZY - 1 and part in self.fuzzy)
        return parts if listed * 2 >= len(word) else ()

    def _split(self, word: str) -> tuple[str, ...]:
        if self._is_part(word):
            return (word,)
        for at in range(len(word) - 1, 0, -1):
            if self._is_part(word[:at]) and (rest := self._split(word[at:])):
                return word[:at], *rest
        return ()

    def _is_part(self, word: str) -> bool:
        return word in self._glue or (len(word) >= _SHORTEST and word in self.fuzzy)

    def is_halved(self, head: str, tail: str) -> bool:
        """Whether `head` and `tail` are a listed word written as two ("sui cide")."""
        whole = head + tail
        return (
            len(whole) >= _SHORTEST_HALVED and whole in self.fuzzy and not (head in self._glue and tail in self._glue)
        )


def _cuts(word: str, count: int) -> set[str]:
    """`word`, and `word` without any one or two of its letters: equal cuts mean few slips apart."""
    once = {word[:at] + word[at + 1 :] for at in range(len(word))}
    if count > 1:
        once |= {cut[:at] + cut[at + 1 :] for cut in once for at in range(len(cut))}
    return once | {word}


def _slips(word: str, listed: str) -> int | None:
    """How many slips lead from `listed` to `word`; None where they are too many."""
    allowed = errors_allowed(len(listed))
    slips = OSA.distance(word, listed, score_cutoff=allowed)
    if slips > allowed or (slips > 1 and word[0] != listed[0]):
        return None
    if len(listed) == _SHORTEST_FUZZY and (len(word) != len(listed) or sorted(word) != sorted(listed)):
        return None
    return slips
