"""The commands that move: within a list, between records, lanes, panes and modes."""

from __future__ import annotations

from crm_tui.command import Command, Group


def _move(name: str, keys: str, label: str, title: str, text: str, *, action: str = "", footer: int = 0) -> Command:
    return Command(
        id=name,
        keys=tuple(keys.split()),
        label=label,
        title=title,
        group=Group.MOVE,
        help=text,
        action=action,
        footer=footer,
    )


MOVING: tuple[Command, ...] = (
    _move("down", "j down", "down", "Down", "Move to the next row.", action="cursor_down"),
    _move("up", "k up", "up", "Up", "Move to the row above.", action="cursor_up"),
    _move("first", "g home", "first", "First row", "Go to the most urgent row.", action="first"),
    _move("last", "G end", "last", "Last row", "Go to the end of the list.", action="last"),
    _move(
        "half_down", "ctrl+d pagedown", "half down", "Half a page down", "Move down half a page.", action="half_down"
    ),
    _move("half_up", "ctrl+u pageup", "half up", "Half a page up", "Move up half a page.", action="half_up"),
    _move("open", "enter", "open", "Open", "Open the row under the cursor.", action="choose", footer=9),
    _move("back", "escape", "back", "Back", "Leave this layer; never quits and never loses a draft.", footer=4),
    _move("previous_record", "[", "previous", "Previous record", "Open the record before this one."),
    _move("next_record", "]", "next record", "Next record", "Open the record after this one."),
    _move("previous_lane", "J", "lane before", "Previous lane", "Show the lane before this one."),
    _move("next_lane", "K", "lane after", "Next lane", "Show the lane after this one."),
    _move("next_pane", "tab", "pane", "Next pane", "Move to the next pane.", action="app.focus_next"),
    _move(
        "previous_pane",
        "shift+tab",
        "pane back",
        "Previous pane",
        "Move to the pane before.",
        action="app.focus_previous",
    ),
    _move("mode_lanes", "1", "lanes", "Lanes", "Show lanes, queue and preview."),
    Command(
        id="mode_tasks",
        keys=("4",),
        label="tasks",
        title="Tasks",
        group=Group.MOVE,
        help="Show what is to be done, by whom and by when.",
        permission="task:read",
    ),
)
