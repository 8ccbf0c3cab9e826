"""Handing a shift over: part of the registry."""

from __future__ import annotations

from crm_tui.command import Command, Group

HANDOFF_COMMANDS: tuple[Command, ...] = (
    Command(
        id="handoff",
        keys=(),
        label="handoff",
        title="Handoff",
        group=Group.ACT,
        help="What you own, first what has no next step; give it to a colleague, answer what is handed to you.",
        permission="conversation:work",
    ),
    Command(
        id="hand_to",
        keys=("h",),
        label="hand to",
        title="Hand to a colleague",
        group=Group.ACT,
        help="In the handoff: offer the marked rows to a colleague; they stay yours until accepted, one by one.",
        permission="conversation:work",
        footer=1,
    ),
)
