"""Play every scene at both sizes and write the page; with words, only the scenes whose title holds one, to stdout."""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.tour.clinic import make_clinic
from tests.tour.driving import Shot, play
from tests.tour.page import PAGE, SIZES, Size, page
from tests.tour.scenes import SCENES
from tests.tour.steps import Scene

_AT_ONCE = int(os.environ.get("TOUR_AT_ONCE", "6"))


def main(words: list[str]) -> int:
    """Make the page; 1 where a step failed."""
    scenes = [one for one in SCENES if not words or any(word.lower() in one.title.lower() for word in words)]
    with tempfile.TemporaryDirectory(prefix="crm-tour-") as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        template = Path(folder)
        make_clinic(template)
        plays = {(scene.title, size): pool.submit(_play, scene, template, size) for scene in scenes for size in SIZES}
        shots: dict[tuple[str, Size], tuple[Shot, ...]] = {}
        failed = 0
        for at, one in plays.items():
            try:
                shots[at] = one.result()
            except AssertionError as error:
                failed += 1
                sys.stderr.write(f"{at[1]}: {error}\n")
    if failed:
        sys.stderr.write(f"{failed} of {len(plays)} failed; the page is left as it was.\n")
        return 1
    text = page(scenes, shots)
    if words:
        sys.stdout.write(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
    return 0


def _play(scene: Scene, template: Path, size: Size) -> tuple[Shot, ...]:
    shots = play(scene, template, size)
    sys.stderr.write(f"{size[0]}×{size[1]}  {scene.title}\n")
    return shots


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
