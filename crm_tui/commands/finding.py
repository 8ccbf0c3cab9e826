"""The commands of views, of acting on many, and of the undo journal."""

from __future__ import annotations

from crm_tui.command import Command, Group

FIND: tuple[Command, ...] = (
    Command(
        id="views",
        keys=("V",),
        label="views",
        title="Views",
        group=Group.FIND,
        help="Show a view over all your lanes: mine, unowned, overdue, and those saved here.",
        permission="conversation:read",
    ),
    Command(
        id="save_view",
        keys=(),
        label="save view",
        title="Save view",
        group=Group.FIND,
        help="Keep the filter that holds under a name, for you or for everybody.",
        permission="conversation:read",
    ),
    Command(
        id="rename_view",
        keys=(),
        label="rename view",
        title="Rename view",
        group=Group.FIND,
        help="Give a saved view of yours another name.",
        permission="conversation:read",
    ),
    Command(
        id="drop_view",
        keys=(),
        label="drop view",
        title="Drop view",
        group=Group.FIND,
        help="Forget a saved view; the conversations stay as they are.",
        permission="conversation:read",
    ),
)

ACT: tuple[Command, ...] = (
    Command(
        id="mark_all",
        keys=("*",),
        label="mark all",
        title="Mark all that match",
        group=Group.ACT,
        help="Mark everything the list shows, on every page of it; once more unmarks.",
        permission="conversation:read",
    ),
    Command(
        id="undo_journal",
        keys=(),
        label="journal",
        title="Undo journal",
        group=Group.ACT,
        help="Your last 50 acts, and what of them can still be taken back.",
        permission="conversation:work",
    ),
)
