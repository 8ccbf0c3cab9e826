"""Clocks as the console sees them: how they were counted."""

from __future__ import annotations

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.hours.ledger import Segment
from crm_core.inbox.timing.clock_ledger import ClockLedger, clock_ledgers

__all__ = ["ClockLedger", "Segment", "counted"]


def counted(crm: Crm, actor: Actor, conversation_id: int) -> list[ClockLedger]:
    """Every clock the conversation has had, with the stretches of time that make it up."""
    with crm.read(actor) as unit:
        return clock_ledgers(unit, conversation_id)
