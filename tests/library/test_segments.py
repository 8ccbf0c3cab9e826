"""Counting text segments."""

from __future__ import annotations

import pytest

from crm_core.library.segments import segments


@pytest.mark.parametrize(
    ("text", "count", "encoding"),
    [
        ("", 0, "GSM-7"),
        ("a" * 160, 1, "GSM-7"),
        ("a" * 161, 2, "GSM-7"),
        ("a" * 306, 2, "GSM-7"),
        ("a" * 307, 3, "GSM-7"),
        ("€" * 80, 1, "GSM-7"),
        ("€" * 81, 2, "GSM-7"),
        ("mañana ¿qué?", 1, "GSM-7"),
        ("á" * 70, 1, "UCS-2"),
        ("á" * 71, 2, "UCS-2"),
        ("á" * 134, 2, "UCS-2"),
        ("á" * 135, 3, "UCS-2"),
        ("😀" * 35, 1, "UCS-2"),
        ("😀" * 36, 2, "UCS-2"),
    ],
)
def test_a_text_takes_as_many_segments_as_carriers_bill(text: str, count: int, encoding: str) -> None:
    size = segments(text)
    assert (size.count, size.encoding) == (count, encoding)


def test_an_escaped_character_or_a_pair_is_never_cut_in_two() -> None:
    assert segments("a" * 152 + "€" + "a" * 152).count == 3
    assert segments("á" + "a" * 65 + "😀" + "a" * 66).count == 3


def test_the_characters_that_cost_the_short_alphabet_are_named() -> None:
    assert segments("día “lunes”").odd == ("í", "“", "”")
