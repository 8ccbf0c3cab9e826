"""What a person wrote in a letter, told from the history quoted with it and from signatures. Pure.

Nothing is ever lost: the parts put together are the text. What is quoted is judged by its form
alone, so it is folded away and left out of routing. No form spares it the danger screening: that
takes lines *surely* quoted (marked by `>` under a line that says who wrote) which say what a
letter to or from that address said before (see quoted_before.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby


class PartKind(StrEnum):
    """What a run of lines is."""

    NEW = "new"
    QUOTED = "quoted"
    SIGNATURE = "signature"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A run of whole lines, with their line ends. `sure`: a quotation by its marks, not by a guess."""

    kind: PartKind
    sure: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Quotation:
    """Words that are surely quoted, their marks taken off. `is_letter`: all that one letter said itself."""

    is_letter: bool
    text: str


@dataclass(frozen=True, slots=True)
class _Line:
    kind: PartKind
    sure: bool = False


_NEW, _QUOTED = _Line(PartKind.NEW), _Line(PartKind.QUOTED)
_SURE, _SIGNED = _Line(PartKind.QUOTED, sure=True), _Line(PartKind.SIGNATURE)

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_MARKED = re.compile(r"\s{0,3}>")
_MARK = re.compile(r"\s{0,3}> ?")
_WROTE = re.compile(
    r"\s*(?:on|el|le|am)\b.{3,300}?\b(?:wrote|writes|escribi[óo]|escribe|a [ée]crit|schrieb)\b.{0,120}?:\s*",
    re.IGNORECASE | re.DOTALL,
)
"""`On Mon, Nov 23, 2026 at 9:14 AM Kim Reyes <k@example.org> wrote:`, in as many lines as it was broken into."""
_WROTE_LINES = 4
_SAYS_WHEN = re.compile(r"[\d@]")
_ORIGINAL = re.compile(r"\s*-{2,}\s*(?:original message|mensaje original|original-nachricht)\s*-{2,}\s*", re.IGNORECASE)
_RULE = re.compile(r"\s*_{8,}\s*")
_FROM = re.compile(r"\s*\*?(?:from|de)\s*:\*?\s*\S", re.IGNORECASE)
_OF_A_HEADER = re.compile(r"\s*\*?(?:sent|date|to|cc|subject|enviado(?: el)?|fecha|para|asunto)\s*:\*?", re.IGNORECASE)
_HEADER_LINES = 6
_LEAST_HEADERS = 2
_DASHES = re.compile(r"--\s*")
_DEEPEST = 20
"""Letters within letters, beyond which nothing is told apart."""
_LONGEST_SIGNATURE = 8
"""Lines after `--`; more of them is a letter that goes on."""
_MOBILE = re.compile(
    r"""\s*(?:
        sent\ from\ (?:my|the|yahoo|mail|outlook|aol|gmail|samsung|proton)\b.{0,80}
        | sent\ (?:via|with)\ (?:my|the|yahoo|outlook|aol|proton|spark|airmail)\b.{0,80}
        | get\ outlook\ for\b.{0,60}
        | (?:enviado|mandado)\ desde\ (?:mi|el|la|yahoo|correo|outlook|aol|gmail)\b.{0,80}
        | obt[eé]n(?:er|ga)?\ outlook\ para\b.{0,60}
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)


def split(text: str) -> tuple[Part, ...]:
    """The text as runs of new, quoted and signature lines, in order; put together they are the text."""
    lines = _LINES.findall(text)
    runs = groupby(zip(_judged(lines), lines, strict=True), key=lambda pair: pair[0])
    return tuple(Part(kind=of.kind, sure=of.sure, text="".join(line for _, line in run)) for of, run in runs)


def new_part(text: str) -> str:
    """What the person wrote this time; the whole text where nothing else stands in it."""
    written = "".join(part.text for part in split(text) if part.kind is PartKind.NEW)
    return (written.strip() and written) or text


def has_new(text: str) -> bool:
    """Whether the person wrote anything themselves this time."""
    return any(part.kind is PartKind.NEW and part.text.strip() for part in split(text))


def without_sure(text: str) -> str:
    """Everything but what is surely a quotation."""
    return "".join(part.text for part in split(text) if not part.sure)


def quotations(text: str) -> tuple[Quotation, ...]:
    """What is surely quoted, and what is quoted in that; without the empty lines nothing of it is left out."""
    found: list[Quotation] = []
    letters = [text]
    for depth in range(_DEEPEST):
        letters = [_unmarked(part.text) for letter in letters for part in split(letter) if part.sure]
        for letter in letters:
            parts = split(letter) if depth < _DEEPEST - 1 else (Part(kind=PartKind.SIGNATURE, sure=False, text=letter),)
            for is_letter in (True, False):
                said = "".join(
                    part.text for part in parts if not part.sure and (part.kind is PartKind.NEW) is is_letter
                )
                found += [Quotation(is_letter=is_letter, text=said)] if said.strip() else []
    return tuple(found)


def _unmarked(quoted: str) -> str:
    """Marked lines without their outermost mark."""
    return "".join(_MARK.sub("", line, count=1) for line in _LINES.findall(quoted))


def folds(text: str) -> tuple[tuple[int, int], ...]:
    """The lines to fold away, as (first, after the last), counted from 0; a signature alone is not folded."""
    found: list[tuple[int, int]] = []
    judged = _judged(_LINES.findall(text))
    at = 0
    for is_new, run in groupby(judged, key=lambda line: line.kind is PartKind.NEW):
        kinds = [line.kind for line in run]
        if not is_new and PartKind.QUOTED in kinds:
            found.append((at, at + len(kinds)))
        at += len(kinds)
    return tuple(found)


def _judged(lines: list[str]) -> list[_Line]:
    """What each line is."""
    judged: list[_Line] = []
    introduced = False
    while len(judged) < len(lines):
        at = len(judged)
        wrote = _attribution(lines, at)
        if wrote:
            marked = _next_is_marked(lines, at + wrote)
            introduced = introduced or marked
            judged += [_QUOTED] * (wrote if marked else len(lines) - at)
        elif _begins_history(lines, at):
            judged += [_QUOTED] * (len(lines) - at)
        elif _MARKED.match(lines[at]):
            judged += _marked_run(lines, at, introduced=introduced)
        elif signed := _signature(lines, at):
            judged += [_SIGNED] * signed
        else:
            judged.append(_NEW)
    return judged


def _attribution(lines: list[str], at: int) -> int:
    """How many lines say who wrote what follows; 0 where none does.

    One without a date or an address counts only above marked lines: people write "on Monday
    she wrote:" themselves.
    """
    said = ""
    for count, line in enumerate(lines[at : at + _WROTE_LINES], start=1):
        if not line.strip():
            return 0
        said += line
        if _WROTE.fullmatch(said):
            return count if _SAYS_WHEN.search(said) or _next_is_marked(lines, at + count) else 0
    return 0


def _next_is_marked(lines: list[str], at: int) -> bool:
    """Whether the next line that is not empty is marked as quoted."""
    following = next((line for line in lines[at:] if line.strip()), "")
    return _MARKED.match(following) is not None


def _begins_history(lines: list[str], at: int) -> bool:
    """Whether everything from here on is an older letter: a divider, or a block of its headers."""
    line = lines[at]
    if _ORIGINAL.fullmatch(line):
        return True
    if _RULE.fullmatch(line):
        return _header_block(lines, at + 1 + (lines[at + 1 : at + 2] == ["\n"]))
    return _header_block(lines, at)


def _header_block(lines: list[str], at: int) -> bool:
    if at >= len(lines) or not _FROM.match(lines[at]):
        return False
    more = sum(_OF_A_HEADER.match(line) is not None for line in lines[at + 1 : at + _HEADER_LINES])
    return more >= _LEAST_HEADERS


def _marked_run(lines: list[str], at: int, *, introduced: bool) -> list[_Line]:
    """The marked lines from here on, with the empty lines between them.

    A single one that nothing introduces may be the person's own: "> 101 since Monday".
    """
    end = last = at
    while end < len(lines) and (_MARKED.match(lines[end]) or not lines[end].strip()):
        last = end if lines[end].strip() else last
        end += 1
    count = last + 1 - at
    if introduced:
        return [_SURE] * count
    return [_QUOTED] * count if count > 1 else [_NEW]


def _signature(lines: list[str], at: int) -> int:
    """How many lines from here on are a signature: after it comes nothing, or what is quoted."""
    line = lines[at].rstrip("\n")
    if _DASHES.fullmatch(line):
        count = 1
    elif _MOBILE.fullmatch(line):
        return 1 if _ends_here(lines, at + 1) else 0
    else:
        return 0
    while count <= _LONGEST_SIGNATURE + 1 and at + count < len(lines) and not _ends_here(lines, at + count):
        count += 1
    return count if count <= _LONGEST_SIGNATURE + 1 else 0


def _ends_here(lines: list[str], at: int) -> bool:
    """Whether nothing follows but empty lines and what is quoted."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    if at >= len(lines) or _attribution(lines, at) or _begins_history(lines, at):
        return True
    return _MARKED.match(lines[at]) is not None
