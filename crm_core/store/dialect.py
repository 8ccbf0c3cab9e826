"""The few statements whose spelling differs between the two stores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, bindparam, cast, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.expression import FromClause, TableClause
from sqlalchemy.types import NullType


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


def among(dialect: str, column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """Whether `column` is one of these ids, on Postgres by one parameter for all of them.

    An IN of 200 parameters is written, read and split by psycopg anew for each batch: a third of
    what a poller's batch cost in the process.
    """
    listed = list(ids)
    if dialect != "postgresql":
        found: ColumnElement[bool] = column.in_(listed)
        return found
    return column == any_(_array(listed))  # type: ignore[no-any-return]


def pair_among(dialect: str, first: Any, second: Any, pairs: Sequence[tuple[int, int]]) -> ColumnElement[bool]:
    """Whether two integer columns are together one of these pairs; on Postgres by two parameters."""
    if dialect != "postgresql":
        return tuple_(first, second).in_(list(pairs))
    listed = (
        func.unnest(*(_array(values) for values in zip(*pairs, strict=True)))
        .table_valued("one", "other")
        .render_derived()
    )
    return tuple_(first, second).in_(select(listed.c.one, listed.c.other))


def _array(ids: Iterable[int]) -> ColumnElement[Any]:
    """One parameter, written as Postgres reads arrays: psycopg would dump a list one by one.

    It bears no type of its own, so that Postgres takes it for the array itself: a text that is
    cast is no constant to the planner, and each row is then compared with every id.
    """
    return cast(bindparam(None, "{" + ",".join(map(str, ids)) + "}", NullType()), ARRAY(BigInteger))
