"""What a unit changed is heard by whoever listens, on both stores."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from crm_core.access.model import SYSTEM
from crm_core.app import Crm, open_crm
from crm_core.store.feed import Topic
from tests.conftest import MASTER

LONGEST = 10.0
"""Seconds until a test that hears nothing gives up."""

Heard = queue.SimpleQueue[frozenset[Topic]]


@pytest.fixture
def other(crm: Crm) -> Iterator[Crm]:
    """Another process's view of the same store, as far as the store can tell."""
    with open_crm(crm.settings, master=MASTER, clock=crm.clock) as opened:
        yield opened


def change(crm: Crm, topic: Topic) -> None:
    """Commit a change of one topic."""
    with crm.write(SYSTEM) as unit:
        unit.changed(topic)


def hears(heard: Heard, topic: Topic) -> bool:
    """Whether the topic is told before the time is up."""
    while True:
        try:
            if topic in heard.get(timeout=LONGEST):
                return True
        except queue.Empty:
            return False


def test_a_change_right_after_listening_began_is_heard(crm: Crm, other: Crm) -> None:
    heard = Heard()
    crm.store.feed.listen(heard.put)
    change(other, Topic.ALARM)
    assert hears(heard, Topic.ALARM)


def test_a_change_that_was_rolled_back_is_not_announced(crm: Crm, other: Crm) -> None:
    heard = Heard()
    crm.store.feed.listen(heard.put)
    with pytest.raises(ZeroDivisionError), other.write(SYSTEM) as unit:
        unit.changed(Topic.ALARM)
        raise ZeroDivisionError
    change(other, Topic.LIBRARY)
    assert heard.get(timeout=LONGEST) == {Topic.LIBRARY}


def test_a_listener_that_breaks_keeps_nothing_from_the_others(crm: Crm, other: Crm) -> None:
    heard = Heard()

    def breaks(_: frozenset[Topic]) -> None:
        raise ZeroDivisionError

    crm.store.feed.listen(breaks)
    crm.store.feed.listen(heard.put)
    for topic in (Topic.INBOX, Topic.ALARM):
        change(other, topic)
        assert hears(heard, topic)


def test_a_listener_may_stop_itself_and_stop_twice(crm: Crm, other: Crm) -> None:
    first, second = Heard(), Heard()
    stops: list[Callable[[], None]] = []

    def once(topics: frozenset[Topic]) -> None:
        first.put(topics)
        stops[0]()

    stops.append(crm.store.feed.listen(once))
    crm.store.feed.listen(second.put)
    for topic in (Topic.INBOX, Topic.ALARM):
        change(other, topic)
        assert hears(second, topic)
    stops[0]()
    assert first.qsize() == 1


def test_a_listener_may_close_the_store(crm: Crm, other: Crm) -> None:
    closed = queue.SimpleQueue[bool]()

    def close(_: frozenset[Topic]) -> None:
        crm.close()
        closed.put(True)

    crm.store.feed.listen(close)
    change(other, Topic.INBOX)
    assert closed.get(timeout=LONGEST)


def test_what_a_lost_connection_missed_every_screen_looks_for(crm: Crm, other: Crm) -> None:
    if crm.store.dialect != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    heard = Heard()
    crm.store.feed.listen(heard.put)
    with other.store.writing.connect() as connection:
        listening = "datname = current_database() AND query LIKE 'LISTEN%'"
        ended = connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}"))
        assert ended.scalars().all() == [True]
    assert heard.get(timeout=LONGEST) == frozenset(Topic)
    change(other, Topic.ALARM)
    assert hears(heard, Topic.ALARM)


def test_a_topic_of_a_newer_version_is_passed_over(crm: Crm, other: Crm) -> None:
    heard = Heard()
    crm.store.feed.listen(heard.put)
    with other.store.writing.begin() as connection:
        if crm.store.dialect == "postgresql":
            connection.execute(text("SELECT pg_notify('crm_changed', 'horoscopes')"))
        else:
            connection.execute(text("INSERT INTO topic_version (topic, version) VALUES ('horoscopes', 1)"))
    change(other, Topic.ALARM)
    assert heard.get(timeout=LONGEST) == {Topic.ALARM}
