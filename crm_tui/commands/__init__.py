"""The registry: each thing a user can do in the console, declared once.

Bindings, footer, palette, help and the cheat sheet `docs/keys.md` are made from it. A screen
takes `bindings("take_next", …)` and has a method `do_take_next`; see command_host.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import Binding, BindingType

from crm_tui.command import Command, Group, shown_key
from crm_tui.commands import finding
from crm_tui.commands.app import APP_COMMANDS
from crm_tui.commands.consent import CONSENT_COMMANDS
from crm_tui.commands.handoff import HANDOFF_COMMANDS
from crm_tui.commands.library import LIBRARY_COMMANDS
from crm_tui.commands.moving import MOVING
from crm_tui.commands.notices import NOTICE_COMMANDS
from crm_tui.commands.outbox import OUTBOX_COMMANDS
from crm_tui.commands.threads import THREAD_COMMANDS

__all__ = ["COMMANDS", "Command", "Group", "bindings", "command", "help_sections", "in_group", "shown_key"]


_WORK = "conversation:work"

COMMANDS: tuple[Command, ...] = (
    *MOVING,
    Command(
        id="filter",
        keys=("/",),
        label="filter",
        title="Filter this list",
        group=Group.FIND,
        help="Narrow the list; it says FILTERED until you clear it, and is gone with the session.",
        footer=8,
    ),
    *finding.FIND,
    Command(
        id="find_patient",
        keys=("ctrl+f",),
        label="find",
        title="Find a patient",
        group=Group.FIND,
        help="Search by name, phone digits, record number or birth date, in any order.",
        permission="patient:read",
        footer=10,
        anywhere=True,
    ),
    Command(
        id="take_next",
        keys=("n",),
        label="next",
        title="Take the next item",
        group=Group.ACT,
        help="Take and open the most urgent item you may work, in any lane.",
        permission=_WORK,
        undoable=True,
        footer=1,
    ),
    Command(
        id="take_next_here",
        keys=("N",),
        label="next here",
        title="Take the next item in this lane",
        group=Group.ACT,
        help="Take and open the most urgent item of the lane in view.",
        permission=_WORK,
        undoable=True,
    ),
    Command(
        id="reply",
        keys=("r",),
        label="reply",
        title="Reply",
        group=Group.ACT,
        help="Write to the patient in your own words.",
        permission="message:send",
        footer=2,
    ),
    Command(
        id="template",
        keys=("t",),
        label="template",
        title="Reply from a template",
        group=Group.ACT,
        help="Pick an approved template, filled with this patient's fields.",
        permission="message:send",
        footer=3,
    ),
    Command(
        id="directory",
        keys=("f5",),
        label="directory",
        title="Directory of services",
        group=Group.FIND,
        help="Find a service by any name it goes by, and put where and how to book it into the text.",
        permission="message:send",
        footer=19,
        anywhere=True,
    ),
    Command(
        id="send",
        keys=("ctrl+s",),
        label="send",
        title="Send, or save the note",
        group=Group.ACT,
        help="Send what the composer holds; it waits 15 seconds and z takes it back. A note is only saved.",
        permission="message:send",
        dangerous=True,
        undoable=True,
        footer=1,
        anywhere=True,
    ),
    Command(
        id="note",
        keys=("i",),
        label="note",
        title="Write an internal note",
        group=Group.ACT,
        help="Write a note that staff see and no patient ever does.",
        permission=_WORK,
        footer=11,
    ),
    Command(
        id="discard",
        keys=("f8",),
        label="discard",
        title="Discard the draft",
        group=Group.ACT,
        help="Drop what you have begun to write here, after asking.",
        permission=_WORK,
        dangerous=True,
        anywhere=True,
    ),
    Command(
        id="log_call",
        keys=("p",),
        label="log call",
        title="Log a phone call",
        group=Group.ACT,
        help="Record a call and how it ended; one that reached stops the clock, or is a call off the list.",
        permission=_WORK,
        footer=12,
    ),
    Command(
        id="link_patient",
        keys=("L",),
        label="link",
        title="Link the sender to a patient",
        group=Group.ACT,
        help="Say whose message this is, when the sender is unknown or shared.",
        permission="patient:link",
        undoable=True,
    ),
    Command(
        id="claim",
        keys=("c",),
        label="claim",
        title="Claim or release",
        group=Group.ACT,
        help="Make it yours, or give it back to the lane.",
        permission=_WORK,
        undoable=True,
        footer=13,
    ),
    Command(
        id="assign",
        keys=("a",),
        label="assign",
        title="Assign to someone",
        group=Group.ACT,
        help="Make it another person's.",
        permission="conversation:assign",
        undoable=True,
    ),
    Command(
        id="move_lane",
        keys=("m",),
        label="move",
        title="Move to another lane",
        group=Group.ACT,
        help="Move it to the lane it belongs to, with the reason.",
        permission=_WORK,
        undoable=True,
        footer=14,
    ),
    Command(
        id="escalate",
        keys=("x",),
        label="escalate",
        title="Escalate",
        group=Group.ACT,
        help="Ask someone who may decide, with one stated question; it stays yours until accepted.",
        permission=_WORK,
        undoable=True,
        footer=15,
    ),
    Command(
        id="snooze",
        keys=("s",),
        label="snooze",
        title="Snooze",
        group=Group.ACT,
        help="Put it away until a stated time, when it comes back to its owner.",
        permission=_WORK,
        undoable=True,
        footer=16,
    ),
    Command(
        id="close",
        keys=("d",),
        label="done",
        title="Close with an outcome",
        group=Group.ACT,
        help="Close it and say how it ended.",
        permission=_WORK,
        undoable=True,
        footer=5,
    ),
    Command(
        id="add_task",
        keys=("T",),
        label="add task",
        title="Add a task",
        group=Group.ACT,
        help="Leave yourself something to do by a stated time; from a conversation it keeps its patient.",
        permission="task:work",
        footer=20,
    ),
    Command(
        id="mine_or_all",
        keys=("o",),
        label="mine/all",
        title="My tasks, or all",
        group=Group.FIND,
        help="In the tasks: show those of mine and of my roles, or all that you may see.",
        permission="task:read",
        footer=8,
    ),
    *THREAD_COMMANDS,
    Command(
        id="mark",
        keys=("space",),
        label="mark",
        title="Mark the row",
        group=Group.ACT,
        help="Mark rows; an action then works on all of them.",
        action="mark",
        footer=17,
    ),
    *finding.ACT,
    Command(
        id="undo",
        keys=("z",),
        label="undo",
        title="Undo",
        group=Group.ACT,
        help="Take back the last thing you did, or a message still held.",
        footer=6,
    ),
    Command(
        id="open_alarm",
        keys=("!",),
        label="alarm",
        title="Open the alarm",
        group=Group.ALARM,
        help="Open the oldest danger nobody has acknowledged, or say whom to fetch.",
    ),
    Command(
        id="acknowledge",
        keys=("A",),
        label="acknowledge",
        title="Acknowledge the alarm",
        group=Group.ALARM,
        help="Take the danger as yours; this cannot be undone.",
        permission="danger:act",
        dangerous=True,
    ),
    Command(
        id="unfold",
        keys=("u",),
        label="quoted",
        title="Show what is quoted",
        group=Group.ASK,
        help="Show the quoted text of letters, or fold it away again.",
        permission="conversation:read",
    ),
    Command(
        id="save_file",
        keys=("f",),
        label="file",
        title="Save an attachment",
        group=Group.ASK,
        help="Save a file that came with a message as a new file that only you may read; audited.",
        permission="conversation:read",
    ),
    Command(
        id="why",
        keys=("w",),
        label="why",
        title="Why?",
        group=Group.ASK,
        help="Why is it here, why was it (not) sent, how was this clock counted.",
        footer=18,
    ),
    Command(
        id="clock",
        keys=("W",),
        label="clock",
        title="How was the clock counted?",
        group=Group.ASK,
        help="Each clock's sum: what counted, what was paused, closed or a holiday.",
        permission="conversation:read",
    ),
    *CONSENT_COMMANDS,
    *NOTICE_COMMANDS,
    *HANDOFF_COMMANDS,
    *OUTBOX_COMMANDS,
    *LIBRARY_COMMANDS,
    *APP_COMMANDS,
)
"""Every command, in the order in which help shows it within its group."""

_BY_ID = {command.id: command for command in COMMANDS}


def command(name: str) -> Command:
    """The command whose id is `name`; KeyError for one that is not in the registry."""
    return _BY_ID[name]


def in_group(group: Group) -> tuple[Command, ...]:
    """The commands of one group, in help order."""
    return tuple(one for one in COMMANDS if one.group is group)


def bindings(*ids: str) -> list[BindingType]:
    """Textual bindings of these commands, with the command's id for the user's keymap.

    A command that works anywhere outranks a text field by those of its keys that type
    nothing: `ctrl+p` does, `:` does not.
    """
    return [
        Binding(
            key,
            one.textual_action,
            one.title,
            show=False,
            key_display=shown_key(key),
            priority=one.anywhere and len(key) > 1,
            tooltip=one.help,
            id=one.id,
        )
        for one in map(command, ids)
        for key in one.keys
    ]


def help_sections(ids: Iterable[str] | None = None) -> list[tuple[Group, Sequence[Command]]]:
    """Commands by group for the help panel; those of `ids`, or all."""
    wanted = set(_BY_ID if ids is None else ids)
    sections = [(group, [one for one in in_group(group) if one.id in wanted]) for group in Group]
    return [(group, commands) for group, commands in sections if commands]
