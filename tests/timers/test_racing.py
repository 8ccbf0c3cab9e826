"""Many pollers over one store: no timer twice, none left."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from crm_core.app import Crm, open_crm
from crm_core.clock import ShiftedClock
from crm_core.settings import Settings
from crm_core.timers.model import Tally, Timer
from crm_core.work.units import WriteUnit
from tests.conftest import MASTER
from tests.timers.conftest import Recording, chore, never, set_many, states

TIMERS = 400
POLLERS = 4


def test_pollers_at_once_fire_each_timer_once_and_leave_none(crm: Crm, settings: Settings, clock: ShiftedClock) -> None:
    set_many(crm, range(TIMERS))
    fired: list[tuple[int, ...]] = []
    undone: list[tuple[int, ...]] = []
    tallies: list[Tally] = []
    together = threading.Barrier(POLLERS)

    def stumble_once(_unit: WriteUnit, timers: Sequence[Timer]) -> None:
        if len(timers) > 1 and any(timer.subject_id == TIMERS // 2 for timer in timers):
            undone.append(tuple(timer.subject_id for timer in timers))
            raise ValueError

    def poll() -> None:
        # A store of its own, as another process has: its own connections, its own turn to write.
        with open_crm(settings, master=MASTER, clock=clock) as own:
            handler = Recording(meanwhile=stumble_once)
            together.wait()
            tallies.append(chore(own, handler).run(never))
            fired.extend(handler.fired)

    threads = [threading.Thread(target=poll) for _ in range(POLLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(crm) == {"done": TIMERS}
    assert len(undone) == 1
    fired.remove(undone[0])
    assert Counter(subject for batch in fired for subject in batch) == Counter(range(TIMERS))
    assert sum(tally.done for tally in tallies) == sum(tally.claimed for tally in tallies) == TIMERS
