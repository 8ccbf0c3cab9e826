"""The schema: what migrations make is what the tables say, on both stores."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import SAWarning

import crm_core
from crm_core.app import Crm
from crm_core.store import search_index
from crm_core.store.base import Base
from crm_core.store.engines import open_store
from crm_core.store.schema import HEAD
from tests.conftest import database_url, run_sql

for _module in Path(crm_core.__path__[0]).glob("**/tables.py"):
    import_module(".".join(("crm_core", *_module.relative_to(crm_core.__path__[0]).with_suffix("").parts)))

UNMAPPED = re.compile(rf"{search_index.TABLE}(_\w+)?|alembic_version|sqlite_sequence")
"""Tables that no class maps: the index of tokens, with what FTS5 keeps behind it, and Alembic's own."""


def test_the_newest_migration_is_the_one_that_the_code_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(crm_core.__path__[0]) / "store" / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_alembic_finds_nothing_left_to_migrate(crm: Crm) -> None:
    with crm.store.writing.connect() as connection, warnings.catch_warnings():
        # Indexes on expressions and FTS5's own tables cannot be reflected, and are left out below.
        warnings.simplefilter("ignore", SAWarning)
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _mapped})
        assert compare_metadata(context, Base.metadata) == []


def _mapped(name: str | None, kind: str, _: Any) -> bool:
    return kind != "table" or UNMAPPED.fullmatch(name or "") is None


@pytest.fixture
def from_metadata(crm: Crm, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty store made from the tables' own words, of the same kind as `crm`."""
    if crm.store.dialect == "sqlite":
        (tmp_path / "other").mkdir()
        store = open_store(f"sqlite:///{tmp_path / 'other' / 'crm.db'}", os.urandom(32))
    else:
        server = request.getfixturevalue("postgres_url")
        run_sql(server, "CREATE DATABASE from_metadata")
        store = open_store(database_url(server, "from_metadata"), None)
    with store.writing.begin() as connection:
        Base.metadata.create_all(connection)
        search_index.create(connection)
    yield store.writing
    store.close()
    if crm.store.dialect == "postgresql":
        run_sql(server, "DROP DATABASE from_metadata WITH (FORCE)")


def test_every_rule_of_the_tables_is_in_the_migrated_store(crm: Crm, from_metadata: Engine) -> None:
    """Alembic does not compare CHECKs, conditions of partial indexes and triggers; this does."""
    assert _rules(crm.store.writing) == _rules(from_metadata)


def _rules(engine: Engine) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with engine.connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        seen = inspect(connection)
        for table in seen.get_table_names():
            if UNMAPPED.fullmatch(table):
                continue
            rules: list[Any] = [("primary", seen.get_pk_constraint(table)["constrained_columns"])]
            rules += [("column", each["name"], str(each["type"]), each["nullable"]) for each in seen.get_columns(table)]
            rules += [("check", each["name"], each["sqltext"]) for each in seen.get_check_constraints(table)]
            rules += [("unique", each["name"], each["column_names"]) for each in seen.get_unique_constraints(table)]
            rules += [
                ("foreign", each["constrained_columns"], each["referred_table"], each["options"])
                for each in seen.get_foreign_keys(table)
            ]
            rules += [
                ("index", each["name"], each["column_names"], each["unique"], _where(each.get("dialect_options", {})))
                for each in seen.get_indexes(table)
            ]
            found[table] = {repr(rule) for rule in rules}
        triggers = connection.exec_driver_sql(_TRIGGERS[engine.dialect.name])
        found["triggers"] = {" ".join(" ".join(row).split()) for row in triggers}
    return found


def _where(options: dict[str, Any]) -> str:
    return str(options.get("sqlite_where", options.get("postgresql_where", "")))


_TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
}
