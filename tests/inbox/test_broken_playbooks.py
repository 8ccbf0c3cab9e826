"""However a playbook is broken, every mistake is told at once with its file and line, and nothing breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_core.inbox.playbook.section import LanesSection
from crm_core.playbook.problems import PlaybookErrors
from tests.inbox.test_section import CATEGORIES, LANES, ROUTING, WORDS, loaded

RULE = '[rule.bill]\ntitle = "Bills"\n'
CONDITION = '{ field = "text", op = "contains_any", value = ["@bill"] }'
GOOD = {"lanes": LANES, "categories": CATEGORIES, "words": WORDS, "routing": ROUTING}


def told(folder: Path, **changed: str) -> list[tuple[str, int | None, str]]:
    """File, line and message of every mistake."""
    with pytest.raises(PlaybookErrors) as caught:
        loaded(folder, **changed)
    return [(one.file, one.line, one.message) for one in caught.value.problems]


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        ("routing", "all = [", "all = [[", 5, "is not TOML"),
        ("routing", 'category = "other"', "category = other", 5, "is not TOML"),
        ("routing", 'title = "Bills"', 'title = "Bills', 3, "is not TOML"),
        ("routing", RULE, RULE + "title = 3\n", 4, "is not TOML"),
        ("routing", "[rule.rest]", "[rule.bill]", 7, "is not TOML"),
        ("routing", 'title = "Bills"', "title = 3", 3, "valid string"),
        ("routing", 'title = "Bills"', 'title = ""', 3, "at least 1 character"),
        ("routing", 'title = "Bills"\n', "", 2, "is missing"),
        ("routing", 'title = "Bills"', 'title = "Bills"\ncolour = "red"', 4, "is not a known key"),
        ("routing", 'title = "Bills"', 'title = "Bills"\nlane = "physician_review"', 4, "nurse's escalation only"),
        ("routing", 'title = "Bills"', 'title = "Bills"\npriority = "soon"', 4, "'stat'"),
        ("routing", 'title = "Bills"', 'title = "Bills"\nassign = "nurse"', 4, "is a role"),
        ("routing", 'title = "Bills"', 'title = "Bills"\nassign = 7', 4, "valid string"),
        ("routing", 'title = "Bills"', 'title = "Bills"\nyields_to = ["rest"]', 4, "is tried before this one"),
        ("routing", CONDITION, '"the text speaks of bills"', 4, "is not a table"),
        ("routing", CONDITION, "{ }", 4, "give it a field"),
        ("routing", CONDITION, '{ field = "weather", op = "is_any", value = ["rain"] }', 4, "'weather'"),
        ("routing", CONDITION, '{ field = "text", op = "contains_any", value = "bill" }', 4, "is not a list"),
        ("routing", CONDITION, '{ field = "text", op = "contains_any", value = [["bill"]] }', 4, "valid string"),
        ("routing", CONDITION, '{ field = "text", op = "contains_any", value = [] }', 4, "at least 1 item"),
        ("routing", CONDITION, '{ field = "word_count", op = "at_most", value = 1e9 }', None, ""),
        ("routing", CONDITION, '{ field = "word_count", op = "at_most", value = "ten" }', 4, "valid integer"),
        ("routing", CONDITION, '{ field = "time_of_day", op = "between", value = ["9am", "5pm"] }', 4, "time"),
        ("routing", CONDITION, '{ field = "category", op = "is_any", value = ["rent"] }', 4, "no category 'rent'"),
        ("routing", CONDITION, '{ field = "segment", op = "is_any", value = ["all"] }', 4, "segments.toml has none"),
        ("routing", CONDITION, '{ field = "pending", op = "is_any", value = ["parcel"] }', 4, "'appointment'"),
        ("words", '["bill"]', '["bill", "", "a|", "*"]', 4, "begins and ends with a word"),
        ("words", '["bill"]', '["bill", "x*y"]', 4, "a star stands alone"),
        ("words", "[list.bill]", "[[list.bill]]", 2, "is not a table"),
        ("words", "[list.bill]", "[list.Bill]", 2, "pattern"),
        ("words", WORDS, "list = 3\n", 1, "is not a table"),
        ("words", WORDS, "\x00", 1, "is not TOML"),
        ("words", WORDS, "x = " + "[" * 5_000, None, "nested too deeply"),
        ("categories", CATEGORIES, "", None, "is missing"),
        ("lanes", LANES, "# nothing yet\n", None, "is missing"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    tmp_path: Path, *, file: str, old: str, new: str, line: int | None, message: str
) -> None:
    assert old in GOOD[file]
    changed = {file: GOOD[file].replace(old, new, 1)}
    if not message:
        loaded(tmp_path, **changed)
        return
    found = told(tmp_path, **changed)
    assert any(where == f"{file}.toml" and message in said and line in (None, at) for where, at, said in found), found


def test_every_file_tells_its_mistakes_at_once(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        lanes=LANES.replace('"office"', '"moon"').replace('"4h"', '"4 hours"'),
        categories=CATEGORIES.replace('"desk"', "3").replace('"Read it"', '""'),
        words=WORDS.replace('["bill"]', '["bill ..", "*", 3, "fine"]'),
        routing=ROUTING.replace('"contains_any"', '"rhymes_with"').replace('category = "other"\n\n', "\n"),
        segments='[segment.x]\ntitle = "X"\nall = [{ field = "channel", op = "is_any", value = ["sms"] }]\n',
        stray="x = 1\n",
    )
    assert {file for file, _, _ in found} == {
        "lanes.toml", "categories.toml", "words.toml", "routing.toml", "segments.toml", "stray.toml",
    }  # fmt: skip
    assert sum(file == "words.toml" for file, _, _ in found) == 3
    assert sum(file == "categories.toml" for file, _, _ in found) == 2
    assert all(line is not None for file, line, _ in found if file != "stray.toml")


def test_lists_that_include_each_other_in_a_circle_or_themselves_do_no_harm(tmp_path: Path) -> None:
    circle = "".join(
        f'[list.{name}]\ntitle = "{name}"\nwords = ["{name}"]\ninclude = ["{other}"]\n\n'
        for name, other in (("bill", "fee"), ("fee", "due"), ("due", "bill"), ("own", "own"))
    )
    routing = ROUTING.replace('["@bill"]', '["@bill", "@own"]')
    playbook = loaded(tmp_path, words=circle, routing=routing)
    assert playbook.section(LanesSection).catch_all.key == "desk"


def test_a_word_list_too_many_to_name_is_still_told_line_by_line(tmp_path: Path) -> None:
    words = "[list.bill]\ntitle = 'bills'\nwords = [\n" + "".join(f'  "bad{n} ..",\n' for n in range(300)) + "]\n"
    lines = [line for file, line, _ in told(tmp_path, words=words) if file == "words.toml"]
    assert lines == list(range(4, 304))
