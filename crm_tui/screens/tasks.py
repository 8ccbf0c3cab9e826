"""Mode 4: what is to be done, by whom and by when."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.widgets.queue_list import QueueList


class TasksScreen(ConsoleScreen):
    """The open tasks, those due first on top."""

    MODE = "mode_tasks"
    FOOTER = ("back", "help", "undo")
    BINDINGS: ClassVar[list[BindingType]] = []

    def compose_body(self) -> ComposeResult:
        """The list."""
        yield QueueList(now=self.console.now, empty="No task waits.", id="tasks")

    def on_mount(self) -> None:
        """Say where one is."""
        self.context("Tasks")
        self.query_one(QueueList).focus()
