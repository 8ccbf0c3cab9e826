"""1: from a key to the first paint, in a queue over a store, against an OptionList of 50 rows."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from crm_core.access.model import Role
from crm_core.app import Crm
from crm_core.inbox.model import QueueItem
from crm_tui.desk.lanes import LanesDesk
from crm_tui.safe_app import SafeApp
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.queue_row import QueueRow
from tests.bench.figures import Figure, middle, p95
from tests.bench.stores import staff

LIMIT = 1.2
ROUNDS = 3
KEYS = 90
PEER_ROWS = 50
SIZE = (120, 40)
LONGEST = 10.0


class _Timed(App[None]):
    """Says when something was first painted after a key."""

    key_at = 0.0
    painted: asyncio.Event

    def _display(self, screen: Any, renderable: Any) -> None:
        if self.key_at and renderable is not None:
            self.took = time.perf_counter() - self.key_at
            self.key_at = 0.0
            self.painted.set()
        super()._display(screen, renderable)


class Peer(_Timed):
    """An OptionList of 50 rows."""

    def compose(self) -> ComposeResult:
        """A line above and the list, as in the queue."""
        yield Static("top line")
        yield OptionList(*(Option(f"{number:>4}  Routine  Ann Marsh  scheduling  open") for number in range(PEER_ROWS)))

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.query_one(OptionList).focus()


class Queue(_Timed, SafeApp[None]):
    """The console's queue of one lane, its pages read in threads from a store."""

    def __init__(self, desk: LanesDesk, lane: str) -> None:
        super().__init__()
        self._desk = desk
        self._lane = lane

    def compose(self) -> ComposeResult:
        """A line above and the queue."""
        yield Static("top line", markup=False)
        yield QueueList(now=self._desk.now)

    def on_mount(self) -> None:
        """Ask for the first page."""
        self.query_one(QueueList).focus()
        self.query_one(QueueList).reload()

    def on_queue_list_page_wanted(self, event: QueueList.PageWanted) -> None:
        """Read the page in a thread."""
        self.run_worker(lambda: self._read(event), thread=True, group="pages")

    def _read(self, event: QueueList.PageWanted) -> None:
        after = event.after[0] if event.after else None
        assert after is None or isinstance(after, QueueItem)
        page = self._desk.page(self._lane, limit=event.limit, offset=event.index, after=after)
        rows = [_row(item) for item in page.items]
        self.call_from_thread(event.queue.provide_page, event.generation, event.index, rows, page.total)


def _row(item: QueueItem) -> QueueRow:
    return QueueRow(
        id=item.conversation_id,
        patient=item.patient_name or "Unknown sender",
        category=item.category,
        state=item.state,
        owner=item.owner or "",
        priority=item.priority,
        danger=item.danger,
        due_at=item.due_at,
        key=(item,),
    )


def figure(crm: Crm, lane: str, size: int) -> Figure:
    """The 95th percentiles of keys by turns: so many in one app, so many in the other."""
    desk = LanesDesk(crm, staff(crm, Role.SUPERVISOR))
    ours, peer = asyncio.run(_both(desk, lane))
    return Figure(
        number=1,
        work="key to paint p95",
        size=size,
        unit="ms",
        measured=p95(ours) * 1000,
        floor=p95(peer) * 1000,
        limit=LIMIT,
        note=f"medians {middle(ours) * 1000:.2f} and {middle(peer) * 1000:.2f} ms",
    )


async def _both(desk: LanesDesk, lane: str) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    peers: list[float] = []
    for _ in range(ROUNDS):
        app = Queue(desk, lane)
        async with app.run_test(size=SIZE) as pilot:
            queue = app.query_one(QueueList)
            end = time.monotonic() + LONGEST * 6
            while queue.row is None:
                assert time.monotonic() < end, "the queue's first page never came"
                await pilot.pause(0.05)
            ours += await _keys(app, "j")
        peer = Peer()
        async with peer.run_test(size=SIZE) as pilot:
            await pilot.pause()
            peers += await _keys(peer, "down")
    return ours, peers


async def _keys(app: _Timed, key: str) -> list[float]:
    """Seconds from each key at the driver to the first paint it causes."""
    app.painted = asyncio.Event()
    driver = app._driver
    assert driver is not None
    taken = []
    for number in range(KEYS):
        await asyncio.sleep(0.01)
        app.painted.clear()
        app.key_at = time.perf_counter()
        driver.process_message(events.Key(key, key if len(key) == 1 else None))
        await asyncio.wait_for(app.painted.wait(), LONGEST)
        if number >= 10:
            taken.append(app.took)
    return taken
