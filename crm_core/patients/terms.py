"""What a person typed into the patient search, taken apart. Pure; no key, no store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from crm_core.patients.birth_date import EARLIEST_YEAR
from crm_core.patients.contacts import SHORTEST_NUMBER, digits_of
from crm_core.vault.tokens import name_words

LONGEST_QUERY = 200
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_DAY_OR_MONTH_FIRST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_CENTURY = 100
_NUMBER = re.compile(r"[+(]?[\d().+\-/]*\d[\d().+\-/]*")
_LONGEST_AT_HOME, _LONGEST_PHONE = 12, 15


class TermKind(StrEnum):
    """What a term may be. A code is an MRN with letters, or a name with digits."""

    NAME = "name"
    EMAIL = "email"
    NUMBER = "number"
    CODE = "code"
    DATE = "date"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Term:
    """One thing the patient must match. `dates` are the birth dates it can be read as (ISO)."""

    kind: TermKind
    text: str
    dates: tuple[str, ...] = ()

    @property
    def digits(self) -> str:
        """The digits of a number."""
        return digits_of(self.text)


def terms_of(query: str, today: date) -> list[Term]:
    """The terms of a query, in order: `smith 6789`, `ann-marie 1/31/1970`, `(555) 843-1642`."""
    words = [word for word in re.split(r"[\s,;]+", query[:LONGEST_QUERY]) if word]
    return list(_joined(_term for word in words for _term in _read(word, today)))


def _read(word: str, today: date) -> Iterator[Term]:
    if "@" in word:
        yield Term(kind=TermKind.EMAIL, text=word)
    elif dates := dates_of(word, today):
        compact = word.isdecimal()
        yield Term(kind=TermKind.NUMBER if compact else TermKind.DATE, text=word, dates=dates)
    elif _NUMBER.fullmatch(word):
        yield Term(kind=TermKind.NUMBER, text=word)
    elif any(sign.isdecimal() for sign in word):
        yield Term(kind=TermKind.CODE, text=word)
    else:
        for name in name_words(word):
            yield Term(kind=TermKind.NAME, text=name)


def _joined(terms: Iterator[Term]) -> Iterator[Term]:
    """Numbers side by side are one phone number where that makes one: `555 843 1642`."""
    held: Term | None = None
    for term in terms:
        if held and term.kind is TermKind.NUMBER and _make_one_number(held, term):
            held = Term(kind=TermKind.NUMBER, text=f"{held.text} {term.text}")
            continue
        if held:
            yield held
        held = term if term.kind is TermKind.NUMBER else None
        if held is None:
            yield term
    if held:
        yield held


def _make_one_number(left: Term, right: Term) -> bool:
    if left.dates or right.dates:
        return False
    together = len(left.digits) + len(right.digits)
    if left.text.startswith("+"):
        return together <= _LONGEST_PHONE
    unfinished = len(left.digits) < SHORTEST_NUMBER or " " in left.text
    return unfinished and together <= _LONGEST_AT_HOME


def dates_of(text: str, today: date) -> tuple[str, ...]:
    """The birth dates `text` can be read as: of 3/4/1970 both, of 31.1.1970 the one there is."""
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        year, one, two = map(int, match.groups())
        return _real([(year, one, two)], today)
    if match := _DAY_OR_MONTH_FIRST.fullmatch(text):
        one, two, written = int(match[1]), int(match[3]), match[4]
        years = [1900 + int(written), 2000 + int(written)] if int(written) < _CENTURY else [int(written)]
        return _real([(year, *pair) for year in years for pair in ((one, two), (two, one))], today)
    return ()


def _real(candidates: list[tuple[int, int, int]], today: date) -> tuple[str, ...]:
    found = []
    for candidate in candidates:
        try:
            day = date(*candidate)
        except ValueError:
            continue
        if day <= today and day.year >= EARLIEST_YEAR and day.isoformat() not in found:
            found.append(day.isoformat())
    return tuple(found)
