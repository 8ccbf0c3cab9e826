"""Text from outside stays text: the two fences, with strings made to break terminals."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.strip import Strip

from crm_tui.terminal import MARK, SafeText, forget, one_line, plain, visible

POISON = "\u200d\U0001f600 hello \u200d"


def _filtered(text: str) -> str:
    return "".join(segment.text for segment in SafeText().apply([Segment(text, Style())], Color(0, 0, 0)))


def _obeyed(text: str) -> list[str]:
    """Characters of `text` that a terminal would obey or not show."""
    controls = [c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c != "\n"]
    return controls + [c for c in text if c in "\u200b\u200d\u200e\u200f\u202a\u202e\u2066\u2069\ufeff\ufe0f"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ann [/b] Lee", "Ann [/b] Lee"),
        ("\x1b]52;c;QUJD\x07Bob", f"{MARK}]52;c;QUJD{MARK}Bob"),
        ("\x9b31mred", f"{MARK}31mred"),
        ("\u202eevil", f"{MARK}evil"),
        ("a\u200bb\ufeffc\u00add", "abcd"),
        ("\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f469\U0001f469\U0001f467"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("a\u200c b", "a b"),
        ("z" + "\u0301" * 40, "z" + "\u0301" * 4),
        ("\ud83d half", f"{MARK} half"),
        ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree    four"),
        ("Zieliński Peña 李", "Zieliński Peña 李"),
        ("\U0001fae8", "\U0001fae8"),
    ],
)
def test_what_is_unsafe_is_marked_or_left_out_and_the_rest_is_kept(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_has_no_line_breaks() -> None:
    assert one_line("one\ntwo\u2028three\x0bfour") == f"one two three{MARK}four"


def test_markup_in_data_is_literal() -> None:
    content = plain("[@click=app.quit]Bob[/] [b", "bold")
    assert isinstance(content, Content)
    assert content.plain == "[@click=app.quit]Bob[/] [b"
    assert not any("click" in str(span.style) for span in content.spans)


def test_the_filter_keeps_the_width_that_was_laid_out() -> None:
    for text in ("\x1b[31mBob", "a\u200db", "\u00ad\u00ad", POISON, "❤\ufe0f x", "\ud800x"):
        assert cell_len(_filtered(text)) == cell_len(text)
        assert not _obeyed(_filtered(text))


def test_ascii_passes_the_filter_untouched() -> None:
    segments = [Segment("Ann", Style()), Segment(" Lee", Style())]
    assert SafeText().apply(segments, Color(0, 0, 0)) is segments


def test_forgetting_empties_the_caches() -> None:
    visible("Zieliński")
    forget()
    from crm_tui import terminal

    assert terminal._visible.cache_info().currsize == 0


def test_the_poison_text_renders_at_every_width() -> None:
    for width in range(1, 61):
        for text in (POISON, "\u200d" * 5 + "\U0001f600", "\U0001f600\u200d", "\ufe0f\U0001f600"):
            content = plain(text)
            for line in content.wrap(width):
                assert line.cell_length <= max(width, 2)
            Strip([Segment(visible(text), Style())]).crop(0, width).divide([width])


def test_no_string_of_the_naughty_list_raises_or_passes(shared_data: Path) -> None:
    file = shared_data / "messy" / "naughty-strings" / "blns.json"
    if not file.exists():
        pytest.skip(f"no naughty strings ({file})")
    for text in json.loads(file.read_text(encoding="utf-8")):
        shown = visible(text)
        assert not _obeyed(shown), repr(text)
        split_graphemes(shown)
        assert not _obeyed(_filtered(text)), repr(text)
