"""Taking in: one sealed row and a timer, so that whoever brought it may forget it."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.incoming.model import KIND
from crm_core.channels.incoming.payload import Payload, content, kind_of, occasion_of, written
from crm_core.channels.incoming.tables import Incoming
from crm_core.dedup import incoming_key
from crm_core.store.dialect import insert_or_ignore
from crm_core.store.feed import Topic
from crm_core.timers.service import NewTimer, set_timers
from crm_core.vault.fields import Field
from crm_core.work.units import ReadUnit, WriteUnit

_TABLE = cast("Table", Incoming.__table__)


@needs(Permission.MESSAGE_RECEIVE)
def take_in(unit: WriteUnit, source: str, brought: Payload) -> int | None:
    """Write down what was brought, to be handled at once; returns its id, or None where it was here before.

    The same thing is what bears the same provider's id from the same `source`, a code of at most
    60 letters. What bears none is always new. Nobody's record is looked at: that is the handler's part.
    """
    row_id = unit.new_id(_TABLE.name)
    row = {
        "id": row_id,
        "source": source,
        "kind": kind_of(brought),
        "token": _token(unit, source, brought),
        "content_print": unit.vault.fingerprint(content(brought)),
        "received_at": unit.now,
        "payload_sealed": unit.seal(Field.INCOMING_PAYLOAD, row_id, written(brought)),
    }
    if unit.scalar(insert_or_ignore(unit.dialect, _TABLE, ["token"]).values(row).returning(_TABLE.c.id)) is None:
        return None
    timer = NewTimer(kind=KIND, subject_id=row_id, run_at=unit.now, dedup_key=incoming_key(row_id))
    set_timers(unit, [timer])
    unit.audit(Tag.INCOMING_TAKEN, row_id, why=source)
    unit.changed(Topic.INCOMING)
    return row_id


@needs(Permission.MESSAGE_RECEIVE)
def is_the_same(unit: ReadUnit, source: str, brought: Payload) -> bool:
    """Whether what was here before under this provider's id says the same; when it came does not matter."""
    known = unit.scalar(select(_TABLE.c.content_print).where(_TABLE.c.token == _token(unit, source, brought)))
    return known is None or bytes(known) == unit.vault.fingerprint(content(brought))


def _token(unit: ReadUnit, source: str, brought: Payload) -> int | None:
    occasion = occasion_of(brought)
    return None if occasion is None else unit.vault.token(KIND, f"{source}:{kind_of(brought)}:{occasion}")
