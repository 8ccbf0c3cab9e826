"""What a poller does with what was brought, in one call; and counting what there is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.channels.incoming.handling import IncomingHandler
from crm_core.timers.model import Timer, TimerState
from crm_core.timers.tables import TimerRow


def handle(crm: Crm) -> int:
    """Fire every timer that waits for what was brought, as one batch; returns how many run again."""
    handler = IncomingHandler(crm.receiver, crm.observers)
    waiting = select(TimerRow.id, TimerRow.subject_id, TimerRow.due_at).where(
        TimerRow.kind == handler.kind, TimerRow.state == TimerState.WAITING
    )
    with crm.write(SYSTEM) as unit:
        timers = [
            Timer(id=row.id, kind=handler.kind, subject_id=row.subject_id, due_at=row.due_at, attempt=1, token=1)
            for row in unit.execute(waiting)
        ]
        return len(handler.fire(unit, timers))


def count(crm: Crm, of: Any, *where: Any) -> int:
    """How many rows of a table answer to that."""
    with crm.read(SYSTEM) as unit:
        return int(unit.scalar(select(func.count()).select_from(of).where(*where)))
