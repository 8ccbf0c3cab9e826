"""A text is counted in the parts in which carriers send it."""

from __future__ import annotations

import pytest

from crm_core.channels.gateways.segments import segments


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é" * 160, 1),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # A letter of two units is never cut in two: 153 and 67 are odd.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
        ("👍" * 66, 2),
        ("👍" * 67, 3),
        ("a" * 1600, 11),
        ("á" * 1600, 24),
    ],
)
def test_a_text_goes_out_in_so_many_parts(text: str, parts: int) -> None:
    assert segments(text) == parts
