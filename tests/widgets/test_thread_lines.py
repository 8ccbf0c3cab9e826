"""A thread as lines: who, how, when, in words; and any text at any width."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from crm_tui.widgets.thread_lines import EntryKind, Ink, ThreadEntry, thread_lines
from tests.widgets.stages import HOSTILE

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")


def _entry(kind: EntryKind = EntryKind.IN, text: str = "hello", **facts: Any) -> ThreadEntry:
    return ThreadEntry(id=1, kind=kind, at=NOW - timedelta(minutes=5), text=text, **facts)


def _texts(entry: ThreadEntry, width: int = 70, *, masked: bool = False) -> list[str]:
    lines = thread_lines((entry,), width, NOW, ZONE, masked=masked)
    return ["".join(text for text, _ in line.pieces) for line in lines]


def test_each_kind_has_a_word_and_the_clinics_time() -> None:
    assert _texts(_entry(author="Ann", channel="sms"))[0] == "IN    Ann · sms · Mon 23 Nov 09:55 · 5 min ago"
    out = _entry(EntryKind.OUT, author="Kim", channel="sms", delivery="delivered")
    assert _texts(out)[0] == "OUT   Kim · sms · Mon 23 Nov 09:55 · delivered"
    assert _texts(_entry(EntryKind.NOTE, author="Kim"))[0].startswith("NOTE  INTERNAL · Kim")
    assert _texts(_entry(EntryKind.CALL, author="Kim", delivery="reached"))[0].startswith("CALL  Kim")
    assert _texts(_entry(EntryKind.STEP, text="moved"))[0].startswith("      moved")


def test_a_failed_delivery_and_a_badge_stand_out() -> None:
    lines = thread_lines((_entry(EntryKind.OUT, delivery="failed: no such number", badge="held"),), 90, NOW, ZONE)
    loud = [text for text, ink in lines[0].pieces if ink is Ink.FAILED]
    assert loud == ["held", "failed: no such number"]


def test_quoted_text_is_quiet_and_empty_lines_are_kept() -> None:
    lines = thread_lines((_entry(text="new\n\n> old\nOn Monday Kim wrote:"),), 70, NOW, ZONE)
    inks = [line.pieces[-1][1] for line in lines[1:-1]]
    assert inks == [Ink.TEXT, Ink.TEXT, Ink.QUIET, Ink.QUIET]


@pytest.mark.parametrize("text", [*HOSTILE, "\u200d\U0001f600" * 30, "x" * 500, "李" * 200])
def test_no_line_is_wider_than_asked_and_none_is_lost(text: str) -> None:
    for width in (*range(14, 61), 120):
        lines = _texts(_entry(text=text, author=text, channel="sms", badge="text"), width)
        assert all(cell_len(line) <= width for line in lines)
        assert not set("".join(lines)) & set("\x1b\x07\x9b\u202e\u200d")
        assert len(lines) > 2


def test_a_message_that_never_ends_says_what_is_not_shown() -> None:
    lines = _texts(_entry(text="long " * 20_000))
    assert "characters more are not shown" in lines[-2]


def test_the_curtain_hides_the_patient_and_the_text() -> None:
    text = "".join(_texts(_entry(text="my results", author="Ann Marsh", channel="sms"), masked=True))
    assert "results" not in text
    assert "Ann" not in text
    assert "sms" in text


def test_what_is_quoted_is_one_line_until_it_is_unfolded() -> None:
    entry = replace(_entry(text="new\nOn Monday Kim wrote:\n> old\n> older\nthanks"), folds=((1, 4),))
    assert [line.strip() for line in _texts(entry)[1:-1]] == ["new", "… 3 quoted lines (u opens)", "thanks"]
    lines = thread_lines((entry,), 70, NOW, ZONE, unfolded=True)
    shown = ["".join(text for text, _ in line.pieces).strip() for line in lines]
    assert shown[1:-1] == ["new", "On Monday Kim wrote:", "> old", "> older", "thanks"]
    assert "3 quoted" not in "".join(_texts(entry, masked=True))


@pytest.mark.parametrize("name", HOSTILE)
def test_attachments_stand_under_the_text_and_behind_the_curtain(name: str) -> None:
    entry = replace(_entry(text="see this"), files=(f"[attachment 1: {name}, image/jpeg, 240 KB]",))
    for width in (14, 40, 70):
        lines = _texts(entry, width)
        assert all(cell_len(line) <= width for line in lines)
        assert not set("".join(lines)) & set("\x1b\x07\x9b\u202e")
    assert "attachment 1" in _texts(entry)[2]
    assert "jpeg" not in "".join(_texts(entry, masked=True))
