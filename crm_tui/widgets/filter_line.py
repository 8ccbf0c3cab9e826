"""The filter of a list: a line to type in, which says FILTERED for as long as it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from crm_tui.terminal import plain
from crm_tui.widgets.line import Line

_PAUSE = 0.2


class FilterLine(Horizontal):
    """Hidden until `open`; enter keeps the filter and goes back to the list, escape clears it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "Clear the filter", show=False)]
    DEFAULT_CSS = """
    FilterLine {
        height: 1;
        background: $panel;
        padding: 0 1;
        display: none;
        Input { height: 1; padding: 0; width: 1fr; background: $panel; }
        Line { width: auto; color: $warning; text-style: bold; }
        &.-shown { display: block; }
    }
    """

    @dataclass
    class Changed(Message):
        """The list is to show what answers to `text`, or all for an empty one."""

        filter_line: FilterLine
        text: str

        @property
        def control(self) -> FilterLine:
            return self.filter_line

    class Left(Message):
        """The user is done typing: the list wants the focus."""

    def __init__(self, placeholder: str = "filter: name, category, state, owner", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._placeholder = placeholder
        self._posted = ""
        self._resting: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Input(compact=True, placeholder=self._placeholder)
        yield Line()

    @property
    def text(self) -> str:
        """What holds now; empty for no filter."""
        return self.query_one(Input).value.strip()

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-shown")
        self.query_one(Input).focus()

    def show_count(self, shown: int, total: int) -> None:
        """Say `FILTERED 12 of 60` while a filter holds."""
        self.query_one(Line).show(plain(f"FILTERED {shown:,} of {total:,}" if self.text else ""))

    def action_clear(self) -> None:
        """Drop the filter and go back to the list."""
        self.query_one(Input).value = ""
        self.remove_class("-shown")
        self._post()
        self.post_message(self.Left())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter once the hands rest a moment."""
        event.stop()
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(_PAUSE, self._post)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter filters at once and goes back to the list."""
        event.stop()
        self._post()
        self.set_class(bool(self.text), "-shown")
        self.post_message(self.Left())

    def _post(self) -> None:
        if self._resting is not None:
            self._resting.stop()
            self._resting = None
        if self.text != self._posted:
            self._posted = self.text
            self.post_message(self.Changed(self, self.text))
