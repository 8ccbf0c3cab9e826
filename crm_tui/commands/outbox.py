"""What did not go, and what a person does about it: part of the registry."""

from __future__ import annotations

from crm_tui.command import Command, Group

OUTBOX_COMMANDS: tuple[Command, ...] = (
    Command(
        id="outbox",
        keys=(),
        label="outbox",
        title="Outbox: what did not go",
        group=Group.ASK,
        help="Messages of which nobody knows whether they went, what was given up, what was refused this week.",
        permission="outbox:read",
    ),
    Command(
        id="was_sent",
        keys=("Y",),
        label="was sent",
        title="It was sent",
        group=Group.ACT,
        help="In the outbox: settle an unknown message as sent, once you have asked the provider or the patient.",
        permission="outbox:resolve",
        dangerous=True,
        footer=1,
    ),
    Command(
        id="was_not_sent",
        keys=("X",),
        label="was not sent",
        title="It was not sent",
        group=Group.ACT,
        help="In the outbox: settle an unknown message as not sent; it is sent again at once.",
        permission="outbox:resolve",
        dangerous=True,
        footer=2,
    ),
    Command(
        id="try_again",
        keys=("R",),
        label="try again",
        title="Try again",
        group=Group.ACT,
        help="In the outbox: try what was given up or refused once more, with all its tries.",
        permission="outbox:resolve",
        dangerous=True,
        footer=3,
    ),
)
