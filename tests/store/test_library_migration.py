"""Templates of First light under the library's new rules: each came from a file, and the rules hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, insert, select
from sqlalchemy.exc import IntegrityError

from crm_core.store.engines import Store
from crm_core.store.schema import migrate
from tests.store.test_migrations import old

__all__ = ["old"]

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
VERSION = {
    "id": 1, "template_id": 1, "number": 1, "language": "en", "state": "draft", "title": "Hello", "purpose": "Greets.",
    "categories": "other", "channels": "sms", "body": "Hi.", "needs_personal": False, "review_months": 12,
    "digest": "0" * 64, "author_id": 0, "created_at": NOW,
}  # fmt: skip


def _tables(connection: Connection) -> dict[str, Any]:
    seen = MetaData()
    seen.reflect(connection, only=["template", "template_version"])
    return dict(seen.tables)


def _fill(store: Store) -> None:
    with store.writing.begin() as connection:
        tables = _tables(connection)
        connection.execute(insert(tables["template"]), [{"id": 1, "key": "hello"}])
        connection.execute(insert(tables["template_version"]), [VERSION])
    migrate(store)


def test_every_version_so_far_came_from_a_file_and_does_nothing_else(old: Store) -> None:
    _fill(old)
    with old.writing.begin() as connection:
        (row,) = connection.execute(select(_tables(connection)["template_version"]))
    assert (row.origin, row.body, row.then_close, row.then_snooze, row.then_task) == ("file", "Hi.", None, None, None)


@pytest.mark.parametrize(
    "broken",
    [
        {"origin": "fax"},
        {"then_close": "resolved", "then_snooze": "2d"},
        {"then_task": "Call again"},
        {"remark": "Say who we are."},
    ],
)
def test_what_no_template_may_be_is_refused_by_the_store(old: Store, broken: dict[str, Any]) -> None:
    _fill(old)
    with pytest.raises(IntegrityError), old.writing.begin() as connection:
        table = _tables(connection)["template_version"]
        connection.execute(table.update().where(table.c.id == 1).values(broken))
