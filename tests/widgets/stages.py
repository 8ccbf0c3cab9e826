"""Apps that put the queue, hostile text and crashes on a stage; people in them are made up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from textual.app import ComposeResult
from textual.widgets import Label, OptionList, Static
from textual.widgets.option_list import Option

from crm_tui.safe_app import SafeApp
from crm_tui.terminal import plain
from crm_tui.widgets.queue_list import QueueList
from crm_tui.widgets.queue_row import QueueRow

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)

_NAMES = ("Ann Marsh", "Bo Lindqvist", "Cyd O'Hara", "Dao Pham", "Eve Okafor", "Fay Zieliński", "Gus Peña", "Hal Iwu")
_CATEGORIES = ("refill", "scheduling", "billing", "result_question", "clinical_advice", "form", "records_request")
_STATES = ("new", "open", "waiting_patient", "snoozed", "waiting_other")
_OWNERS = ("", "mine", "Kim R.", "")
_PRIORITIES = ("routine", "routine", "urgent", "routine", "asap", "routine", "stat")


def made_row(index: int) -> QueueRow:
    """A row of the made queue; the same for the same index."""
    due = NOW + timedelta(minutes=index * 7 - 130)
    return QueueRow(
        id=1000 + index,
        patient=f"{_NAMES[index % 8]} {index}",
        category=_CATEGORIES[index % 7],
        state=_STATES[index % 5],
        owner=_OWNERS[index % 4],
        priority=_PRIORITIES[index % 7] if index > 1 else "stat",
        danger=index < 2,
        due_at=due if index % 9 else None,
        paused=index % 13 == 5,
        badge="unscreened" if index == 4 else "",
        key=(index,),
    )


class QueueStage(SafeApp[None]):
    """A queue of `total` made rows, answered at once; counts what was asked."""

    def __init__(self, total: int = 500, make: Callable[[int], QueueRow] = made_row) -> None:
        super().__init__()
        self.rows_total = total
        self.make = make
        self.asked: list[QueueList.PageWanted] = []
        self.said: list[QueueList.RowMessage] = []

    def compose(self) -> ComposeResult:
        yield Static("top line", markup=False)
        yield QueueList(now=lambda: NOW)

    def on_mount(self) -> None:
        queue = self.query_one(QueueList)
        queue.focus()
        queue.reload()

    def on_queue_list_page_wanted(self, event: QueueList.PageWanted) -> None:
        self.asked.append(event)
        rows = [self.make(index) for index in range(event.index, min(event.index + event.limit, self.rows_total))]
        event.queue.provide_page(event.generation, event.index, rows, self.rows_total)

    def on_queue_list_cursor_moved(self, event: QueueList.CursorMoved) -> None:
        self.said.append(event)

    def on_queue_list_chosen(self, event: QueueList.Chosen) -> None:
        self.said.append(event)


HOSTILE = (
    "\x1b]52;c;SEFDS0VE\x07OSC Lee",
    "[@click=app.quit]Bob[/]",
    "[/]",
    "[b",
    "[[nested] [b]] [/b]",
    "\u200d\U0001f600 poison",
    "\u202eevil",
    "\x9b31mC1 \x07bell",
    "\x1b]0;TITLE\x07",
    "half \ud83d surrogate",
)
"""Names and messages that have taken consoles down, or over."""


class HostileStage(QueueStage):
    """Hostile text in static, label, option list, queue and toast."""

    CSS = "Static, Label { height: 1; } #options { height: 4; } QueueList { height: 10; } "

    def __init__(self) -> None:
        super().__init__(len(HOSTILE), lambda index: replace(made_row(index), patient=HOSTILE[index], badge="text"))

    def compose(self) -> ComposeResult:
        yield Static("".join(HOSTILE), markup=False)
        yield Label(plain(HOSTILE[1]))
        yield OptionList(*(Option(text) for text in HOSTILE), markup=False, id="options")
        yield from super().compose()

    def on_mount(self) -> None:
        for text in HOSTILE[:2]:
            self.notify(text, title=text)


class CrashStage(SafeApp[None]):
    """Breaks, with a patient in its locals, when a key is pressed."""

    BINDINGS = [("b", "break"), ("w", "work"), ("t", "task")]

    def compose(self) -> ComposeResult:
        yield Static("ready", markup=False)

    def action_break(self) -> None:
        patient = "Sentinel Patient"
        raise ValueError(f"no such person: {patient}")

    def action_work(self) -> None:
        self.run_worker(self._fail, thread=True)

    def _fail(self) -> None:
        patient = "Sentinel Patient"
        try:
            self.action_break()
        except ValueError as error:
            raise LookupError(patient) from error

    def action_task(self) -> None:
        async def fail() -> None:
            self._fail()

        self.lost = asyncio.get_running_loop().create_task(fail())
        self.lost.add_done_callback(lambda _: self.exit(message="done"))
        del self.lost
