"""A conversation's messages as lines of a given width; no widget is needed for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import StrEnum

from rich.cells import cell_len
from textual.content import Content

from crm_tui import crash
from crm_tui.terminal import one_line, visible
from crm_tui.widgets.clock_cell import ago
from crm_tui.widgets.queue_row import MASK, fit


class EntryKind(StrEnum):
    """What an entry of a thread is."""

    IN = "in"
    OUT = "out"
    CALL = "call"
    NOTE = "note"
    STEP = "step"


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadEntry:
    """One message, call, note or step, as plain values; text and author may come from outside.

    `channel` is shown as it is. `delivery` is the word for how a sent one stands (`held`,
    `sent`, `failed: no such number`) or how a call ended. `badge` is one word of caution
    (`unscreened`, `neutralised`). `folds` are the lines of the text that only quote, as (first,
    after the last); `files` a line for each thing that came with it, as an attachment.
    """

    id: int
    kind: EntryKind
    at: datetime
    text: str
    author: str = ""
    channel: str = ""
    delivery: str = ""
    badge: str = ""
    folds: tuple[tuple[int, int], ...] = ()
    files: tuple[str, ...] = ()


class Ink(StrEnum):
    """The style words of a thread's lines; the widget gives each a colour."""

    TEXT = "text"
    HEAD = "head"
    QUIET = "quiet"
    IN = "in"
    OUT = "out"
    NOTE = "note"
    FAILED = "failed"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """One line: pieces of text with their style words, safe and no wider than asked."""

    pieces: tuple[tuple[str, Ink], ...]
    entry: int


_TAGS = {
    EntryKind.IN: ("IN", Ink.IN),
    EntryKind.OUT: ("OUT", Ink.OUT),
    EntryKind.CALL: ("CALL", Ink.OUT),
    EntryKind.NOTE: ("NOTE", Ink.NOTE),
    EntryKind.STEP: ("", Ink.QUIET),
}
_GUTTER = 6
_QUOTE = re.compile(r"\s*(>|… \d+ quoted lines? \(u opens\)$|On .{0,120}wrote:$|-{2,}\s*Original Message)")
_FAILED = re.compile(r"fail|bounce|refus|suppress|unknown|expired", re.IGNORECASE)
_LONGEST = 65_536
"""Characters of one message that are laid out; what is longer says so at its end."""


def thread_lines(
    entries: tuple[ThreadEntry, ...],
    width: int,
    now: datetime,
    zone: tzinfo,
    *,
    masked: bool = False,
    unfolded: bool = False,
) -> list[ThreadLine]:
    """All lines of a thread in `width` cells, oldest first, an empty line between entries.

    What only quotes is one line, unless it is `unfolded`.
    """
    lines: list[ThreadLine] = []
    for entry in entries:
        try:
            shown = replace(entry, folds=()) if unfolded else entry
            lines += _entry_lines(shown, max(width, _GUTTER + 8), now, zone, masked=masked)
        except Exception as error:  # noqa: BLE001 - one message that cannot be shown must not take the thread along
            said = f"This message cannot be shown: incident {crash.record(error).id}."
            lines.append(ThreadLine(((said, Ink.FAILED),), entry.id))
        if entry.kind is not EntryKind.STEP:
            lines.append(ThreadLine((), entry.id))
    return lines


def _entry_lines(entry: ThreadEntry, width: int, now: datetime, zone: tzinfo, *, masked: bool) -> Iterator[ThreadLine]:
    at = entry.at.astimezone(zone)
    when = f"{at:%a} {at.day} {at:%b %H:%M}"
    if entry.kind is EntryKind.STEP:
        said = " · ".join(part for part in (one_line(entry.text), one_line(entry.author), when) if part)
        yield ThreadLine(((" " * _GUTTER, Ink.QUIET), (fit(said, width - _GUTTER).rstrip(), Ink.QUIET)), entry.id)
        return
    yield _head(entry, when, width, now, masked=masked)
    body = MASK if masked else visible(entry.text[:_LONGEST])
    ink = Ink.NOTE if entry.kind is EntryKind.NOTE else Ink.TEXT
    for paragraph in _folded(body, () if masked else entry.folds):
        of_line = Ink.QUIET if _QUOTE.match(paragraph) else ink
        for line in Content(paragraph).wrap(width - _GUTTER) if paragraph.strip() else [Content()]:
            yield ThreadLine(((" " * _GUTTER, ink), (line.plain.rstrip(), of_line)), entry.id)
    for file in entry.files:
        for line in Content(MASK if masked else one_line(file)).wrap(width - _GUTTER):
            yield ThreadLine(((" " * _GUTTER, ink), (line.plain.rstrip(), Ink.HEAD)), entry.id)
    if len(entry.text) > _LONGEST:
        cut = f"… {len(entry.text) - _LONGEST:,} characters more are not shown."
        yield ThreadLine(((" " * _GUTTER, ink), (fit(cut, width - _GUTTER).rstrip(), Ink.QUIET)), entry.id)


def _folded(body: str, folds: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """The text's lines, each fold as one line that says how many it stands for."""
    lines = body.split("\n")
    at = 0
    for first, after in folds:
        yield from lines[at:first]
        count = after - first
        yield f"… {count} quoted line{'s' if count > 1 else ''} (u opens)"
        at = after
    yield from lines[at:]


def _head(entry: ThreadEntry, when: str, width: int, now: datetime, *, masked: bool) -> ThreadLine:
    tag, ink = _TAGS[entry.kind]
    by_patient = entry.kind is EntryKind.IN
    author = MASK if masked and by_patient else one_line(entry.author)
    internal = "INTERNAL" if entry.kind is EntryKind.NOTE else ""
    facts = [internal, author, one_line(entry.channel), when, ago(entry.at, now) if by_patient else ""]
    told_in = Ink.NOTE if entry.kind is EntryKind.NOTE else Ink.HEAD
    state_in = Ink.FAILED if _FAILED.search(entry.delivery) else Ink.QUIET
    parts = [
        (one_line(entry.badge), Ink.FAILED),
        *((fact, told_in) for fact in facts),
        (one_line(entry.delivery), state_in),
    ]
    pieces = [(fit(tag, _GUTTER), ink)]
    room = width - _GUTTER
    for text, inked in parts:
        between = " · " if text and len(pieces) > 1 else ""
        if not text or room <= len(between):
            continue
        shown = text if cell_len(text) <= room - len(between) else fit(text, room - len(between))
        pieces += [(between, told_in), (shown, inked)] if between else [(shown, inked)]
        room -= len(between) + cell_len(shown)
    return ThreadLine(tuple(pieces), entry.id)
