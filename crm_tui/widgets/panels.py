"""Two texts to read: what the keys do, and why something is as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from crm_tui.commands import bindings, help_sections
from crm_tui.terminal import plain
from crm_tui.widgets.dialog import Dialog

_KEYS = 16
_WIDTH = 74


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One step of a decision, in the order it was taken.

    `passed` is None for a statement that decides nothing. `saw` is what the rule looked at.
    """

    text: str
    passed: bool | None = None
    saw: str = ""


def help_text(commands: Iterable[str] | None = None) -> Content:
    """The keys of these commands, or of all, by group."""
    lines: list[Content] = []
    for group, members in help_sections(commands):
        lines.append(plain(group.value.upper(), "bold $primary"))
        for one in members:
            first, *rest = wrap(one.help, _WIDTH - _KEYS)
            lines.append(Content.assemble(((one.shown_keys or "palette").ljust(_KEYS), "bold"), first))
            lines += [Content(" " * _KEYS + line) for line in rest]
        lines.append(Content())
    return Content("\n").join(lines[:-1])


def why_text(reasons: Sequence[Reason]) -> Content:
    """The reasons numbered; each says in a word whether it held."""
    words = {True: ("yes ", "$success"), False: ("no  ", "$quiet"), None: ("    ", "")}
    lines: list[Content] = []
    for number, reason in enumerate(reasons, 1):
        saw = plain(f"  saw {reason.saw}", "$quiet") if reason.saw else Content()
        lines.append(Content.assemble((f"{number:>2} ", "$quiet"), words[reason.passed], plain(reason.text), saw))
    return Content("\n").join(lines) if lines else plain("No reason was kept for this.", "$quiet")


class Reading(VerticalScroll):
    """Text that is scrolled by the keys of every list."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("down", "up", "first", "last", "half_down", "half_up")

    def action_cursor_down(self) -> None:
        self.scroll_relative(y=1, animate=False)

    def action_cursor_up(self) -> None:
        self.scroll_relative(y=-1, animate=False)

    def action_first(self) -> None:
        self.scroll_home(animate=False)

    def action_last(self) -> None:
        self.scroll_end(animate=False, immediate=True)

    def action_half_down(self) -> None:
        self.scroll_relative(y=max(1, self.size.height // 2), animate=False)

    def action_half_up(self) -> None:
        self.scroll_relative(y=-max(1, self.size.height // 2), animate=False)


class TextPanel(Dialog[None]):
    """A text over the screen; escape, enter or q puts it away."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q", "dismiss_none", "Close", show=False)]
    DEFAULT_CSS = """
    TextPanel {
        #dialog { width: 80; }
        Reading { height: auto; max-height: 70vh; scrollbar-size-vertical: 1; }
        Reading Static { height: auto; }
    }
    """

    def __init__(self, title: str, text: Content, hint: str = "j k scroll · esc closes") -> None:
        super().__init__(title, hint)
        self._text = text

    def compose_question(self) -> ComposeResult:
        """The text."""
        with Reading():
            yield Static(self._text, markup=False)

    def on_mount(self) -> None:
        """Keys scroll."""
        self.query_one(Reading).focus()


class HelpPanel(TextPanel):
    """What the keys do: those of the given commands, or of all."""

    def __init__(self, commands: Iterable[str] | None = None, *, title: str = "Keys") -> None:
        super().__init__(title, help_text(commands), "j k scroll · esc closes · : offers every command by name")


class WhyPanel(TextPanel):
    """Why it is here, why it was not sent, how the clock was counted: the reasons in order."""

    def __init__(self, title: str, reasons: Sequence[Reason]) -> None:
        super().__init__(title, why_text(reasons))
