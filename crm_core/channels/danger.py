"""Danger first: every inbound text, on any channel, is screened here before anything else sees it.

The lists are the playbook's (danger_section.py). Negation is not trusted: "no chest pain"
alarms, since a person who weighs whether the pain counts needs a nurse. What can not be
screened (a language without a list, a picture alone) says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from crm_core.channels.danger_items import NUMBER, Slot, Span, find, parse_item
from crm_core.channels.danger_language import is_foreign
from crm_core.channels.danger_section import DangerEntry, DangerList, DangerSection
from crm_core.channels.danger_words import Speller, Token, folded, tokens

_UNLESS_WITHIN = 9
_LONG_FUNCTION_WORD = 6
_Spans = dict[str, list[Span]]


class Verdict(StrEnum):
    """What the screen says of one text."""

    CLEAR = "clear"
    ALARM = "alarm"
    UNSCREENED = "unscreened"


@dataclass(frozen=True, kw_only=True)
class Screening:
    """The verdict; the entries that hit, as `language.entry`; the languages whose lists were read."""

    verdict: Verdict
    terms: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def screen(text: str, lists: DangerLists, *, attachments: bool = False) -> Screening:
    """Screen one text; `attachments` says that it came with pictures or files."""
    return lists.screen(text, attachments=attachments)


class DangerLists:
    """A playbook's lists made ready: build once for a version, share between threads."""

    def __init__(self, section: DangerSection) -> None:
        lists = section.danger
        everyday = {word for each in lists for word in (each.spelling.everyday + " " + each.function_words).split()}
        vocabularies = [_vocabulary(each) for each in lists]
        everyday_of = [
            everyday.union(*(fuzzy | exact for other, (fuzzy, exact) in enumerate(vocabularies) if other != at))
            for at in range(len(lists))
        ]
        self._readers = [
            _Reader(
                each,
                Speller(
                    fuzzy=fuzzy,
                    exact=exact,
                    everyday=words,
                    glue=each.function_words.split(),
                    misspelt=each.spelling.misspelt,
                    respell=each.spelling.respell,
                ),
            )
            for each, (fuzzy, exact), words in zip(lists, vocabularies, everyday_of, strict=True)
        ]
        self.languages = tuple(each.language for each in lists)
        self._emoji = {emoji: f" {word} " for each in lists for emoji, word in each.emoji.items()}
        self._numbers = {word: number for each in lists for word, number in each.numbers.items()}
        self._vocabulary = frozenset().union(*(fuzzy | exact for fuzzy, exact in vocabularies))
        self._known = frozenset(everyday) | self._vocabulary

    def screen(self, text: str, *, attachments: bool = False) -> Screening:
        """See `screen`."""
        if not text.strip():
            return Screening(verdict=Verdict.UNSCREENED if attachments else Verdict.CLEAR, languages=self.languages)
        words = tokens(self._plain(text), self._numbers, self._vocabulary)
        terms = tuple(term for reader in self._readers for term in reader.terms(words))
        if terms:
            return Screening(verdict=Verdict.ALARM, terms=terms, languages=self.languages)
        foreign = is_foreign(text, [token.word for token in words if token.number is None], self._known)
        return Screening(verdict=Verdict.UNSCREENED if foreign else Verdict.CLEAR, languages=self.languages)

    def _plain(self, text: str) -> str:
        if not text.isascii():
            for emoji, word in self._emoji.items():
                if emoji in text:
                    text = text.replace(emoji, word)
        return folded(text)


def _vocabulary(danger: DangerList) -> tuple[set[str], set[str]]:
    """The words of a list that slips may stand for, and those that are exact.

    What takes an alarm back (an idiom, a concept that stands only in `unless`) is exact: a slip
    may raise an alarm and never silence one. So are short function words.
    """
    alarming = {name for entry in danger.entry for group in entry.groups() for name in group}
    fuzzy: set[str] = set()
    exact: set[str] = set(danger.function_words.split())
    short = {word for word in exact if len(word) < _LONG_FUNCTION_WORD}
    for where, item in danger.items():
        quiet = where == "idioms" or (where.startswith("concept ") and where.removeprefix("concept ") not in alarming)
        for slot in parse_item(item, adjoining=where == "idioms"):
            exact |= slot.words if quiet else slot.exact
            fuzzy |= set() if quiet else slot.words - slot.exact
    return {word for word in fuzzy if word not in short}, exact


class _Entry:
    """An entry made ready: its groups, the first of which is the anchor."""

    def __init__(self, language: str, entry: DangerEntry) -> None:
        self.term = f"{language}.{entry.id}"
        own = ((f"entry {entry.id}",),) if entry.any else ()
        self.anchor, *self.others = own + entry.groups()
        self.within = entry.within
        self.unless = entry.unless
        self.at_most = entry.at_most

    def hits(self, spans: _Spans, words: int) -> bool:
        if self.at_most is not None and words > self.at_most:
            return False
        return any(
            self._composed(anchor, spans) and not self._taken_back(anchor, spans)
            for name in self.anchor
            for anchor in spans.get(name, ())
        )

    def _composed(self, anchor: Span, spans: _Spans) -> bool:
        used = [anchor]
        for group in self.others:
            near = (span for name in group for span in spans.get(name, ()) if anchor.distance(span) <= self.within)
            free = next((span for span in near if not any(map(span.overlaps, used))), None)
            if free is None:
                return False
            used.append(free)
        return True

    def _taken_back(self, anchor: Span, spans: _Spans) -> bool:
        return any(span.distance(anchor) <= _UNLESS_WITHIN for name in self.unless for span in spans.get(name, ()))


class _Reader:
    """One list over one text."""

    def __init__(self, danger: DangerList, speller: Speller) -> None:
        self._speller = speller
        self._items: dict[str, list[tuple[tuple[Slot, ...], str]]] = defaultdict(list)
        self._taking: dict[str, list[tuple[tuple[Slot, ...], str]]] = defaultdict(list)
        for where, item in danger.items():
            idiom = where == "idioms"
            slots = parse_item(item, adjoining=idiom)
            name = "" if idiom else where.removeprefix("concept ")
            for first in slots[0].firsts():
                (self._taking if idiom or item[0] == "!" else self._items)[first].append((slots, name))
        self._entries: dict[str, list[_Entry]] = defaultdict(list)
        for entry in danger.entry:
            ready = _Entry(danger.language, entry)
            for name in ready.anchor:
                self._entries[name].append(ready)

    def terms(self, words: Sequence[Token]) -> list[str]:
        """The entries that hit, in the order of their first anchors."""
        words = self._apart(words)
        stands = self._stands(words)
        spans = self._spans(words, stands)
        tried = dict.fromkeys(entry for name in spans for entry in self._entries.get(name, ()))
        return [entry.term for entry in tried if entry.hits(spans, len(words))]

    def _apart(self, words: Sequence[Token]) -> Sequence[Token]:
        """`words`, with those written as one ("chestpain") set apart."""
        apart: list[Token] = []
        for token in words:
            parts = self._speller.parts(token.word) if token.number is None else ()
            apart += [Token(part, None, token.place) for part in parts] or [token]
        return apart

    def _stands(self, words: Sequence[Token]) -> list[frozenset[str]]:
        stands = [self._speller.stands_for(token.word) for token in words]
        for at, (one, two) in enumerate(pairwise(words)):
            if self._speller.is_halved(one.word, two.word):
                stands[at] |= self._speller.stands_for(one.word + two.word)
        return stands

    def _spans(self, words: Sequence[Token], stands: Sequence[frozenset[str]]) -> _Spans:
        numbers = [token.number for token in words]
        places = [token.place for token in words]
        found: _Spans = defaultdict(list)
        spent: set[int] = set()
        for items, takes in ((self._taking, True), (self._items, False)):
            for at, meanings in enumerate(stands):
                firsts: Iterable[str] = meanings if numbers[at] is None else (*meanings, NUMBER)
                for first in firsts:
                    for slots, name in items.get(first, ()):
                        if not slots[0].fits(meanings, numbers[at]):
                            continue
                        span = find(slots, at, stands, numbers, places)
                        if span is None:
                            continue
                        if takes:
                            spent.update(span.words[:-1] if slots[-1].is_context else span.words)
                        if name and (takes or (span.words[0] not in spent and span.words[-1] not in spent)):
                            found[name].append(span)
        return found
