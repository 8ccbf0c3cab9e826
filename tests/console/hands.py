"""A person at the console: keys go in, the screen's lines come out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.worker import WorkerState
from typing_extensions import override

from crm_core.app import Crm
from crm_tui.app import CrmApp
from crm_tui.desk.entrance import Entrance

_BUSY = (WorkerState.PENDING, WorkerState.RUNNING)
_LONGEST = 20.0


class Ticker:
    """The console's monotonic clock, which a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let so many seconds go by."""
        self.now += seconds


class TestedApp(CrmApp):
    """The console; it looks at the pollers when a test asks it to, not when the host's clock says so."""

    __test__ = False

    @override
    def start_delivering(self) -> None:
        pass


class Hands:
    """Presses keys and reads the screen; every key waits until the store has answered."""

    def __init__(self, app: CrmApp, pilot: Pilot[None], ticker: Ticker) -> None:
        self.app = app
        self.pilot = pilot
        self.ticker = ticker

    async def press(self, *keys: str) -> None:
        """Press keys one after another, each by someone who has looked at the screen before."""
        for key in keys:
            await self.settle()
            self.ticker.pass_by(0.5)
            await self.pilot.press(key)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type a text without looking up."""
        await self.pilot.press(*("space" if one == " " else one for one in text))
        await self.settle()

    async def settle(self) -> None:
        """Wait until no store call is under way and its answer is on the screen."""
        for _ in range(2):
            await self.pilot.pause()
            await self.until(lambda: not any(worker.state in _BUSY for worker in self.app.workers))
        await self.pilot.pause()

    async def until(self, holds: Callable[[], bool], *, seconds: float = _LONGEST) -> None:
        """Wait for something to hold; AssertionError with the screen when it never does."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it never came about:\n" + "\n".join(self.lines)
            await asyncio.sleep(0.01)

    @property
    def lines(self) -> Sequence[str]:
        """The screen as a person reads it; what lies under a dialog is seen beside it."""
        compositor: Any = self.app.screen._compositor
        shown = ["".join(segment.text for segment in strip).rstrip() for strip in compositor.render_strips()]
        under = self.app.screen_stack[-2] if self.app.screen.is_modal and len(self.app.screen_stack) > 1 else None
        if under is None:
            return shown
        behind: Any = under._compositor
        return [*shown, *("".join(one.text for one in strip).rstrip() for strip in behind.render_strips())]

    @property
    def screen(self) -> str:
        """All lines in one."""
        return "\n".join(self.lines)

    def sees(self, text: str) -> bool:
        """Whether `text` is on the screen, wherever its line breaks."""
        return " ".join(text.split()) in " ".join(self.screen.replace("│", " ").split())

    def expect(self, text: str) -> None:
        """`text` must be on the screen; AssertionError with the screen when it is not."""
        assert self.sees(text), f"“{text}” is not on the screen:\n" + "\n".join(self.lines)

    @property
    def toasts(self) -> str:
        """What has been notified and not yet gone."""
        return "\n".join(one.message for one in self.app._notifications)

    async def come_in(self) -> None:
        """Sign in with enter, as the system user's own account without a password."""
        await self.settle()
        await self.press("enter")
        await self.until(lambda: self.app.front is not None)
        await self.settle()


@asynccontextmanager
async def console(
    crm: Crm, os_user: str, *, size: tuple[int, int] = (80, 24), signed_in: bool = True, login: str | None = None
) -> AsyncIterator[Hands]:
    """The real app over a real store, without a terminal."""
    ticker = Ticker()
    app = TestedApp(crm, Entrance(crm, os_user, login=login), monotonic=ticker)
    async with app.run_test(size=size) as pilot:
        hands = Hands(app, pilot, ticker)
        await hands.settle()
        if signed_in:
            await hands.come_in()
        yield hands
    app.wait_for_delivery()
