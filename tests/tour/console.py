"""`python -m tests.tour.console HOME OS_USER`: the console as it ships, by a told time.

What would happen after a second or more of waiting (a flash that goes, a hold that ends, a
tick) happens when so much time has been told; what happens sooner keeps the host's time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.message_pump import MessagePump
from textual.timer import Timer
from textual.worker import WorkerState
from typing_extensions import override

from crm_core.app import open_crm
from crm_tui import crash
from crm_tui.app import CrmApp
from crm_tui.delivering import void
from crm_tui.desk.entrance import Entrance
from crm_tui.log import log_to
from tests.conftest import MASTER, settings_in
from tests.tour.told_time import ToldTime

PULSE = 0.1
_AT_ONCE = 1.0
"""Seconds below which a timer is left to the host's clock."""
_BUSY = (WorkerState.PENDING, WorkerState.RUNNING)


@dataclass
class _Waiting:
    """A timer by told time."""

    timer: Timer
    owner: MessagePump
    callback: Callable[[], Any]
    due: float
    every: float | None


class ToldTimers:
    """Takes the place of Textual's timers of a second and more."""

    def __init__(self, told: ToldTime) -> None:
        self._told = told
        self._waiting: list[_Waiting] = []

    def take_over(self) -> None:
        """From now on a widget's longer timers and intervals wait for told time."""
        set_timer, set_interval = MessagePump.set_timer, MessagePump.set_interval

        def timer(owner: MessagePump, delay: float, callback: Any = None, **more: Any) -> Timer:
            if delay < _AT_ONCE or callback is None:
                return set_timer(owner, delay, callback, **more)
            made = set_timer(owner, delay, callback, **{**more, "pause": True})
            self._waiting.append(_Waiting(made, owner, callback, self._told.seconds + delay, None))
            return made

        def interval(owner: MessagePump, every: float, callback: Any = None, **more: Any) -> Timer:
            if every < _AT_ONCE or callback is None:
                return set_interval(owner, every, callback, **more)
            made = set_interval(owner, every, callback, **{**more, "pause": True})
            self._waiting.append(_Waiting(made, owner, callback, self._told.seconds + every, every))
            return made

        MessagePump.set_timer = timer  # type: ignore[method-assign,assignment]
        MessagePump.set_interval = interval  # type: ignore[method-assign,assignment]

    def fire(self) -> bool:
        """Do what is due; False where nothing was."""
        now = self._told.seconds
        self._waiting = [one for one in self._waiting if one.timer._task is not None]
        due = [one for one in self._waiting if one.due <= now]
        for one in due:
            one.owner.call_next(one.callback)
            if one.every is None:
                one.timer.stop()
            else:
                one.due = now + one.every
        return bool(due)


class TourApp(CrmApp):
    """The console; at each pulse it says whether it has come to rest."""

    tour_time: ToldTime
    tour_timers: ToldTimers

    def on_mount(self) -> None:
        """Begin to pulse."""
        self.set_interval(PULSE, self._pulse)

    @override
    def deliver_in(self, seconds: float) -> None:
        """Play the poller beside, at the told time, in a worker that the pulse waits for."""
        self.set_timer(seconds + 0.5, lambda: self.read("deliver", self.crm.courier.run_once, void))

    @override
    def look_at_pollers(self) -> None:
        """The line about pollers is no part of a tour."""

    def _pulse(self) -> None:
        busy = self.tour_timers.fire() or any(worker.state in _BUSY for worker in self.workers)
        self.tour_time.pulse(busy=busy)


def main() -> None:
    """Open the home's store and the console on it."""
    home, os_user = Path(sys.argv[1]), sys.argv[2]
    os.chdir(home)
    crash.guard_process()
    log_to(home / "crm.log")
    with ToldTime(home / "told") as told, open_crm(settings_in(home), master=MASTER, clock=told) as crm:
        timers = ToldTimers(told)
        timers.take_over()
        app = TourApp(crm, Entrance(crm, os_user), monotonic=told.monotonic)
        app.tour_time, app.tour_timers = told, timers
        app.run()


if __name__ == "__main__":
    main()
