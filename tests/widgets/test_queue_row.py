"""How a row of a queue is laid out, at every width and with any text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from crm_tui.widgets.clock_cell import Urgency, ago, clock_cell, span
from crm_tui.widgets.queue_row import MASK, Column, QueueRow, Tone, cells, columns

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
POISON = "\u200d\U0001f600 Ann"


def _text(row: QueueRow, width: int, *, masked: bool = False) -> str:
    clock = clock_cell(row.due_at, NOW, paused=row.paused)
    return "".join(text for text, _ in cells(row, clock, width, masked=masked))


@pytest.mark.parametrize(
    ("minutes", "text", "short", "urgency"),
    [
        (0, "due now", "due now", Urgency.SOON),
        (12, "due in 12 min", "12 min", Urgency.SOON),
        (31, "due in 31 min", "31 min", Urgency.CALM),
        (125, "due in 2 h", "2 h", Urgency.CALM),
        (60 * 24 * 3, "due in 3 d", "3 d", Urgency.CALM),
        (-5, "5 min late", "5 min late", Urgency.LATE),
        (-125, "2 h late", "2 h late", Urgency.LATE),
    ],
)
def test_a_clock_says_how_long_in_one_unit(minutes: int, text: str, short: str, urgency: Urgency) -> None:
    clock = clock_cell(NOW + timedelta(minutes=minutes), NOW)
    assert (clock.text, clock.short, clock.urgency) == (text, short, urgency)


def test_a_paused_or_missing_clock_is_a_word_of_its_own() -> None:
    assert clock_cell(NOW, NOW, paused=True).text == "clock paused"
    assert clock_cell(None, NOW).text == "no clock"
    assert ago(NOW - timedelta(seconds=20), NOW) == "just now"
    assert span(timedelta(hours=47)) == "47 h"


def test_the_name_stays_at_every_width_and_columns_leave_in_order() -> None:
    shown = {width: [column for column, _ in columns(width)] for width in (30, 46, 60, 79, 120)}
    assert shown[30] == [Column.MARK, Column.CLOCK, Column.PATIENT]
    assert shown[46] == [Column.MARK, Column.CLOCK, Column.PRIORITY, Column.PATIENT]
    assert Column.CATEGORY not in shown[60]
    assert Column.OWNER in shown[60]
    assert shown[79] == shown[120] == list(Column)


@pytest.mark.parametrize(
    "name", ["Ann", POISON, "\u202eeva", "\x1b]52;c;QQ==\x07", "李" * 40, "z" + "\u0301" * 60, "[/b]"]
)
def test_a_row_is_exactly_as_wide_as_asked_whatever_the_name(name: str) -> None:
    row = QueueRow(id=1, patient=name, category=name, state="open", owner=name, badge="shared", due_at=NOW)
    for width in range(1, 201):
        text = _text(row, width)
        assert cell_len(text) == width
        assert not any(bad in text for bad in "\x1b\x07\u202e\u200d")


def test_a_badge_outlasts_the_end_of_a_long_name() -> None:
    row = QueueRow(id=1, patient="Maximiliana Featherstonehaugh", badge="shared")
    assert "· shared" in _text(row, 60)


def test_a_name_gives_way_to_a_badge_only_where_the_category_cannot() -> None:
    row = QueueRow(id=1, patient="Hazel Quinn", category="records request", badge="mine, escalated")
    assert "Hazel Quinn " in _text(row, 79) and "mine, escalated" in _text(row, 79)
    assert "records" not in _text(row, 79)
    short = QueueRow(id=1, patient="Bo", category="refill", badge="shared")
    assert "Bo · shared" in _text(short, 79) and "refill" in _text(short, 79)


def test_the_curtain_hides_the_name_and_nothing_else() -> None:
    row = QueueRow(id=1, patient="Ann Marsh", category="refill", owner="Kim")
    text = _text(row, 79, masked=True)
    assert MASK in text
    assert "Ann" not in text
    assert "refill" in text


def test_danger_stands_in_words_before_any_priority() -> None:
    row = QueueRow(id=1, patient="Ann", priority="routine", danger=True)
    assert ("DANGER  ", Tone.DANGER) in list(cells(row, clock_cell(None, NOW), 79))
