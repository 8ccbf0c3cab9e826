"""3: the lanes' figures of a store with much behind it, against one with 10,000 conversations."""

from __future__ import annotations

from crm_core.access.model import Role
from crm_core.app import Crm
from crm_core.inbox.queries import lanes
from tests.bench.figures import Figure, by_turns, middle
from tests.bench.stores import staff

LIMIT = 2.0
ROUNDS = 60


def figure(crm: Crm, small: Crm, size: int) -> Figure:
    """Medians of the two, by turns; both hold equally many open conversations."""
    works = []
    for each in (crm, small):
        actor = staff(each, Role.SUPERVISOR)

        def work(each: Crm = each, actor=actor) -> None:  # type: ignore[no-untyped-def]
            with each.read(actor) as unit:
                lanes(unit)

        works.append(work)
    by_turns(3, *works)
    large, little = by_turns(ROUNDS, *works)
    return Figure(
        number=3,
        work=f"lane counts, {crm.store.dialect}",
        size=size,
        unit="ms",
        measured=middle(large) * 1000,
        floor=middle(little) * 1000,
        limit=LIMIT,
    )
