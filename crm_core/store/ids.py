"""Ids in blocks (hi/lo): a row's id is known before it is inserted.

A process takes a block per kind in a short transaction of its own, before the unit of work
that uses it; one that runs dry inside a unit takes the next block at once, on SQLite on the
unit's connection, and forgets it if that unit is rolled back. Ids left in a block at exit are lost, so blocks
start at one and double: staff say these numbers on the phone.
"""

from __future__ import annotations

import threading

from sqlalchemy import Connection, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.store.base import Base, Id

FIRST_BLOCK = 1
LARGEST_BLOCK = 1024


class IdBlock(Base):
    """The next free id of each kind; kinds are table names."""

    __tablename__ = "id_block"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_id: Mapped[int] = mapped_column(Id)


class IdPool:
    """One process's free ids. Safe to share between threads."""

    def __init__(self) -> None:
        self._free: dict[str, list[range]] = {}
        self._size: dict[str, int] = {}
        self._lock = threading.Lock()

    def low(self) -> list[tuple[str, int]]:
        """The kinds in use that have run dry, each with the size of the block to take."""
        with self._lock:
            return [(kind, self._size[kind]) for kind, free in self._free.items() if not free]

    def take(self, kind: str, count: int) -> range | None:
        """`count` consecutive free ids, or None where the pool holds no such run."""
        with self._lock:
            free = self._free.setdefault(kind, [])
            self._size.setdefault(kind, FIRST_BLOCK)
            for index, block in enumerate(free):
                if len(block) >= count:
                    rest = block[count:]
                    free[index : index + 1] = [rest] if rest else []
                    return block[:count]
            return None

    def give(self, kind: str, block: range) -> None:
        """Put a block into the pool."""
        with self._lock:
            if block:
                self._free.setdefault(kind, []).append(block)

    def forget(self, kind: str, block: range) -> None:
        """Drop what is left of a block whose transaction was rolled back."""
        with self._lock:
            self._free[kind] = [free for free in self._free.get(kind, []) if free.stop != block.stop]

    def grow(self, kind: str) -> int:
        """The size of the next block of `kind`: twice the last, up to LARGEST_BLOCK."""
        with self._lock:
            size = self._size.get(kind, FIRST_BLOCK)
            self._size[kind] = min(size * 2, LARGEST_BLOCK)
            return size


def take_block(connection: Connection, kind: str, size: int) -> range:
    """Move the kind's next free id `size` further and return the ids passed over."""
    table = IdBlock.__table__
    moved = connection.execute(
        update(table).where(table.c.kind == kind).values(next_id=table.c.next_id + size).returning(table.c.next_id)  # type: ignore[arg-type]
    ).scalar()
    if moved is None:
        _create(connection, kind)
        return take_block(connection, kind, size)
    return range(moved - size, moved)


def _create(connection: Connection, kind: str) -> None:
    from crm_core.store.dialect import insert_or_ignore

    table = IdBlock.__table__
    connection.execute(insert_or_ignore(connection.dialect.name, table), {"kind": kind, "next_id": 1})
    assert connection.execute(select(table.c.next_id).where(table.c.kind == kind)).scalar() is not None
