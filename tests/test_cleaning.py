"""What text from outside may still hold after it was cleaned: nothing that acts, hides or crashes."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len, chop_cells, set_cell_size, split_text
from rich.console import Console
from rich.text import Text
from textual.content import Content

from crm_core.cleaning import LONGEST, clean, inert, single_line

POISON = "\u200d\U0001f469 hello"
"""A leading joiner before an emoji: it crashed Rich's cell splitting with markup off."""

_HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\x00\x1b\x07\x9b\x9d\u200b\u200c\u200d\u200e\u202a\u202e\u2066\u2069\ufe0e\ufe0f\ufeff\u20e3\u0301\u0e33"
            "\U0001f469\U0001f3fd\U0001f1fa\U0001f1f8\u2764\U000e0041\U000e007f\ud800\udfff\u3164\u2028a1 漢ｱ"
        ),
    ),
    max_size=40,
)


def _drawn(text: str) -> None:
    """Lay `text` out at every width that a pane can have, as Rich and Textual do."""
    console = Console(width=60)
    for width in range(1, 61):
        set_cell_size(text, width)
        chop_cells(text, width)
        split_text(text, min(width, cell_len(text)))
        list(Text(text).wrap(console, width))
        Content(text).wrap(width)


@pytest.mark.parametrize(
    ("raw", "shown", "hidden"),
    [
        ("\x1b]52;c;aGk=\x07hi", "]52;c;aGk=hi", 2),
        ("\x1b[2Jgone\x9b31m", "[2Jgone31m", 2),
        ("a\u202ebc", "abc", 1),
        ("\u2066x\u2069", "x", 2),
        ("za\u200bz", "zaz", 1),
        ("\ufeffHi", "Hi", 1),
        ("flag\U000e0067\U000e007f", "flag", 2),
        ("\ud800half", "half", 1),
        ("nul\x00", "nul", 1),
        ("blank\u3164\u2800", "blank", 2),
        ("Z" + "\u0301" * 40, "\u0179" + "\u0301" * 3, 36),
    ],
)
def test_what_acts_or_hides_is_taken_out_and_counted(raw: str, shown: str, hidden: int) -> None:
    assert (clean(raw).text, clean(raw).hidden) == (shown, hidden)


@pytest.mark.parametrize(
    "text",
    [
        "Ann [/b] Lee",
        "[@click=app.quit]Bob[/]",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 ok",
        "\u2764\ufe0f\u200d\U0001f525",
        "1\ufe0f\u20e3",
        "می\u200cخواهم",
        "क्\u200dष",
        "Nguyễn Thị Ánh",
        "שָׁלוֹם",
        "两行\n文字",
    ],
)
def test_what_people_write_stays_as_they_wrote_it(text: str) -> None:
    assert clean(text) == clean(clean(text).text)
    assert (clean(text).text, clean(text).hidden) == (text, 0)
    assert inert(text.replace("\n", " ")) == text.replace("\n", " ")


def test_line_ends_become_line_feeds_tabs_spaces_and_letters_are_composed() -> None:
    assert clean("a\r\nb\rc\u2028d\u2029e\x85f\x0bg\th").text == "a\nb\nc\nd\ne\nf\ng h"
    assert clean("e\u0301").text == "\u00e9"


def test_a_text_beyond_the_longest_is_cut_and_says_so() -> None:
    assert clean("x" * LONGEST).truncated is False
    for each in "xé":
        cut = clean(each * (LONGEST + 1))
        assert (len(cut.text), cut.truncated) == (LONGEST, True)
    composes_longer = clean("\u0958" * LONGEST)
    assert (len(composes_longer.text), composes_longer.truncated) == (LONGEST, True)


def test_a_name_is_one_line_without_runs_of_space() -> None:
    assert single_line(" Ann\r\n\tMarie \u202e Lee\u2028") == "Ann Marie Lee"


def test_a_shown_line_marks_what_was_taken_out() -> None:
    assert inert("a\u202eb\x1b[31m\nc") == "a\ufffdb\ufffd[31m c"


@given(_HOSTILE)
@example(POISON)
def test_nothing_that_acts_or_hides_is_left(text: str) -> None:
    for cleaned in (clean(text).text, inert(text)):
        left = {unicodedata.category(each) for each in cleaned if each not in "\n\u200c\u200d"}
        assert not left & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        cleaned.encode("utf-8")
    assert "\n" not in inert(text) + single_line(text)


@given(_HOSTILE)
@example(POISON)
def test_cleaning_what_is_clean_changes_nothing(text: str) -> None:
    once = clean(text)
    assert clean(once.text).text == once.text
    assert inert(inert(text)) == inert(text)


@given(_HOSTILE)
@example(POISON)
@example("\u200c\u0301\U0001f469\u200d")
def test_cleaned_text_is_laid_out_at_any_width(text: str) -> None:
    _drawn(clean(text).text)
    _drawn(inert(text))


def test_the_naughty_strings_are_laid_out_at_any_width(shared_data: Path) -> None:
    for file in (shared_data / "messy" / "naughty-strings").glob("*.json"):
        for text in json.loads(file.read_text("utf-8")):
            _drawn(clean(text).text)
            _drawn(inert(text))
