"""The commands of the console itself: palette, help, curtain, theme, lock, leaving."""

from __future__ import annotations

from crm_tui.command import Command, Group

APP_COMMANDS: tuple[Command, ...] = (
    Command(
        id="palette",
        keys=(":", "ctrl+p"),
        label="commands",
        title="Command palette",
        group=Group.APP,
        help="Every command by name.",
        anywhere=True,
        footer=19,
    ),
    Command(
        id="help",
        keys=("?", "f1"),
        label="help",
        title="Help",
        group=Group.APP,
        help="What the keys do here.",
        anywhere=True,
        footer=7,
    ),
    Command(
        id="curtain",
        keys=("f2",),
        label="curtain",
        title="Curtain",
        group=Group.APP,
        help="Mask identities on the screen; nothing is sent while they are masked.",
        anywhere=True,
    ),
    Command(
        id="ringing",
        keys=(),
        label="ringing",
        title="Ringing",
        group=Group.FIND,
        help="Whom it may be that calls now: the record of one, or the log of the call.",
        permission="patient:read",
    ),
    Command(
        id="theme",
        keys=(),
        label="theme",
        title="Change theme",
        group=Group.APP,
        help="Dark, light or high contrast.",
    ),
    Command(
        id="pollers",
        keys=(),
        label="pollers",
        title="Pollers",
        group=Group.APP,
        help="Which processes send, take in and fire what is due, on which hosts, and how late each kind is.",
        permission="poller:read",
    ),
    Command(
        id="lock",
        keys=("ctrl+l",),
        label="lock",
        title="Lock",
        group=Group.APP,
        help="Empty the screen until you sign in again; the alarm count stays.",
        anywhere=True,
    ),
    Command(
        id="quit",
        keys=("ctrl+q",),
        label="quit",
        title="Quit",
        group=Group.APP,
        help="End the session; drafts are kept.",
        anywhere=True,
    ),
)
