"""What a command is: one thing a user can do in the console, with all that is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """What a command is for, in the order help shows it."""

    MOVE = "move"
    FIND = "find"
    ACT = "act"
    ALARM = "alarm"
    ASK = "ask"
    LIBRARY = "library"
    APP = "app"


@dataclass(frozen=True, kw_only=True)
class Command:
    """One action of a user.

    `label` is for the footer (a word or two), `title` for palette and help, `help` one
    sentence. `permission` is the name the core knows it by, "" where any signed-in person
    may. `dangerous` leaves the building or cannot be undone. `footer` ranks it there, 1
    first, 0 never. `anywhere` works while a text is being typed, by those of its keys that
    type nothing. `action` is for a widget's own movements; other commands run through the
    host.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    title: str
    group: Group
    help: str
    permission: str = ""
    dangerous: bool = False
    undoable: bool = False
    footer: int = 0
    anywhere: bool = False
    action: str = ""

    @property
    def textual_action(self) -> str:
        """What the binding runs: the widget's own action, or the host's `do_` method."""
        return self.action or f"command('{self.id}')"

    @property
    def shown_keys(self) -> str:
        """The keys as a person reads them: `j ↓`."""
        return " ".join(shown_key(key) for key in self.keys)


_SHOWN = {"escape": "esc", "down": "↓", "up": "↑", "pagedown": "pgdn", "pageup": "pgup", "shift+tab": "⇧tab"}


def shown_key(key: str) -> str:
    """One key's name for a person."""
    return _SHOWN.get(key, key)
