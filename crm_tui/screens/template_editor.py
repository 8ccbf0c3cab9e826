"""Writing a template in the library: its file as text, and beneath it what is wrong with it as it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.types import CSSPathType
from textual.widgets import Static, TextArea
from typing_extensions import override

from crm_tui.commands import Command, bindings
from crm_tui.desk.library import Examined, Place, Shelf, length
from crm_tui.screens.console_screen import ConsoleScreen
from crm_tui.screens.template_text import finding_line
from crm_tui.terminal import plain
from crm_tui.widgets.confirm import Confirm
from crm_tui.widgets.line import Line

_PAUSE = 0.2
"""Seconds without a keystroke after which the text is looked at."""


class EditorText(TextArea):
    """The text; tab leaves nothing, and escape is the screen's."""

    def __init__(self, text: str) -> None:
        super().__init__(text, show_line_numbers=True, compact=True, highlight_cursor_line=False, id="editor-text")
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            return
        await super()._on_key(event)


class TemplateEditor(ConsoleScreen):
    """`ctrl+s` keeps the text as the next draft; nothing is kept that does not hold together."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["console_screen.tcss", "library.tcss"]
    MODE = "mode_library"
    FOOTER = ("library_save", "back", "help")
    BINDINGS: ClassVar[list[BindingType]] = bindings("library_save")

    def __init__(self, place: Place, text: str, shelf: Shelf, *, above: int | None) -> None:
        super().__init__()
        self._place = place
        self._shelf = shelf
        self._above = above
        self._kept = text
        self._examined: Examined | None = None
        self._resting: Timer | None = None
        self._saving = False

    def compose_body(self) -> ComposeResult:
        """Which template, its text, and what is found in it."""
        yield Line(id="editor-head")
        yield EditorText(self._kept)
        with VerticalScroll(id="editor-findings", can_focus=False):
            yield Static(id="editor-found", markup=False)

    def on_mount(self) -> None:
        """Begin below the front matter, where the words to the patient are."""
        self.context("Library")
        number = f"version {self._above + 1}" if self._above is not None else "a new template"
        self.query_one("#editor-head", Line).show(
            Content.assemble(plain(f"{self._place[0]} ({self._place[1]})", "bold"), plain(f" · {number}"))
        )
        area = self._area
        area.move_cursor(area.document.end)
        area.focus()
        self._look()

    @property
    def _area(self) -> EditorText:
        return self.query_one(EditorText)

    @property
    def is_changed(self) -> bool:
        """Whether something was written that is not kept yet."""
        return self._area.text != self._kept

    # Looking at it

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Look once the hands rest a moment."""
        event.stop()
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(_PAUSE, self._look)

    def _look(self) -> Examined:
        self._resting = None
        self._examined = examined = self.session.library.examine(self._place, self._area.text, self._shelf)
        lines = [finding_line(problem) for problem in examined.findings]
        if examined.text is not None:
            told = length(examined.text.key, examined.text.body, examined.text.channels)
            lines.insert(
                0, plain(" · ".join(filter(None, (told, "" if lines else "nothing to find fault with"))), "$quiet")
            )
        self.query_one("#editor-found", Static).update(Content("\n").join(lines))
        return examined

    # Keeping it

    @override
    def why_not(self, command: Command) -> str | None:
        if command.id == "library_save":
            return self.session.library.why_not(command.permission)
        if command.id in ("take_next", "mode_lanes", "mode_tasks") and self.is_changed:
            return "This text is not kept yet: ctrl+s keeps it, esc leaves it."
        return super().why_not(command)

    def do_library_save(self) -> None:
        """Keep it as the next draft, and leave."""
        examined = self._look()
        if examined.text is None:
            self.flash("It does not hold together yet; what is wrong stands below the text.", "warning")
        elif not self.is_changed:
            self.flash("Nothing was changed.", "warning")
        elif not self._saving:
            self._save(examined)

    def _save(self, examined: Examined) -> None:
        def kept() -> None:
            self.console.leave(self)
            if self.console.front is not None:
                wrong = " · not to be submitted yet" if examined.mistakes else " · s submits it"
                self.console.front.flash(f"{self._place[0]} ({self._place[1]}) kept as a draft{wrong}")

        self._keep(examined, kept)

    def keep_drafts(self) -> None:
        """The console locks or ends: keep what holds together as a draft."""
        if not self.is_changed or self._saving or self.session.library.why_not("template:write") is not None:
            return
        examined = self._look()
        if examined.text is not None:
            self._keep(examined, lambda: None)

    def _keep(self, examined: Examined, then: Callable[[], None]) -> None:
        """Write the draft; the next is written above it."""
        self._saving = True
        text, library, place, above = self._area.text, self.session.library, self._place, self._above

        def kept(_: None) -> None:
            self._kept, self._above = text, (above or 0) + 1
            then()

        def ended() -> None:
            self._saving = False

        self.write(lambda: library.keep(examined, place, above), kept, self.console.told, ended)

    def do_back(self) -> None:
        """Leave; what is not kept is asked after."""
        if not self.is_changed:
            super().do_back()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._kept = self._area.text
                self.console.leave(self)
            else:
                self._area.focus()

        self.app.push_screen(
            Confirm("Leave without keeping it?", "What you wrote since is lost; ctrl+s keeps it."), answered
        )
