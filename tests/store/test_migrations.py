"""From the schema of First light, with rows in it, to the newest: nothing is lost, and the new rules hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, Table, insert, select, text
from sqlalchemy.exc import IntegrityError

import crm_core
from crm_core.store.engines import Store, open_store
from crm_core.store.schema import HEAD, migrate
from tests.conftest import database_url, run_sql

BEFORE = "2026_11_23_messages"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of First light's schema, on each of the two."""
    if request.param == "sqlite":
        store = open_store(f"sqlite:///{tmp_path / 'crm.db'}", os.urandom(32))
    else:
        server: str = request.getfixturevalue("postgres_url")
        run_sql(server, "CREATE DATABASE from_before")
        store = open_store(database_url(server, "from_before"), None)
    with store.writing.begin() as connection:
        _upgrade(connection, BEFORE)
    yield store
    store.close()
    if request.param == "postgresql":
        run_sql(server, "DROP DATABASE from_before WITH (FORCE)")


def _upgrade(connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(crm_core.__path__[0]) / "store" / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _tables(connection: Connection) -> dict[str, Table]:
    """The tables as they are in the store now, whatever the code says."""
    seen = MetaData()
    seen.reflect(connection, only=["staff", "conversation", "step", "undo", "message"])
    return dict(seen.tables)


def _conversation(number: int, state: str, **more: Any) -> dict[str, Any]:
    closed = {"outcome": "resolved", "closed_at": NOW} if state == "closed" else {"outcome": None, "closed_at": None}
    return {
        "id": number, "channel": "sms", "category": "other", "reason": "rest", "priority": "routine", "urgency": 4,
        "lane": "front_desk", "state": state, "danger": False, "unscreened": False, "opened_at": NOW,
        "waiting_since": NOW, "due_at": None, "due_order": NOW, "last_message_at": NOW, "snoozed_until": None,
        "follow_up_at": None, "playbook_version": 1, "version": 3, "next_action_sealed": b"sealed", **closed, **more,
    }  # fmt: skip


def _fill(connection: Connection) -> None:
    tables = _tables(connection)
    connection.execute(
        insert(tables["staff"]),
        [{"id": 1, "login": "ann", "name": "Ann", "active": True, "epoch": 1, "created_at": NOW, "failed_attempts": 0}],
    )
    connection.execute(
        insert(tables["conversation"]),
        [
            _conversation(1, "new", due_at=NOW + timedelta(hours=4)),
            _conversation(2, "open"),
            _conversation(3, "waiting_patient"),
            _conversation(4, "snoozed", snoozed_until=NOW + timedelta(days=1)),
            _conversation(5, "closed"),
        ],
    )
    step = {"at": NOW, "actor_id": 1, "to_lane": "front_desk", "reason": None}
    connection.execute(
        insert(tables["step"]),
        [
            {**step, "id": 1, "conversation_id": 3, "verb": "received", "to_state": "open"},
            {**step, "id": 2, "conversation_id": 3, "verb": "replied", "to_state": "waiting_patient"},
            {**step, "id": 3, "conversation_id": 2, "verb": "called", "to_state": "waiting_other"},
            {**step, "id": 4, "conversation_id": 5, "verb": "received", "to_state": "closed", "reason": "thanks"},
        ],
    )
    undo = {"id": 1, "conversation_id": 3, "staff_id": 1, "at": NOW}
    connection.execute(
        insert(tables["undo"]),
        [{**undo, "verb": "replied", "before": "{}", "version_after": 3}],
    )


def test_rows_of_first_light_are_kept_and_follow_the_new_rules(old: Store) -> None:
    with old.writing.begin() as connection:
        _fill(connection)
    assert migrate(old) == BEFORE
    with old.writing.begin() as connection:
        tables = _tables(connection)
        conversation, step = tables["conversation"], tables["step"]
        rows = {row.id: row for row in connection.execute(select(conversation))}
        assert sorted(rows) == [1, 2, 3, 4, 5]
        assert (rows[1].due_clock, rows[1].state) == ("first_response", "new")
        assert all(row.mark_at is not None for number, row in rows.items() if number != 5)
        assert rows[5].mark_at is None
        # What waited or was open without a date has one now, so that it comes up.
        assert rows[2].follow_up_at is not None
        assert rows[3].follow_up_at is not None
        turns = {row.id: row.turn for row in connection.execute(select(step))}
        assert turns == {1: "asked", 2: "answered", 3: None, 4: None}
        connection.execute(insert(step).values(
            id=9, conversation_id=1, at=NOW, actor_id=1, verb="merged", to_state="open", to_lane="front_desk"
        ))  # fmt: skip
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert found == HEAD


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "open", "due_at": None, "follow_up_at": None, "snoozed_until": None},
        {"due_clock": "lunch"},
        {"merged_into_id": 1},
    ],
)
def test_the_rules_that_were_added_to_a_table_with_rows_are_held(old: Store, broken: dict[str, Any]) -> None:
    with old.writing.begin() as connection:
        _fill(connection)
    migrate(old)
    with pytest.raises(IntegrityError), old.writing.begin() as connection:
        conversation = _tables(connection)["conversation"]
        connection.execute(conversation.update().where(conversation.c.id == 1).values(broken))
