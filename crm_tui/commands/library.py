"""What can be done in the library, mode 6: part of the registry.

Their keys mean this in the library alone; elsewhere the same key may be another command's.
"""

from __future__ import annotations

from crm_tui.command import Command, Group


def _library(
    name: str, key: str, label: str, title: str, text: str, *, permission: str, footer: int, dangerous: bool = False
) -> Command:
    return Command(
        id=f"library_{name}",
        keys=(key,),
        label=label,
        title=title,
        group=Group.LIBRARY,
        help=text,
        permission=permission,
        footer=footer,
        dangerous=dangerous,
        anywhere=key.startswith("ctrl+"),
    )


_WRITE, _APPROVE, _READ = "template:write", "template:approve", "template:read"

LIBRARY_COMMANDS: tuple[Command, ...] = (
    Command(
        id="mode_library",
        keys=("6",),
        label="library",
        title="Library",
        group=Group.MOVE,
        help="Show the library: every template, its versions, its way to the patient.",
        permission=_READ,
    ),
    _library(
        "edit", "e", "edit", "Edit a template", "Write its next version; the one in force stays until it is approved.",
        permission=_WRITE, footer=1,
    ),
    _library(
        "new", "N", "new", "New template", "Begin a template, or another language of one: type its key, then `es`.",
        permission=_WRITE, footer=5,
    ),
    _library(
        "submit", "s", "submit", "Submit a draft", "Put the newest draft up for review.", permission=_WRITE, footer=2
    ),
    _library(
        "approve", "y", "approve", "Approve a version", "Let what another person wrote be sent from now on.",
        permission=_APPROVE, footer=3, dangerous=True,
    ),
    _library(
        "back", "b", "send back", "Send back to its author", "Say what the author should change; it is a draft again.",
        permission=_APPROVE, footer=6,
    ),
    _library(
        "retire", "R", "retire", "Retire a template", "Take it out of use in this language.",
        permission=_APPROVE, footer=12, dangerous=True,
    ),
    _library(
        "diff", "d", "changes", "What a version changed", "Show how this version differs from the one before.",
        permission=_READ, footer=10,
    ),
    _library(
        "states", "o", "states", "Which states are shown", "All, what waits for approval, or what must be read again.",
        permission=_READ, footer=9,
    ),
    _library(
        "save", "ctrl+s", "keep", "Keep as a draft", "In the editor: keep what is written as the next draft.",
        permission=_WRITE, footer=1,
    ),
)  # fmt: skip
