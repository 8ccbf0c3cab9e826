"""The filter language: `owner:me due<2h lane:refills,billing "metformin" -is:snoozed`.

Terms are joined by AND, the values of one term by OR, and `-` turns a term round. A bare word
is looked for where a word begins, a quoted one as it stands. Nothing here asks the store: what
is not understood is refused, in one sentence, before any SQL.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from crm_core.errors import UsageError
from crm_core.words import Channel, Priority

LONGEST = 500
"""Characters of a filter; more is no filter."""
MOST_TERMS = 30


class BadFilter(UsageError):
    """{problem}; {remedy}."""


class Is(StrEnum):
    """What `is:` asks of a conversation."""

    DANGER = "danger"
    UNSCREENED = "unscreened"
    OVERDUE = "overdue"
    SNOOZED = "snoozed"
    ESCALATED = "escalated"
    UNOWNED = "unowned"
    WARNED = "warned"


class Name(StrEnum):
    """The fields, as they are typed."""

    OWNER = "owner"
    DUE = "due"
    LANE = "lane"
    STATE = "state"
    PRIORITY = "priority"
    CATEGORY = "category"
    CHANNEL = "channel"
    IS = "is"
    AGE = "age"
    ESCALATED = "escalated"
    PATIENT = "patient"
    LANGUAGE = "language"
    CONVERSATION = "conversation"


_SAYS_WHERE = frozenset({Name.LANE, Name.PATIENT, Name.CONVERSATION})

STATES: Mapping[str, tuple[str, ...]] = {
    "new": ("new",),
    "open": ("open",),
    "waiting": ("waiting_patient", "waiting_other"),
    "waiting_patient": ("waiting_patient",),
    "waiting_other": ("waiting_other",),
    "snoozed": ("snoozed",),
}
"""The states that a filter may name; what is closed is in no queue."""

_ME_OR_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SPAN = re.compile(r"(\d{1,4})(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PATIENT = re.compile(r"p-(\d{1,18})", re.ASCII)
_CONVERSATION = re.compile(r"c-(\d{1,18})", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")


@dataclass(frozen=True, kw_only=True)
class FieldTerm:
    """One field with its values; any of them will do."""

    name: Name
    values: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        return f"{'-' * self.negated}{self.name}:{','.join(self.values)}"


@dataclass(frozen=True, kw_only=True)
class SpanTerm:
    """`due<2h`: due in less than that, or past it; `age>2d`: waiting for longer than that."""

    name: Name
    less: bool
    count: int
    unit: str
    negated: bool = False

    @property
    def span(self) -> timedelta:
        """How long."""
        return timedelta(**{_UNITS[self.unit]: self.count})

    def __str__(self) -> str:
        return f"{'-' * self.negated}{self.name}{'<' if self.less else '>'}{self.count}{self.unit}"


@dataclass(frozen=True, kw_only=True)
class WordTerm:
    """A word, or with `quoted` words as they stand."""

    text: str
    quoted: bool = False
    negated: bool = False

    def __str__(self) -> str:
        return f"{'-' * self.negated}" + (f'"{self.text}"' if self.quoted else self.text)


Term = FieldTerm | SpanTerm | WordTerm


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter that was understood; `str` gives it as it may be typed again."""

    terms: tuple[Term, ...] = ()

    @property
    def words(self) -> tuple[WordTerm, ...]:
        """What is looked for in names and texts."""
        return tuple(term for term in self.terms if isinstance(term, WordTerm))

    @property
    def structural(self) -> tuple[FieldTerm | SpanTerm, ...]:
        """What the store's own columns answer."""
        return tuple(term for term in self.terms if not isinstance(term, WordTerm))

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of the fields asked for, as the audit keeps them: never a value."""
        names = {str(term.name) for term in self.structural}
        return tuple(sorted(names | {"words"} if self.words else names))

    @property
    def looks_everywhere(self) -> bool:
        """Whether it reaches beyond the lane in view: it says itself where to look, or looks for quoted words."""
        return any(
            term.quoted if isinstance(term, WordTerm) else term.name in _SAYS_WHERE and not term.negated
            for term in self.terms
        )

    def __str__(self) -> str:
        return " ".join(str(term) for term in self.terms)


def parse(text: str) -> Filter:
    """The filter that `text` says; BadFilter names the first thing that is not understood."""
    if len(text) > LONGEST:
        raise BadFilter(problem=f"A filter has at most {LONGEST} characters", remedy="shorten it")
    terms = tuple(_term(*piece) for piece in _pieces(text))
    if len(terms) > MOST_TERMS:
        raise BadFilter(problem=f"A filter has at most {MOST_TERMS} terms", remedy="leave some out")
    return Filter(terms=terms)


def folded(text: str) -> str:
    """Words as they are compared: without case and accents, each mark a gap, one blank before and behind."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_LETTERS)
    letters = (each if each.isalnum() else " " for each in plain if not unicodedata.combining(each))
    return f" {' '.join(''.join(letters).split())} "


def holds(term: WordTerm, text: str) -> bool:
    """Whether `text`, folded, holds the word: where a word begins, or whole words where it is quoted."""
    sought = folded(term.text)
    if _UNSPACED.search(sought):
        return sought.strip() in text
    return (sought if term.quoted else sought.rstrip()) in text


# Letters that Unicode does not decompose, as people type them without the right keyboard.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Scripts that write no gap between words: there a word is found wherever it stands."""

_FIELD = re.compile(r"([A-Za-z][A-Za-z_]*)([:<>])(.*)", re.DOTALL)


def _pieces(text: str) -> Iterator[tuple[str, bool, bool]]:
    """Each term's text, whether it is quoted, whether it is turned round."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        negated = text[at] == "-"
        at += negated
        if text[at : at + 1] == '"':
            end = text.find('"', at + 1)
            if end < 0:
                raise BadFilter(problem="A quote is not closed", remedy='end it with another "')
            yield text[at + 1 : end], True, negated
            at = end + 1
            continue
        end = next((place for place in range(at, len(text)) if text[place].isspace()), len(text))
        yield text[at:end], False, negated
        at = end


def _term(text: str, quoted: bool, negated: bool) -> Term:
    found = None if quoted else _FIELD.fullmatch(text)
    if found is None:
        if not quoted and _CONVERSATION.fullmatch(text.lower()):
            return FieldTerm(name=Name.CONVERSATION, values=(text.lower(),), negated=negated)
        return _word(text, quoted, negated)
    try:
        name = Name(found[1].lower())
    except ValueError:
        raise BadFilter(
            problem=f"A filter has no field {_said(found[1])}",
            remedy=f"use {_or(Name)}, or put it in quotes to look for it as words",
        ) from None
    if name in (Name.DUE, Name.AGE):
        return _span(name, found[2], found[3], negated)
    if found[2] != ":":
        raise BadFilter(problem=f"{name} takes no {found[2]}", remedy=f"write {name}: and what it should be")
    values = tuple(dict.fromkeys(part for part in found[3].lower().split(",") if part))
    if not values:
        raise BadFilter(problem=f"{name}: stands alone", remedy=f"write after it {_ALLOWED[name]}")
    for value in values:
        if not _FITS[name](value):
            raise BadFilter(problem=f"{name}: cannot be {_said(value)}", remedy=f"it may be {_ALLOWED[name]}")
    return FieldTerm(name=name, values=values, negated=negated)


def _word(text: str, quoted: bool, negated: bool) -> WordTerm:
    text = " ".join(text.split())
    if '"' in text:
        raise BadFilter(problem="A quote stands inside a word", remedy="put a blank before it")
    if not folded(text).strip():
        raise BadFilter(problem="A word to look for has no letter or digit", remedy="leave it out, or type a word")
    return WordTerm(text=text, quoted=quoted, negated=negated)


def _span(name: Name, operator: str, value: str, negated: bool) -> SpanTerm:
    found = _SPAN.fullmatch(value.lower())
    if operator == ":" or found is None or not value.isascii():
        raise BadFilter(
            problem=f"{name} is compared with a span of time", remedy=f"write {name}<2h or {name}>3d (m, h, d or w)"
        )
    return SpanTerm(name=name, less=operator == "<", count=int(found[1]), unit=found[2], negated=negated)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


def _among(words: Iterable[str]) -> Callable[[str], bool]:
    allowed = frozenset(words)
    return lambda value: value in allowed


_FITS: Mapping[Name, Callable[[str], bool]] = {
    Name.OWNER: _matches(_ME_OR_LOGIN),
    Name.ESCALATED: _matches(_ME_OR_LOGIN),
    Name.LANE: _matches(_KEY),
    Name.CATEGORY: _matches(_KEY),
    Name.STATE: _among(STATES),
    Name.PRIORITY: _among(Priority),
    Name.CHANNEL: _among(Channel),
    Name.IS: _among(Is),
    Name.PATIENT: _matches(_PATIENT),
    Name.LANGUAGE: _matches(_LANGUAGE),
    Name.CONVERSATION: _matches(_CONVERSATION),
}


def _or(words: Iterable[str]) -> str:
    *most, last = (str(word) for word in words)
    return f"{', '.join(most)} or {last}"


_ALLOWED: Mapping[Name, str] = {
    Name.OWNER: "me, none or somebody's login",
    Name.ESCALATED: "me or the login of who escalated",
    Name.LANE: "the keys of lanes, as `crm lanes` shows them",
    Name.CATEGORY: "the keys of the playbook's categories",
    Name.STATE: _or(STATES),
    Name.PRIORITY: _or(Priority),
    Name.CHANNEL: _or(Channel),
    Name.IS: _or(Is),
    Name.PATIENT: "a patient's number, like P-12",
    Name.LANGUAGE: "a language's code, like es",
    Name.CONVERSATION: "a conversation's number, like C-12",
}


def _said(value: str) -> str:
    """What was typed, where it may be repeated: a word of a name's length without marks of its own."""
    return value if re.fullmatch(r"[\w.@-]{1,40}", value) else "that"
