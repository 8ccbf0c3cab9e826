"""docs/cli.md is what the commands say."""

from __future__ import annotations

from pathlib import Path

from crm_tui.cli.reference import reference

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_reference_is_as_the_commands_are_now() -> None:
    assert DOCUMENT.read_text("utf-8") == reference(), "run: python -m crm_tui.cli.reference > docs/cli.md"
