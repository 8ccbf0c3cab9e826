"""docs/tour.md, written from the screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from tests.tour.driving import Shot
from tests.tour.steps import Scene, Step, Typed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tour.md"

_WORTH_SAYING = 3

Size = tuple[int, int]
SIZES: tuple[Size, ...] = ((80, 24), (160, 48))

_HEAD = """# A tour of the console

Every verb of the console, done by its keys in a real terminal at 80×24 and at 160×48 over a small invented clinic.
The screens are what the terminal showed; colours are left out, and so are rows that only repeat the one above.
`make tour` does all of it anew and writes this page; it ends with an error where a key does not come to what is said
here. [keys.md](keys.md) lists the keys alone.
"""


def page(scenes: Sequence[Scene], shots: Mapping[tuple[str, Size], Sequence[Shot]]) -> str:
    """The whole page."""
    parts = [_HEAD, *(f"- [{scene.title}](#{_anchor(scene.title)})" for scene in scenes), ""]
    for scene in scenes:
        parts += [heading(scene), "", scene.why, ""]
        for number, step in enumerate(scene.steps):
            if not step.on_page:
                continue
            parts += [said(step), ""]
            for size in () if step.ends else SIZES:
                parts += _screen(shots[scene.title, size][number], size)
    return "\n".join(parts)


def heading(scene: Scene) -> str:
    """The line that begins a scene."""
    return f"## {scene.title}"


def said(step: Step) -> str:
    """A step's words and keys, as the page has them."""
    meanwhile = f"*Meanwhile: {step.meanwhile_says}*\n\n" if step.meanwhile_says else ""
    keys = " ".join(f"“{key.words}”" if isinstance(key, Typed) else f"`{key}`" for key in step.keys)
    pressed = f"\n\nPressed: {keys}" if keys else ""
    return f"### {step.title}\n\n{meanwhile}{step.why}{pressed}"


def _screen(shot: Shot, size: Size) -> list[str]:
    columns, rows = size
    fenced = ["```text", *_without_repeats(shot.lines), "```"]
    if size == SIZES[0]:
        return [*fenced, ""]
    return [f"<details><summary>The same at {columns}×{rows}</summary>", "", *fenced, "", "</details>", ""]


def _without_repeats(lines: Sequence[str]) -> list[str]:
    """The lines with three and more that only repeat the one above left out, and their number said."""
    kept: list[str] = []
    for line, same in groupby(lines):
        more = len(list(same)) - 1
        kept += [line] * (more + 1) if more < _WORTH_SAYING else [line, f"    ⋮ {more} more rows like this one"]
    return kept


def _anchor(title: str) -> str:
    kept = "".join(one for one in title.lower() if one.isalnum() or one in " -")
    return kept.replace(" ", "-")
