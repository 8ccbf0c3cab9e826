"""Changing a rule of a table that has rows, on both stores.

SQLite cannot alter a constraint. Its own documentation allows what changes no row on disk to be
written into the schema text, in one transaction, with the schema's version raised; rebuilding the
table instead would drop it under the foreign keys that point to it.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op


def add_check(table: str, name: str, condition: str) -> None:
    """Hold every row to `condition` from now on; `name` without the table's prefix."""
    named = f"ck_{table}_{name}"
    if op.get_bind().dialect.name == "postgresql":
        op.create_check_constraint(op.f(named), table, condition)
        return
    before = _definition(table)
    _redefine(table, f"{before[: before.rindex(')')]}, CONSTRAINT {named} CHECK ({condition}))")


def change_check(table: str, name: str, before: str, after: str) -> None:
    """Replace the rule called `name`, whose text was `before`, by `after`."""
    named = f"ck_{table}_{name}"
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(named), table, type_="check")
        op.create_check_constraint(op.f(named), table, after)
        return
    old = _definition(table)
    rule = re.compile(rf"(CONSTRAINT {named} CHECK\s*\(\s*){re.escape(before)}(\s*\))")
    new, changed = rule.subn(lambda found: f"{found[1]}{after}{found[2]}", old)
    if changed != 1:
        raise LookupError(f"{named} is not as this migration expects it")
    _redefine(table, new)


def add_reference(table: str, column: str, to: str) -> None:
    """Add a nullable column that points to the id of a row of `to`."""
    named = f"fk_{table}_{column}"
    if op.get_bind().dialect.name == "postgresql":
        op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(named), table, to, [column], ["id"])
        return
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} BIGINT CONSTRAINT {named} REFERENCES {to} (id)")


def one_of(column: str, *words: str) -> str:
    """The rule of a column of words, as `store.base.word` spells it."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def _definition(table: str) -> str:
    found = op.get_bind().execute(
        sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"), {"name": table}
    )
    return str(found.scalar_one())


def _redefine(table: str, definition: str) -> None:
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name"),
        {"sql": definition, "name": table},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version={int(version) + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")
