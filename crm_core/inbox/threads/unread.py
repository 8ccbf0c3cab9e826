"""What could not be screened for danger: it stands at the top of the catch-all lane, nobody's, until it is read."""

from __future__ import annotations

from typing import Any

from crm_core.inbox.arrivals import UNSCREENED_ACTION
from crm_core.inbox.record import next_action
from crm_core.inbox.rules import DANGER_LANE, InboxRules
from crm_core.words import Priority
from crm_core.work.units import WriteUnit


def unread(
    unit: WriteUnit, rules: InboxRules, conversation_id: int, *, lane: str, priority: Priority
) -> dict[str, Any]:
    """The columns of a conversation that would lie in `lane`, while it holds such a text; nurses may keep it."""
    return {
        **next_action(unit, conversation_id, UNSCREENED_ACTION),
        "lane": unread_lane(rules, lane),
        "priority": min(priority, Priority.ASAP, key=lambda each: each.rank),
        "unscreened": True,
        "owner_id": None,
        "taken_at": None,
    }


def unread_lane(rules: InboxRules, lane: str) -> str:
    """Where it lies instead of in `lane`."""
    return lane if lane == DANGER_LANE else rules.lanes.catch_all.key
