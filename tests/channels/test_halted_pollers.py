"""A poller that is stopped, or dies, after each thing it does: another takes over, and it happens once.

security.md, cases 13 and 14; what a killed poller leaves half-done at random is in test_killed_senders.py.
"""

from __future__ import annotations

import pytest

from crm_core.timers.model import Tally
from tests.channels.workbench import Workbench, workbench
from tests.torture.halting import DELIVERS, FIRES

__all__ = ["workbench"]

DOES = {FIRES: ["committed"] * 3, DELIVERS: ["committed", "committed", "called", "committed", "committed"]}
"""What a poller does with one timer (claim, fire, look for more) and with one message (claim, begin, call, settle,
look for more)."""


@pytest.mark.parametrize("work", [FIRES, DELIVERS])
def test_a_poller_that_slept_through_its_lease_does_nothing_late_and_it_happens_once(
    workbench: Workbench, work: str
) -> None:
    poller = workbench.poller()
    for halts_after, done in enumerate(DOES[work], 1):
        workbench.one_due(work)
        assert poller.begin(work, halts_after) == done
        poller.stop()
        workbench.others_take_over()
        after = workbench.rows()
        late = poller.go_on()
        assert workbench.rows() == after
        assert late.sent == (1 if (work, halts_after) in ((DELIVERS, 4), (DELIVERS, 5)) else 0)
        workbench.other.turn()
        workbench.expect_all_done_once()
    workbench.one_due(work)
    assert poller.begin(work, len(DOES[work]) + 1) is None
    poller.kill()


@pytest.mark.parametrize("work", [FIRES, DELIVERS])
def test_a_poller_that_dies_after_anything_it_does_leaves_all_to_the_next_and_it_happens_once(
    workbench: Workbench, work: str
) -> None:
    for halts_after, done in enumerate(DOES[work], 1):
        poller = workbench.poller()
        workbench.one_due(work)
        assert poller.begin(work, halts_after) == done
        poller.kill()
        workbench.others_take_over()
        workbench.other.turn()
        workbench.expect_all_done_once()


def test_a_poller_that_is_only_slow_keeps_what_it_holds(workbench: Workbench) -> None:
    poller = workbench.poller()
    workbench.one_due(DELIVERS)
    assert poller.begin(DELIVERS, 3) == "called"
    assert workbench.other.deliver() == Tally()
    assert poller.go_on().sent == 1
    workbench.expect_all_done_once()
    poller.kill()
