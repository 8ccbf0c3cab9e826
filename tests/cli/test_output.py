"""What a command prints, to scripts and to people."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from crm_core.vault.sealed import Shown
from crm_core.words import Priority
from crm_tui.cli.output import plain, print_json, print_people

HOSTILE = "Ann\x1b]52;c;ZXZpbA==\x07 [@click=app.quit]Lee[/]\u202e"


def test_a_document_becomes_json_with_times_in_utc_and_words_for_enums(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=-5)))
    print_json([{"due_at": at, "day": date(2026, 11, 26), "priority": Priority.STAT, "home": Path("/a"), "x": None}])
    assert json.loads(capsys.readouterr().out) == [
        {"due_at": "2026-11-23T15:00:00Z", "day": "2026-11-26", "priority": "stat", "home": "/a", "x": None}
    ]


def test_sets_are_sorted_and_opened_values_come_out_as_text() -> None:
    assert plain({"roles": {"nurse", "agent"}, "name": Shown("Ann")}) == {"roles": ["agent", "nurse"], "name": "Ann"}


def test_a_value_without_a_json_form_is_refused_rather_than_shown_as_its_repr() -> None:
    with pytest.raises(TypeError):
        plain({"x": object()})


@pytest.mark.parametrize("show", [print_json, print_people])
def test_no_escape_or_bidi_character_from_data_reaches_the_terminal(
    show: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(show)
    show([{"name": HOSTILE, HOSTILE: 1}])
    show({"name": HOSTILE, "body": f"one\n{HOSTILE}"})
    out = capsys.readouterr().out
    assert "[@click=app.quit]Lee[/]" in out
    assert not {character for character in out if character in "\x1b\x07\x9b\u202e"}


def test_columns_line_up_over_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_people([{"name": "李四", "lane": "refills"}, {"name": "Ann", "lane": "billing"}])
    from rich.cells import cell_len

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "lane"]
    starts = {
        cell_len(line[: line.index(word)]) for line, word in zip(lines, ("lane", "refills", "billing"), strict=True)
    }
    assert len(starts) == 1


def test_nothing_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    print_people([], "No conversation is waiting.")
    assert capsys.readouterr().out == "No conversation is waiting.\n"


def test_a_record_shows_lists_of_records_as_tables_under_their_name(capsys: pytest.CaptureFixture[str]) -> None:
    print_people({"conversation": "C-1", "messages": [{"at": datetime(2026, 1, 1, tzinfo=UTC), "text": "a\nb"}]})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "conversation  C-1"
    assert lines[1] == "messages"
    assert lines[2].split() == ["at", "text"]
    assert lines[3].endswith("a b")


def test_what_is_too_long_for_a_table_is_stacked_and_what_is_unknown_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_people([{"message": 1, "author": None, "text": "x" * 100}, {"message": 2, "author": "Ann", "text": "y"}])
    assert capsys.readouterr().out.splitlines() == [
        "message  1",
        "text",
        "  " + "x" * 100,
        "",
        "message  2",
        "author   Ann",
        "text     y",
    ]


def test_no_naughty_string_drives_the_terminal_or_stops_the_command(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strings = json.loads((shared_data / "messy" / "naughty-strings" / "blns.json").read_text("utf-8"))
    assert len(strings) > 200
    for show in (print_json, print_people):
        show([{"name": text, "lane": "billing"} for text in strings])
        show({"name": strings[0], "texts": strings, "body": "\n".join(strings)})
        out = capsys.readouterr().out
        assert {unicodedata.category(character) for character in set(out) - {"\n"}} & {"Cc", "Cs"} == set()
        assert not set(out) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
