"""The few statements whose spelling differs between the two stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.expression import FromClause, TableClause


def _insert(dialect: str, table: FromClause) -> Any:
    assert isinstance(table, TableClause)
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_or_ignore(dialect: str, table: FromClause, on: Sequence[str] | None = None) -> Insert:
    """An INSERT that leaves an existing row alone; `on` names the unique columns, or any conflict."""
    statement: Insert = _insert(dialect, table).on_conflict_do_nothing(index_elements=list(on) if on else None)
    return statement


def upsert(dialect: str, table: FromClause, on: Sequence[str], change: Sequence[str]) -> Insert:
    """An INSERT that, where the columns `on` meet an existing row, sets `change` to the new values."""
    statement = _insert(dialect, table)
    values = {name: statement.excluded[name] for name in change}
    done: Insert = statement.on_conflict_do_update(index_elements=list(on), set_=values)
    return done
