"""What the house sends by itself: part of the registry."""

from __future__ import annotations

from crm_tui.command import Command, Group

NOTICE_COMMANDS: tuple[Command, ...] = (
    Command(
        id="plan_notice",
        keys=(),
        label="plan notice",
        title="Plan a notice",
        group=Group.ACT,
        help="Plan what the house sends to this patient by itself, later: a template, a time, what it asks.",
        permission="notice:plan",
        dangerous=True,
    ),
    Command(
        id="cancel_notice",
        keys=(),
        label="cancel notice",
        title="Cancel the notice",
        group=Group.ACT,
        help="In a patient's record: take back the notice under the cursor; where it went, its question is void.",
        permission="notice:plan",
    ),
)
