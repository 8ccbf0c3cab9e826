"""The chore that delivers the outbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from crm_core.channels.delivery import Courier
from crm_core.channels.tables import LEAVING, Outbox
from crm_core.timers.model import Tally
from crm_core.work.units import ReadUnit


class OutboxChore:
    """Hands to the gateways what is due."""

    kind = "outbox"
    every = timedelta(seconds=1)

    def __init__(self, courier: Courier) -> None:
        self._courier = courier

    def run(self, stopped: Callable[[], bool]) -> Tally:
        """Deliver until nothing is due; a temporary failure is due again later, so this ends."""
        return self._courier.run_once(stopped)

    def behind(self, unit: ReadUnit) -> timedelta | None:
        """How long the oldest message has been due that no poller holds."""
        due = select(Outbox.due_at).where(LEAVING, Outbox.due_at <= unit.now)
        oldest: datetime | None = unit.scalar(due.order_by(Outbox.due_at, Outbox.id).limit(1))
        return None if oldest is None else unit.now - oldest

    def close(self) -> None:
        """Let go of the gateways' connections."""
        self._courier.close()
