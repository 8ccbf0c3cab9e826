"""`make screenshots`: pictures of the real console over the demo clinic, for the README.

The clinic, its clock and the size are fixed, so a picture changes only when the console does.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from crm_core.app import Crm, found, open_crm
from crm_core.clock import ShiftedClock
from crm_core.demo.plan import make_plan
from crm_core.demo.playing import Player
from crm_tui.app import CrmApp
from crm_tui.desk.entrance import Entrance
from tests.conftest import MASTER, MONDAY, settings_in

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
SIZE = (120, 36)
VISITOR = "visitor"

_REMOTE_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Textual's pictures ask a host for their font; ours take what the reader has."""


def demo_store(home: Path) -> None:
    """The demo clinic as it is on a Monday morning."""
    plan = make_plan(MONDAY)
    clock = ShiftedClock(plan.begins)
    with found(settings_in(home), MASTER, clock) as crm:
        Player(crm, clock, plan, VISITOR).play()


def keep(app: CrmApp, name: str) -> None:
    """Write what is on screen to docs/screenshots."""
    FOLDER.mkdir(exist_ok=True)
    picture = _REMOTE_FONT.sub("", app.export_screenshot(title="crm"))
    picture = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)
    (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
    sys.stderr.write(f"docs/screenshots/{name}.svg\n")


async def settled(pilot: Pilot[None]) -> None:
    """Until the workers have answered and the screen is painted."""
    for _ in range(8):
        await pilot.pause(0.1)
        await pilot.app.workers.wait_for_complete()
    await pilot.pause(0.6)


async def take(crm: Crm) -> None:
    """Sign in, look at a lane, take the next item, choose a template."""
    app = CrmApp(crm, Entrance(crm, VISITOR))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("down", "down")
        await settled(pilot)
        keep(app, "lanes")
        await pilot.press("n")
        await settled(pilot)
        keep(app, "conversation")
        await pilot.press("t")
        await settled(pilot)
        await pilot.press("down", "down")
        await settled(pilot)
        keep(app, "template")


def main() -> None:
    """Make every picture."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        sys.stderr.write("Making the demo clinic…\n")
        demo_store(home)
        with open_crm(settings_in(home), master=MASTER, clock=ShiftedClock(MONDAY)) as crm:
            asyncio.run(take(crm))


if __name__ == "__main__":
    main()
