"""What lies in a conversation and goes with it into another: the rows of every room, and their way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from sqlalchemy import Column, Table, UniqueConstraint, select, update

from crm_core.store.base import Base
from crm_core.work.units import WriteUnit

Rows = dict[str, list[int]]
"""Ids by table, as an undo's journal holds them."""

_STAY = frozenset({"conversation", "step", "undo", "draft", "clock_mark"})
"""A conversation's own history, its clocks' and its authors' drafts stay with it: drafts.py looks for those."""


def move_all(unit: WriteUnit, from_id: int, to_id: int) -> Rows:
    """Move every row that lies in one conversation to another; returns which they were."""
    moved: Rows = {}
    for table, column in _lying_in("conversation"):
        moved |= _moved(unit, table, column, unit.scalars(select(table.c.id).where(column == from_id)), to_id)
    return moved


def move_messages(unit: WriteUnit, message_ids: Sequence[int], note_ids: Sequence[int], to_id: int) -> Rows:
    """Move these messages and notes, and whatever hangs on these messages; returns which rows they were."""
    moved: Rows = {}
    tables = {table.name: (table, column) for table, column in _lying_in("conversation")}
    moved |= _moved(unit, *tables["message"], list(message_ids), to_id)
    moved |= _moved(unit, *tables["note"], list(note_ids), to_id)
    for table, on_message in _lying_in("message"):
        if table.name in tables:
            hanging = unit.scalars(select(table.c.id).where(on_message.in_(message_ids)))
            moved |= _moved(unit, table, tables[table.name][1], hanging, to_id)
    return moved


def move_back(unit: WriteUnit, rows: Mapping[str, Sequence[int]], to_id: int) -> None:
    """Put exactly these rows into a conversation again."""
    for table, column in _lying_in("conversation"):
        _moved(unit, table, column, list(rows.get(table.name, ())), to_id)


def _moved(unit: WriteUnit, table: Table, column: Column[int], ids: list[int], to_id: int) -> Rows:
    if not ids:
        return {}
    unit.execute(update(table).where(table.c.id.in_(ids)).values({column.name: to_id}))
    return {table.name: sorted(ids)}


@cache
def _lying_in(what: str) -> tuple[tuple[Table, Column[int]], ...]:
    """The tables, of whatever room, whose rows belong to one `what`, with the column that says to which."""
    return tuple(_pointing_at(what))


def _pointing_at(what: str) -> Iterator[tuple[Table, Column[int]]]:
    for table in Base.metadata.sorted_tables:
        if table.name in _STAY or "id" not in table.c:
            continue
        for column in table.c:
            if any(key.column.table.name == what for key in column.foreign_keys) and not _only_one(table, column):
                yield table, column
                break


def _only_one(table: Table, column: Column[int]) -> bool:
    """Whether a rule names the column as part of what may be there once: such a row cannot go elsewhere."""
    rules = [rule.columns for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    rules += [index.columns for index in table.indexes if index.unique]
    return any(column.name in columns for columns in rules)
