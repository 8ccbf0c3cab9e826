"""A COMMIT whose answer is lost, at each of those that a poller makes: it may stand or not (security.md, case 20)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import event

from crm_core.app import Crm
from crm_core.errors import CrmError
from tests.channels.workbench import Workbench, workbench

__all__ = ["workbench"]

AT_LEAST = 5
"""Commits of a poller that fires one timer and sends its message: claim and fire, claim, begin, settle."""


@contextmanager
def losing(crm: Crm, nth: int, *, saved: bool) -> Iterator[list[int]]:
    """Cut the connection of the nth COMMIT, before the store has it or after; what is yielded tells that it was."""
    counted: list[int] = []
    lost: list[int] = []

    def cut(connection: Any) -> None:
        counted.append(nth)
        if len(counted) == nth:
            raw = connection.connection.driver_connection
            if saved:
                raw.commit()
            raw.close()
            lost.append(nth)

    event.listen(crm.store.writing, "commit", cut)
    try:
        yield lost
    finally:
        event.remove(crm.store.writing, "commit", cut)


@pytest.mark.parametrize("saved", [True, False], ids=["it stands", "it does not"])
def test_whichever_commit_goes_unanswered_the_timer_fires_once_and_its_message_goes_once(
    workbench: Workbench, saved: bool
) -> None:
    if workbench.crm.store.dialect != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    nth = 0
    lost = [nth]
    while lost:
        nth += 1
        workbench.one_due("fires")
        with losing(workbench.crm, nth, saved=saved) as lost, suppress(CrmError):
            workbench.other.turn()
        workbench.others_take_over()
        workbench.others_take_over()
        workbench.expect_all_done_once()
    assert nth > AT_LEAST
