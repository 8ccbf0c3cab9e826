"""An offer of a hand-over that no longer stands: what changes hands, or ends, is no longer the giver's to give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from crm_core.inbox.model import State
from crm_core.inbox.tables import ON_OFFER, Handover
from crm_core.store.feed import Topic
from crm_core.work.units import WriteUnit


def leaves_its_owner(row: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a change of these columns takes the conversation from whoever owns it, or ends it."""
    if row["owner_id"] is None:
        return False
    return values.get("owner_id", row["owner_id"]) != row["owner_id"] or values.get("state") is State.CLOSED


def withdraw_offer(unit: WriteUnit, conversation_id: int) -> None:
    """Withdraw what is on offer of it, if anything is."""
    on_offer = update(Handover).where(Handover.conversation_id == conversation_id, ON_OFFER)
    if unit.execute(on_offer.values(withdrawn_at=unit.now)).rowcount:
        unit.changed(Topic.HANDOVER)
