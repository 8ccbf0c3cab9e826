"""The app beneath CrmApp: it leaks nothing through crashes, toasts, clipboard or screenshots."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from rich.console import RenderableType
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from typing_extensions import override

from crm_tui import crash, terminal, themes
from crm_tui.command_host import CommandHost
from crm_tui.commands import Command, bindings
from crm_tui.palette import Commands

ReturnType = TypeVar("ReturnType")


class SafeApp(CommandHost, App[ReturnType]):
    """An app that shows data as text and, when it breaks, an incident id and nothing else.

    `may_copy` is the policy switch for OSC 52: while it is False a copy stays inside the
    console. Override `copied` to audit what leaves through the terminal's clipboard.
    """

    COMMANDS = {Commands}
    HORIZONTAL_BREAKPOINTS = themes.BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = bindings("palette", "theme")
    COMMAND_PALETTE_BINDING = "ctrl+p"
    NOTIFICATION_TIMEOUT = 4.0

    clears_scrollback_on_exit: ClassVar[bool] = False
    """Also wipe the terminal's scrollback when the session ends, not only when it locks."""

    def __init__(self, *, may_copy: bool = False) -> None:
        super().__init__()
        self.features = frozenset()
        self.devtools = None
        self._devtools_redirector = None
        self.may_copy = may_copy
        self._safe_text = terminal.SafeText()
        self._last_words: list[str] = []
        themes.register(self)

    @override
    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The colours our stylesheets name, for themes that do not."""
        return themes.variable_defaults()

    @override
    def get_line_filters(self) -> Sequence[LineFilter]:
        """Everything that is rendered passes `SafeText` before the driver sees it."""
        return [self._safe_text, *super().get_line_filters()]

    def on_mount(self) -> None:
        """Guard the loop as soon as there is one."""
        crash.guard_loop(asyncio.get_running_loop())

    def on_unmount(self) -> None:
        """Forget what was shown."""
        if self.clears_scrollback_on_exit:
            self.clear_scrollback()
        terminal.forget()

    # Crashes

    @override
    def _fatal_error(self) -> None:
        error = sys.exc_info()[1] or self._exception or RuntimeError()
        self._last_words.append(crash.record(error).sentence)
        self.bell()
        self._close_messages_no_wait()

    @override
    def panic(self, *renderables: RenderableType) -> None:
        """Stop with an incident id, whatever was to be printed."""
        self._fatal_error()

    @override
    def _print_error_renderables(self) -> None:
        if not self._last_words:
            super()._print_error_renderables()
            return
        if sys.__stderr__ is not None:
            sys.__stderr__.write(self._last_words[0] + "\n")
        self._exit_renderables.clear()
        self._last_words.clear()

    @override
    def _log(self, *args: Any, **kwargs: Any) -> None:
        """No developer's console is ever connected, so nothing is logged to one."""

    # Toasts

    @override
    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a toast; message and title are always text, whatever `markup` says."""
        super().notify(
            terminal.visible(message),
            title=terminal.one_line(title),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    @override
    def action_help_quit(self) -> None:
        """Tell someone who pressed ctrl+c how the console is left."""
        self.notify("ctrl+q quits, ctrl+l locks.")

    # Screenshots, clipboard, scrollback

    @override
    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """None: what the palette offers comes from the registry."""
        return ()

    @override
    def deliver_screenshot(
        self, filename: str | None = None, path: str | None = None, time_format: str | None = None
    ) -> str | None:
        """Refuse: a picture of the screen is a file full of patients."""
        self.notify("Screenshots are off in this console.", severity="warning")
        return None

    @override
    def copy_to_clipboard(self, text: str) -> None:
        """Keep a copy inside the console, and hand it to the terminal only where policy allows."""
        if not self.may_copy:
            self._clipboard = text
            return
        super().copy_to_clipboard(text)
        self.copied(len(text))

    def copied(self, characters: int) -> None:
        """Called when a text of so many characters left through the terminal's clipboard."""

    def clear_scrollback(self) -> None:
        """Wipe what the terminal keeps above the screen, and what this process keeps of it."""
        self._clipboard = ""
        terminal.forget()
        if self._driver is not None and not self.is_headless:
            self._driver.write("\x1b[3J")
            self._driver.flush()

    # Commands

    def key_of(self, command: Command) -> str:
        """The key that runs a command: the user's own where the settings name one."""
        return self._keymap.get(command.id, command.keys[0])

    async def do_palette(self) -> None:
        """Open the palette."""
        self.action_command_palette()

    def do_theme(self) -> None:
        """Put on the next theme."""
        self.theme = themes.next_theme(self.theme)
