"""The modes of the console: each a screen over the lanes, opened by its number when it is first asked for.

The lanes stay underneath, so that esc leads back to them. A clinic's playbook names the modules
it uses (`modules` in clinic.toml); the mode of another is neither in the palette nor in the
help, and its key says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import override

from crm_tui.commands import COMMANDS, Command
from crm_tui.doors import Doors
from crm_tui.screens.console_screen import ConsoleScreen


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One mode: the playbook's word for it, and how its screen is made."""

    module: str
    screen: Callable[[], ConsoleScreen]


def _tasks() -> ConsoleScreen:
    from crm_tui.screens.tasks import TasksScreen

    return TasksScreen()


def _library() -> ConsoleScreen:
    from crm_tui.screens.library import LibraryScreen

    return LibraryScreen()


LANES = "mode_lanes"
MODES: dict[str, Mode] = {
    "mode_tasks": Mode(module="tasks", screen=_tasks),
    "mode_library": Mode(module="library", screen=_library),
}
"""By the id of the command that shows it, which its screen names in `MODE`."""


class Modes(Doors):
    """An app whose number keys go from mode to mode."""

    @override
    def why_not(self, command: Command) -> str | None:
        mode = MODES.get(command.id)
        if mode is not None and self.session is not None and mode.module not in self.session.choices.modules:
            return f"This clinic does not use {mode.module}: its playbook's clinic.toml names the modules it does."
        return super().why_not(command)

    @override
    def takes(self, command: Command) -> bool:
        return super().takes(command) and Modes.why_not(self, command) is None

    @property
    def commands_in_use(self) -> tuple[str, ...]:
        """The ids of all commands but those of modes that this clinic does not use."""
        return tuple(one.id for one in COMMANDS if Modes.why_not(self, one) is None)

    def do_mode_lanes(self) -> None:
        """Back to the lanes."""
        self._back_to(LANES)

    def do_mode_tasks(self) -> None:
        """What is to be done, by whom and by when."""
        self._show_mode("mode_tasks")

    def do_mode_library(self) -> None:
        """The library of answers."""
        self._show_mode("mode_library")

    def _show_mode(self, command_id: str) -> None:
        if not self._back_to(command_id) and isinstance(self.screen, ConsoleScreen):
            self.push_screen(MODES[command_id].screen())

    def _back_to(self, command_id: str) -> bool:
        """Take away what lies over that mode's screen, the lanes apart; whether it is the one in view now."""
        while isinstance(self.screen, ConsoleScreen) and self.screen.MODE not in (command_id, LANES):
            self.screen.keep_drafts()
            self.pop_screen()
        return isinstance(self.screen, ConsoleScreen) and command_id == self.screen.MODE
