"""A screen of one list under one line that counts it: tasks, a shift's hand-over."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.widgets.line import Line
from crm_tui.widgets.task_list import TaskList


class ListScreen(ConsoleScreen):
    """`LIST` is the list's id and, with `-head`, the line's; `EMPTY` is what it says with no row."""

    LIST: ClassVar[str]
    NAME: ClassVar[str]
    EMPTY: ClassVar[str]

    def compose_body(self) -> ComposeResult:
        """How many, then the list."""
        yield Line(id=f"{self.LIST}-head")
        yield TaskList(now=self.console.now, empty=self.EMPTY, id=self.LIST)

    def on_mount(self) -> None:
        """Ask for the first page."""
        self.context(self.NAME)
        self.mask(masked=self.console.masked)
        self.listed.focus()
        self.listed.restart()

    @property
    def listed(self) -> TaskList:
        """The list."""
        return self.query_one(TaskList)

    def look_again(self) -> None:
        """Ask for the rows anew; the cursor stays on its row."""
        for listed in self.query(TaskList):
            listed.reload()

    def mask(self, *, masked: bool) -> None:
        """Mask who it is and what is to be done."""
        self.listed.masked = masked
