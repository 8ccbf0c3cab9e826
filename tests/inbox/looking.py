"""What tests look at beside the services: the stored rows themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.audit.tables import AuditRow
from crm_core.channels.tables import Message, Outbox
from crm_core.inbox.tables import Alarm, Conversation, Step


def _all(crm: Crm, statement: Any) -> list[Mapping[str, Any]]:
    with crm.read(SYSTEM) as unit:
        return [dict(row) for row in unit.execute(statement).mappings()]


def stored(crm: Crm, conversation_id: int | None) -> Mapping[str, Any]:
    """One conversation's columns."""
    table = Conversation.__table__
    return _all(crm, select(table).where(table.c.id == conversation_id))[0]


def conversations(crm: Crm) -> list[Mapping[str, Any]]:
    """Every conversation, by id."""
    return _all(crm, select(Conversation.__table__).order_by(Conversation.__table__.c.id))


def messages(crm: Crm) -> list[Mapping[str, Any]]:
    """Every message, by id."""
    return _all(crm, select(Message.__table__).order_by(Message.__table__.c.id))


def alarm_rows(crm: Crm) -> list[Mapping[str, Any]]:
    """Every alarm, by id."""
    return _all(crm, select(Alarm.__table__).order_by(Alarm.__table__.c.id))


def outbox_rows(crm: Crm) -> list[Mapping[str, Any]]:
    """Every row of the outbox, by id."""
    return _all(crm, select(Outbox.__table__).order_by(Outbox.__table__.c.id))


def verbs(crm: Crm, conversation_id: int | None) -> list[str]:
    """What was done to a conversation, in order."""
    table = Step.__table__
    steps = _all(crm, select(table.c.verb).where(table.c.conversation_id == conversation_id).order_by(table.c.id))
    return [step["verb"].value for step in steps]


def audited(crm: Crm) -> list[Mapping[str, Any]]:
    """Every audit row, in the order of its chain."""
    table = AuditRow.__table__
    return _all(crm, select(table).order_by(table.c.chain, table.c.seq))


def tags(crm: Crm) -> list[str]:
    """The words of the audit rows."""
    return [row["tag"] for row in audited(crm)]


@contextmanager
def statements(*engines: Engine) -> Iterator[list[str]]:
    """The SQL that is sent inside, without BEGIN, COMMIT and what the change feed announces meanwhile."""
    heard: list[str] = []

    def hear(*args: Any) -> None:
        if not args[2].startswith(("BEGIN", "COMMIT", "SELECT pg_notify")):
            heard.append(args[2])

    for engine in engines:
        event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", hear)
