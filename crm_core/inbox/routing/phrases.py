"""Finding the playbook's words and phrases in a message: every list at once, in one pass.

How an entry of a word list is written:

    refill              the word, also as refills, refilled, refilling; case, accents and
                        apostrophes do not matter
    x-ray, chest pain   words in a row
    lab|blood result    either word at that place
    cancel .. visit     up to three other words between
    *itis, cardio*      any word that ends, or begins, so (at least two more letters)

A list's `but_not` entries hide what they cover from that list only: with `but_not = ["pain pill"]`
the list that holds `pain` does not see it in "my pain pills".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

GAP = ".."
_GAP_WORDS = 3
_WORDS_READ = 2_000
_MORE_LETTERS = 2
_SHORTEST_INFLECTED = 4
_SHORTEST_STEM = 3
_WORD = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]\w*")
_APOSTROPHES = re.compile(r"(?<=\w)['’‘ʼ`´](?=\w)")

Span = tuple[int, int]
_Places = tuple[frozenset[str] | None, ...]


def fold(text: str) -> str:
    """Lower case without accents; apostrophes inside a word vanish, so that "can't" is "cant"."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _APOSTROPHES.sub("", text.lower())


def words_of(text: str) -> list[str]:
    """The words and numbers of `text`, folded; "10mg" is two, "x-ray" is two, "a1c" is one."""
    return _WORD.findall(fold(text))


def forms_of(word: str) -> tuple[str, ...]:
    """The word as written, then what it may be the plural, -ed or -ing form of.

    Only the message is loosened, never the list: a listed singular is met by its plural, a listed
    plural by itself alone. English and Spanish plurals end alike.
    """
    if len(word) < _SHORTEST_INFLECTED:
        return (word,)
    if word[-1] == "s":
        return (word, *_singulars(word))
    if word.endswith("ed"):
        return (word, *_stems(word[:-2]))
    if word.endswith("ing"):
        return (word, *_stems(word[:-3]))
    return (word,)


def _singulars(word: str) -> tuple[str, ...]:
    """What -s or -es was added to; nothing for "pass"."""
    if word[-2] == "s":
        return ()
    if word[-2] == "e":
        return (word[:-1], word[:-3] + "y" if word[-3] == "i" else word[:-2])
    return (word[:-1],)


def _stems(stem: str) -> tuple[str, ...]:
    """What -ed or -ing was added to: "scann" is scan, "mov" move, "refill" refill."""
    if len(stem) < _SHORTEST_STEM:
        return ()
    if stem[-1] == stem[-2]:
        return (stem, stem[:-1])
    return (stem, stem + "e")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One word list as the playbook states it; `include` names lists that it also holds."""

    words: tuple[str, ...]
    but_not: tuple[str, ...] = ()
    include: tuple[str, ...] = ()


class EntryError(ValueError):
    """An entry that can match nothing, with the reason."""


def _places(entry: str) -> _Places:
    """What stands at each place of the phrase; None is a gap."""
    places: list[frozenset[str] | None] = []
    for part in entry.split():
        if part == GAP:
            places.append(None)
        elif "|" in part:
            choices = [words_of(choice) for choice in part.split("|")]
            if any(len(choice) != 1 for choice in choices):
                raise EntryError(f"{entry!r}: each choice around | is one word")
            places.append(frozenset(choice[0] for choice in choices))
        else:
            places.extend(frozenset({word}) for word in words_of(part))
    if not places or places[0] is None or places[-1] is None:
        raise EntryError(f"{entry!r}: begins and ends with a word")
    return tuple(places)


def check_entry(entry: str) -> None:
    """Raise EntryError when `entry` could never match."""
    if "*" not in entry:
        _places(entry)
        return
    stem = entry.strip("*")
    if entry.count("*") != 1 or words_of(stem) != [stem] or entry == stem:
        raise EntryError(f"{entry!r}: a star stands alone at the start or the end of one lower-case word")


class Lexicon:
    """The compiled lists of a playbook; built once, then read by any thread."""

    def __init__(self, lists: Mapping[str, Listed]) -> None:
        """Raises EntryError for an entry that could never match, KeyError for an unknown include."""
        self._lists = dict(lists)
        self._words: dict[str, tuple[str, ...]] = {}
        self._phrases: dict[str, list[tuple[_Places, str]]] = {}
        self._endings: dict[int, dict[str, tuple[str, ...]]] = {}
        self._beginnings: dict[int, dict[str, tuple[str, ...]]] = {}
        for name, listed in self._lists.items():
            self._add_all(name, listed.words)
            self._add_all(_hidden(name), listed.but_not)
        self._parts = {name: tuple(self._closure(name, ())) for name in self._lists}
        self._holders: dict[str, list[str]] = {}
        for name, parts in self._parts.items():
            for part in parts:
                self._holders.setdefault(part, []).append(name)
        # Longest first: where two phrases of one list begin at one word, the longer is seen.
        for phrases in self._phrases.values():
            phrases.sort(key=lambda phrase: -len(phrase[0]))

    def read(self, text: str) -> Reading:
        """What of all lists stands in the first 2,000 words of `text`."""
        return Reading(lexicon=self, words=words_of(text)[:_WORDS_READ], text=text)

    def parts(self, name: str) -> tuple[str, ...]:
        """`name` and every list it includes, at any depth."""
        return self._parts[name]

    def holders(self, name: str) -> Sequence[str]:
        """`name` and every list that includes it, at any depth; none for a hidden list."""
        return self._holders.get(name, ())

    def hides(self, name: str) -> bool:
        """Whether the list has `but_not` entries."""
        return bool(self._lists[name].but_not)

    def _closure(self, name: str, above: tuple[str, ...]) -> Iterator[str]:
        if name in above:
            return
        yield name
        for part in self._lists[name].include:
            yield from self._closure(part, (*above, name))

    def _add_all(self, name: str, entries: Iterable[str]) -> None:
        for entry in entries:
            check_entry(entry)
            if entry.startswith("*"):
                _add(self._endings.setdefault(len(entry) - 1, {}), entry[1:], name)
            elif entry.endswith("*"):
                _add(self._beginnings.setdefault(len(entry) - 1, {}), entry[:-1], name)
            else:
                self._add_phrase(name, _places(entry))

    def _add_phrase(self, name: str, places: _Places) -> None:
        first = places[0]
        assert first is not None
        for word in first:
            if len(places) == 1:
                _add(self._words, word, name)
            else:
                self._phrases.setdefault(word, []).append((places[1:], name))

    def scan(self, words: Sequence[str]) -> dict[str, list[Span]]:
        """Where each list is met, as spans of word positions; hidden lists among them."""
        forms = [forms_of(word) for word in words]
        met: dict[str, list[Span]] = {}
        for at, candidates in enumerate(forms):
            for form in candidates:
                for name in self._words.get(form, ()):
                    met.setdefault(name, []).append((at, at + 1))
                for places, name in self._phrases.get(form, ()) if at + 1 < len(words) else ():
                    second = places[0]
                    if second is not None and second.isdisjoint(forms[at + 1]):
                        continue
                    end = _follow(forms, at + 1, places)
                    if end:
                        met.setdefault(name, []).append((at, end))
            if len(words[at]) > _MORE_LETTERS + 1:
                self._scan_affixes(at, candidates, met)
        return met

    def _scan_affixes(self, at: int, candidates: tuple[str, ...], met: dict[str, list[Span]]) -> None:
        for form in candidates:
            room = len(form) - _MORE_LETTERS
            for length, endings in self._endings.items():
                if length <= room:
                    for name in endings.get(form[-length:], ()):
                        met.setdefault(name, []).append((at, at + 1))
            for length, beginnings in self._beginnings.items():
                if length <= room:
                    for name in beginnings.get(form[:length], ()):
                        met.setdefault(name, []).append((at, at + 1))


class Reading:
    """One message read by a lexicon; its lists are answered lazily and at most once."""

    def __init__(self, *, lexicon: Lexicon, words: list[str], text: str) -> None:
        self._lexicon = lexicon
        self._words = words
        self._text = text
        self._met = lexicon.scan(words)
        self._found: dict[str, tuple[str, ...]] = {}
        self.touched = {holder for name in self._met for holder in lexicon.holders(name)}
        """The lists that may have been found; any other is certainly not."""

    @property
    def word_count(self) -> int:
        """How many words and numbers there are."""
        return len(self._words)

    @cached_property
    def has_question(self) -> bool:
        """Whether a question mark of any script stands in the text."""
        return any(mark in self._text for mark in "?？؟¿")

    def found(self, name: str) -> tuple[str, ...]:
        """The words of the message that the list `name` holds, in order, each once."""
        if name not in self.touched:
            return ()
        found = self._found.get(name)
        if found is None:
            spans = sorted({span for part in self._lexicon.parts(name) for span in self._visible(part)})
            spans = self._without_hidden(name, spans)
            found = tuple(dict.fromkeys(" ".join(self._words[start:end]) for start, end in spans))
            self._found[name] = found
        return found

    def _visible(self, part: str) -> list[Span]:
        spans = self._met.get(part)
        return self._without_hidden(part, spans) if spans else []

    def _without_hidden(self, name: str, spans: list[Span]) -> list[Span]:
        if not spans or not self._lexicon.hides(name):
            return spans
        hidden = self._met.get(_hidden(name), ())
        return [span for span in spans if not any(low <= span[0] and span[1] <= high for low, high in hidden)]


def _hidden(name: str) -> str:
    return f"-{name}"


def _add(index: dict[str, tuple[str, ...]], key: str, name: str) -> None:
    names = index.get(key, ())
    if name not in names:
        index[key] = (*names, name)


def _follow(forms: Sequence[tuple[str, ...]], at: int, places: _Places) -> int:
    """The end of the phrase whose remaining `places` stand from `at` on, or 0."""
    for index, choices in enumerate(places):
        if choices is None:
            rest = places[index + 1 :]
            for skipped in range(_GAP_WORDS + 1):
                end = _follow(forms, at + skipped, rest)
                if end:
                    return end
            return 0
        if at >= len(forms) or choices.isdisjoint(forms[at]):
            return 0
        at += 1
    return at
