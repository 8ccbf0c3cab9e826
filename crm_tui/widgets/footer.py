"""The last row: the few keys that matter here, or for a moment what just happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from textual.content import Content
from textual.dom import DOMNode
from textual.timer import Timer

from crm_tui.commands import Command, command, shown_key
from crm_tui.terminal import one_line
from crm_tui.widgets.line import Line

Mood = Literal["good", "warning"]

_FLASH = 4.0

MOST_IN_FOOTER = 8
"""Footer entries at 80 columns; more are drowned out."""


class CommandFooter(Line):
    """Up to eight keys at 80 columns, each clickable; `flash` says something in their place."""

    DEFAULT_CSS = """
    CommandFooter {
        dock: bottom;
        background: $panel;
        color: $quiet;
        padding: 0 1;
        link-color: $quiet;
        link-style: none;
        link-background: $panel;
        link-style-hover: underline;
        link-color-hover: $foreground;
        link-background-hover: $panel;
        &.-good { color: $success; }
        &.-warning { color: $warning; }
    }
    """

    def __init__(self, *commands: str) -> None:
        super().__init__()
        self.commands: Sequence[str] = commands
        self._said: Timer | None = None

    def show_commands(self, *commands: str) -> None:
        """Offer other commands, as another layer or mode needs."""
        self.commands = commands
        self._draw()

    def flash(self, message: str, mood: Mood = "good", *, seconds: float = _FLASH) -> None:
        """Say `message` for a few seconds; a newer one takes its place."""
        self._quiet()
        self.set_class(mood == "good", "-good")
        self.set_class(mood == "warning", "-warning")
        self.show(Content(one_line(message)))
        self._said = self.set_timer(seconds, self._draw)

    def on_resize(self) -> None:
        """Show as many keys as there is room for."""
        if self._said is None:
            self._draw()

    def _quiet(self) -> None:
        if self._said is not None:
            self._said.stop()
            self._said = None

    def _draw(self) -> None:
        self._quiet()
        self.remove_class("-good", "-warning")
        key_of: Callable[[Command], str] = getattr(self.app, "key_of", lambda one: one.keys[0])
        entries = [
            Content.assemble((shown_key(key_of(one)), "bold $foreground"), " ", one.label).stylize(
                f"@click=screen.command('{one.id}')"
            )
            for one in fitting(self.commands, self.size.width)
        ]
        self.show(Content("  ").join(entries))


def flash(node: DOMNode, message: str, mood: Mood = "good") -> None:
    """Say `message` in the footer of the screen `node` is on, or as a toast where it has none."""
    for last_row in node.screen.query(CommandFooter):
        last_row.flash(message, mood)
        return
    node.app.notify(message, severity="warning" if mood == "warning" else "information", markup=False)


def fitting(ids: Iterable[str], width: int = 80) -> list[Command]:
    """Which of these commands the footer shows in `width` columns, best first.

    At most 8 at 80 columns and one more for each 10 beyond; what does not fit is left out
    whole, because half an entry teaches nobody.
    """
    ranked = sorted((one for one in map(command, ids) if one.footer and one.keys), key=lambda one: one.footer)
    room = width
    chosen: list[Command] = []
    for one in ranked[: MOST_IN_FOOTER + max(0, width - 80) // 10]:
        room -= len(shown_key(one.keys[0])) + 1 + len(one.label) + 2
        if room < 0:
            break
        chosen.append(one)
    return chosen
