"""The commands that set threads right: merging, splitting, another patient, another category, a time to come."""

from __future__ import annotations

from crm_tui.command import Command, Group

_WORK = "conversation:work"

THREAD_COMMANDS: tuple[Command, ...] = (
    Command(
        id="send_later",
        keys=("f6",),
        label="later",
        title="Send later",
        group=Group.ACT,
        help="Say when the reply in the composer goes; where one is set to go, change its time or take it back.",
        permission="message:send",
        dangerous=True,
        undoable=True,
        anywhere=True,
    ),
    Command(
        id="merge",
        keys=("M",),
        label="merge",
        title="Merge another into this",
        group=Group.ACT,
        help="Bring another conversation of the same person into this one; its number then leads here.",
        permission=_WORK,
        dangerous=True,
        undoable=True,
    ),
    Command(
        id="split",
        keys=("S",),
        label="split",
        title="Split from a message on",
        group=Group.ACT,
        help="Make a conversation of its own out of a message and all that came after it.",
        permission=_WORK,
        undoable=True,
    ),
    Command(
        id="relink",
        keys=("P",),
        label="other patient",
        title="Move to another patient",
        group=Group.ACT,
        help="Say that it is another patient's, and why; what is queued to the one before is stopped.",
        permission="conversation:relink",
        dangerous=True,
        undoable=True,
    ),
    Command(
        id="classify",
        keys=("C",),
        label="classify",
        title="Category and priority",
        group=Group.ACT,
        help="Say what it is about, and how urgent; its clocks follow.",
        permission=_WORK,
        undoable=True,
    ),
)
