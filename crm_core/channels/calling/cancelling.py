"""Taking patients off the call list, whoever's doing it is."""

from __future__ import annotations

from typing import cast

from sqlalchemy import ColumnElement, Table, select, update

from crm_core.channels.calling.model import CallState
from crm_core.channels.calling.tables import CallItem
from crm_core.tasks.ending import cancel_tasks
from crm_core.work.units import WriteUnit

ITEM = cast("Table", CallItem.__table__)


def cancel_calls(unit: WriteUnit, which: ColumnElement[bool], because: str) -> list[int]:
    """Cancel the waiting items that answer to a condition on `ITEM`, saying why in their tasks; returns which."""
    waiting = (ITEM.c.state == CallState.WAITING, which)
    ids = sorted(unit.scalars(select(ITEM.c.task_id).where(*waiting).with_for_update()))
    if not ids:
        return []
    ended = {"state": CallState.CANCELLED, "settled_at": unit.now}
    unit.execute(update(ITEM).where(ITEM.c.task_id.in_(ids)).values(ended))
    cancel_tasks(unit, ids, because)
    return ids
