"""The last row of each chain, and single rows by place: point reads on the primary key."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, exists, func, select

from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Tag

_table = AuditRow.__table__
_next_chain = select(func.min(_table.c.chain)).where(_table.c.chain > bindparam("after"))
_last = (
    select(_table.c.seq, _table.c.mac)
    .where(_table.c.chain == bindparam("chain"))
    .order_by(_table.c.seq.desc())
    .limit(1)
)
_mac = select(_table.c.mac).where(_table.c.chain == bindparam("chain"), _table.c.seq == bindparam("seq"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The end of a chain: the number and MAC of its last row."""

    seq: int
    mac: bytes


def head(connection: Connection, chain: int) -> Head | None:
    """The end of one chain; None for a chain without rows."""
    found = connection.execute(_last, {"chain": chain}).first()
    return Head(seq=found.seq, mac=found.mac) if found else None


def heads(connection: Connection) -> dict[int, Head]:
    """The end of every chain that has rows. Two point reads a chain: it never scans the table."""
    found: dict[int, Head] = {}
    chain = -1
    while (after := connection.execute(_next_chain, {"after": chain}).scalar()) is not None:
        chain = after
        last = head(connection, chain)
        if last is not None:
            found[chain] = last
    return found


def has_newer(connection: Connection, chain: int, seq: int, but: Tag) -> bool:
    """Whether a chain holds a row after `seq` that says anything but that tag."""
    newer = exists().where(_table.c.chain == chain, _table.c.seq > seq, _table.c.tag != but.value)
    return bool(connection.execute(select(newer)).scalar())


def mac_at(connection: Connection, chain: int, seq: int) -> bytes | None:
    """The MAC of one row; None where there is no such row."""
    return connection.execute(_mac, {"chain": chain, "seq": seq}).scalar()
