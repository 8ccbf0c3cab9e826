"""A store that goes away is no timer's failure: no try is used up, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import make_url, select, text

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.errors import Unavailable
from crm_core.settings import Settings
from crm_core.timers.model import Tally, Timer
from crm_core.timers.tables import TimerRow
from crm_core.work.units import WriteUnit
from tests.conftest import run_sql
from tests.timers.conftest import Recording, chore, never, set_many, states


@dataclass
class Switch:
    """Takes the store away and brings it back."""

    off: Callable[[], object]
    on: Callable[[], object]


@pytest.fixture
def switch(settings: Settings, request: pytest.FixtureRequest) -> Switch:
    """Of the embedded store the folder is moved; the server lets nobody in and ends who is."""
    if settings.database is not None:
        home, elsewhere = settings.home, settings.home.with_name("elsewhere")
        return Switch(off=lambda: home.rename(elsewhere), on=lambda: elsewhere.rename(home))
    server: str = request.getfixturevalue("postgres_url")
    name = make_url(settings.store_url).database

    def off() -> None:
        run_sql(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        run_sql(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    return Switch(off=off, on=lambda: run_sql(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))


def test_a_store_that_goes_away_in_the_midst_of_a_batch_costs_no_try(crm: Crm, switch: Switch) -> None:
    set_many(crm, [1, 2, 3])

    def goes(_unit: WriteUnit, _timers: Sequence[Timer]) -> None:
        switch.off()
        raise Unavailable(what="The store", remedy="wait")

    handler = Recording(meanwhile=goes)
    poller = chore(crm, handler)
    with pytest.raises(Unavailable):
        poller.run(never)
    with pytest.raises(Unavailable):
        poller.run(never)
    switch.on()
    handler.meanwhile = lambda _unit, _timers: None
    assert poller.run(never) == Tally(claimed=3, done=3)
    assert handler.fired == [(1, 2, 3), (1, 2, 3)]
    assert states(crm) == {"done": 3}
    with crm.read(SYSTEM) as unit:
        assert unit.scalars(select(TimerRow.attempt)) == [1, 1, 1]


def test_a_poller_that_ends_while_the_store_is_away_leaves_its_batch_to_the_lease(crm: Crm, switch: Switch) -> None:
    set_many(crm, [1, 2])

    def goes(_unit: WriteUnit, _timers: Sequence[Timer]) -> None:
        switch.off()
        raise Unavailable(what="The store", remedy="wait")

    poller = chore(crm, Recording(meanwhile=goes))
    with pytest.raises(Unavailable):
        poller.run(never)
    with pytest.raises(Unavailable):
        poller.close()
    switch.on()
    assert states(crm) == {"waiting": 2}


def test_a_connection_that_is_lost_while_the_store_answers_has_the_batch_run_again_at_once(crm: Crm) -> None:
    if crm.store.dialect == "sqlite":
        pytest.skip("an embedded store has no connection to lose")
    set_many(crm, [1, 2])
    lost: list[bool] = []

    def loses_it_once(unit: WriteUnit, _timers: Sequence[Timer]) -> None:
        if not lost:
            lost.append(True)
            unit.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    assert chore(crm, Recording(meanwhile=loses_it_once)).run(never) == Tally(claimed=2, done=2)
    assert states(crm) == {"done": 2}
