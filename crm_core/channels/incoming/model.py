"""What can be brought, by whom, and who takes it in."""

from __future__ import annotations

from enum import StrEnum

from crm_core.access.model import Actor, Permission

KIND = "incoming"
"""The timers' kind, by which what was brought is handled."""


class Brought(StrEnum):
    """What kind of thing was brought."""

    MESSAGE = "message"
    REPORT = "report"
    RING = "ring"


LISTENER = Actor(
    staff_id=0,
    name="listener",
    permissions=frozenset({Permission.MESSAGE_RECEIVE, Permission.TIMER_SET}),
)
"""A receiver that faces the outside: it may take in, and nothing else."""
