"""The templates of the library, a row each: its state, its name, its language, how often it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from crm_tui.commands import bindings
from crm_tui.terminal import one_line
from crm_tui.widgets.queue_row import fit

_STATE, _LANGUAGE, _SENT = 11, 3, 6
STATE_STYLES = {
    "approved": "$success",
    "draft": "$accent",
    "in review": "$warning",
    "retired": "$quiet",
    "review due": "bold $warning",
    "past review": "bold $due-late",
}
"""Each state's word says what its colour does."""


@dataclass(frozen=True, kw_only=True)
class TemplateRow:
    """One row; `state` is a word of STATE_STYLES."""

    id: str
    state: str
    title: str
    language: str
    sent: int


class TemplateList(OptionList):
    """One row a template and language; the highlight stays on its row when the library changes."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("down", "up", "first", "last")
    DEFAULT_CSS = """
    TemplateList {
        height: 1fr;
        border: none;
        padding: 0;
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        text-wrap: nowrap;
        &:focus { border: none; background-tint: $foreground 0%; }
        & > .option-list--option { padding: 0 1; }
    }
    """

    @dataclass
    class Shown(Message):
        """Another row is highlighted; None where there is none."""

        template_list: TemplateList
        row_id: str | None

    class Opened(Shown):
        """The user chose it: on to its text."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._rows: tuple[TemplateRow, ...] = ()

    @property
    def row_id(self) -> str | None:
        """The highlighted row's id."""
        option = self.highlighted_option
        return option.id if option is not None else None

    def show_rows(self, rows: Sequence[TemplateRow]) -> None:
        """Show these rows; the highlight stays where its row still is."""
        if tuple(rows) == self._rows:
            return
        kept, self._rows = self.row_id, tuple(rows)
        self.clear_options()
        self.add_options([Option(self._prompt(row), id=row.id) for row in rows])
        self.highlighted = 0 if rows else None
        self.select_row(kept)
        if not rows:
            self.post_message(self.Shown(self, None))

    def select_row(self, row_id: str | None) -> None:
        """Highlight a row; nothing happens for one that is not shown."""
        for index, row in enumerate(self._rows):
            if row.id == row_id:
                self.highlighted = index

    def on_resize(self) -> None:
        """Lay the rows out for the new width."""
        for row in self._rows:
            self.replace_option_prompt(row.id, self._prompt(row))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say it in templates."""
        event.stop()
        self.post_message(self.Shown(self, event.option_id))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Say it in templates."""
        event.stop()
        self.post_message(self.Opened(self, event.option_id))

    def _prompt(self, row: TemplateRow) -> Content:
        width = (self.scrollable_content_region.width or 40) - 2 - _STATE - _LANGUAGE - _SENT
        return Content.assemble(
            (fit(row.state, _STATE), STATE_STYLES.get(row.state, "")),
            (fit(one_line(row.title), max(8, width)), "$quiet" if row.state == "retired" else ""),
            (row.language.rjust(_LANGUAGE), "$quiet"),
            ((f"{row.sent:,}" if row.sent else "·").rjust(_SENT), "" if row.sent else "$quiet"),
        )
