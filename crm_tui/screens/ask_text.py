"""Ask for one line of words."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input

from crm_tui.widgets.dialog import Dialog


class AskText(Dialog[str]):
    """Answers what was typed; an empty line is no answer."""

    def __init__(self, title: str, placeholder: str = "") -> None:
        super().__init__(title, "enter takes · esc back")
        self._placeholder = placeholder

    def compose_question(self) -> ComposeResult:
        """The line."""
        yield Input(compact=True, placeholder=self._placeholder, id="ask-text")

    def on_mount(self) -> None:
        """Keys go to the line."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter answers."""
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())
