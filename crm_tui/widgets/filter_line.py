"""The filter of a list: a line to type in, which says FILTERED for as long as it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from crm_tui.terminal import plain
from crm_tui.widgets.line import Line

_PAUSE = 0.2


class FilterLine(Vertical):
    """Hidden until `open`; enter keeps the filter and goes back to the list, escape clears it.

    Below it stands what is to be said about what was typed: a mistake, or where it looked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "Clear the filter", show=False)]
    DEFAULT_CSS = """
    FilterLine {
        height: auto;
        background: $panel;
        padding: 0 1;
        display: none;
        Horizontal { height: 1; }
        Input { height: 1; padding: 0; width: 1fr; background: $panel; }
        #filter-count { width: auto; color: $warning; text-style: bold; }
        #filter-said { height: auto; color: $quiet; display: none; }
        #filter-said.-shown { display: block; }
        #filter-said.-wrong { color: $warning; }
        &.-shown { display: block; }
    }
    """

    @dataclass
    class Changed(Message):
        """The list is to show what answers to `text`, or all for an empty one; `settled` once enter said so."""

        filter_line: FilterLine
        text: str
        settled: bool = False

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
        with Horizontal():
            yield Input(compact=True, placeholder=self._placeholder)
            yield Line(id="filter-count")
        yield Static(id="filter-said", markup=False)

    @property
    def text(self) -> str:
        """What holds now; empty for no filter."""
        return self.query_one(Input).value.strip()

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-shown")
        self.query_one(Input).focus()

    def put(self, text: str) -> None:
        """Show a filter that holds already, as one does that a view brought along."""
        self._posted = text
        self.query_one(Input).value = text
        self.set_class(bool(text), "-shown")

    def cover(self, covered: bool) -> None:
        """Draw what is typed as dots, or as itself."""
        self.query_one(Input).password = covered

    def say(self, words: str, *, wrong: bool = False) -> None:
        """Say something below what is typed, or nothing."""
        said = self.query_one("#filter-said", Static)
        said.update(plain(words))
        said.set_class(bool(words), "-shown")
        said.set_class(wrong, "-wrong")

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
        self._post(settled=True)
        self.set_class(bool(self.text), "-shown")
        self.post_message(self.Left())

    def _post(self, *, settled: bool = False) -> None:
        if self._resting is not None:
            self._resting.stop()
            self._resting = None
        if settled or self.text != self._posted:
            self._posted = self.text
            self.post_message(self.Changed(self, self.text, settled))
