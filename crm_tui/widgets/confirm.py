"""Ask before what leaves the building or cannot be undone; the safe answer has the focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from crm_tui.terminal import one_line, plain
from crm_tui.widgets.dialog import Dialog

SAMPLES = 3
"""Of a bulk action so many are named."""


class Confirm(Dialog[bool]):
    """Yes or no: `y` is yes, `n`, enter and escape are no.

    With `count` it is a bulk action: the samples and what is excluded are shown, and the
    number must be typed to go.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", show=False),
        Binding("n", "no", "No", show=False),
        Binding("left,right", "app.focus_next", "Other answer", show=False),
    ]
    DEFAULT_CSS = """
    Confirm {
        #confirm-text { height: auto; }
        #confirm-answers { height: 1; margin-top: 1; }
        Button { height: 1; min-width: 10; border: none; margin-right: 2; background: $panel; color: $foreground; }
        Button:focus { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
        #confirm-number { margin-top: 1; width: 12; }
    }
    """

    def __init__(
        self,
        title: str,
        text: str,
        *,
        yes: str = "Yes",
        no: str = "No",
        count: int = 0,
        samples: Sequence[str] = (),
        excluded: str = "",
    ) -> None:
        super().__init__(title, f"type {count} and press enter to go · esc stops" if count else "y yes · n no")
        self._text = text
        self._yes = yes
        self._no = no
        self._count = count
        self._samples = tuple(samples)
        self._excluded = excluded

    def compose_question(self) -> ComposeResult:
        """The question, then two answers or the number to type."""
        yield Static(self._question(), id="confirm-text", markup=False)
        if self._count:
            yield Input(compact=True, id="confirm-number")
            return
        with Horizontal(id="confirm-answers"):
            yield Button(plain(self._no), id="confirm-no", compact=True)
            yield Button(plain(self._yes), id="confirm-yes", compact=True)

    def on_mount(self) -> None:
        """The safe answer has the focus."""
        self.query_one("#confirm-number" if self._count else "#confirm-no").focus()

    def action_yes(self) -> None:
        self.dismiss(True)

    def action_no(self) -> None:
        self.dismiss(False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button answers for itself."""
        event.stop()
        self.dismiss(event.button.id == "confirm-yes")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Only the number itself goes on."""
        event.stop()
        self.dismiss(event.value.strip() == str(self._count))

    def _question(self) -> Content:
        lines = [plain(self._text)]
        lines += [plain(f"  {one_line(sample)}", "$quiet") for sample in self._samples[:SAMPLES]]
        more = self._count - min(len(self._samples), SAMPLES)
        if self._samples and more > 0:
            lines.append(plain(f"  and {more} more", "$quiet"))
        if self._excluded:
            lines.append(plain(f"Left out: {self._excluded}", "$warning"))
        return Content("\n").join(lines)
