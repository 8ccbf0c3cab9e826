"""The frame of every question: a panel over the screen, which leaves the alarm line in view."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from crm_tui.terminal import plain

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer | None]):
    """A question with one answer; escape answers None."""

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss_none", "Back", show=False)]
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: transparent;
        #dialog {
            width: 64;
            max-width: 100%;
            height: auto;
            max-height: 90%;
            background: $surface;
            border: round $border;
            border-title-color: $foreground;
            border-title-style: bold;
            padding: 0 1;
        }
        #dialog-hint { color: $quiet; height: auto; margin-top: 1; }
        Input { height: 1; padding: 0; background: $panel; }
    }
    """

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__()
        self._dialog_title = title
        self._hint = hint

    def compose(self) -> ComposeResult:
        """The panel around what `compose_question` yields."""
        with Vertical(id="dialog") as panel:
            panel.border_title = plain(self._dialog_title)
            yield from self.compose_question()
            yield Static(plain(self._hint), id="dialog-hint", markup=False)

    def compose_question(self) -> ComposeResult:
        """What stands between title and hint."""
        yield from ()

    def action_dismiss_none(self) -> None:
        self.dismiss(None)
