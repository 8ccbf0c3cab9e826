"""2: take next through the service, against the bare claim statement on the same store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from crm_core.access.model import Role
from crm_core.app import Crm
from crm_core.inbox.take import take_next
from tests.bench.figures import Figure, by_turns, middle
from tests.bench.stores import staff

LIMIT = {"sqlite": 4.0, "postgresql": 3.0}
ROUNDS = 300
WARM = 20

_ORDER = "urgency, due_order, waiting_since, id"
_BARE = """
UPDATE conversation SET owner_id = {owner}, taken_at = CURRENT_TIMESTAMP, state = 'open', version = version + 1
WHERE id = (
    SELECT id FROM conversation
    WHERE taken_at IS NULL AND state IN ('new', 'open') AND owner_id IS NULL AND urgency >= 1 AND lane IN ({lanes})
    ORDER BY {order} LIMIT 1 {lock}
) RETURNING id
"""


def figure(crm: Crm, size: int) -> Figure:
    """Medians of items taken by turns through the service and by the one statement."""
    actor = staff(crm, Role.SUPERVISOR)
    taken: list[int] = []

    def service() -> None:
        with crm.write(actor) as unit:
            found = take_next(unit)
        assert found is not None, "the store has too few open items for this benchmark"
        taken.append(found)

    bare = _bare(crm, actor.staff_id, taken)
    by_turns(WARM, service, bare)
    through, alone = by_turns(ROUNDS, service, bare)
    assert len(set(taken)) == len(taken), "an item was taken twice"
    return Figure(
        number=2,
        work=f"take next, {crm.store.dialect}",
        size=size,
        unit="ms",
        measured=middle(through) * 1000,
        floor=middle(alone) * 1000,
        limit=LIMIT[crm.store.dialect],
        note=f"{len(taken)} taken, none twice",
    )


def _bare(crm: Crm, owner: int, taken: list[int]) -> Callable[[], None]:
    """The claim alone, committed: no account looked up, no history, no audit."""
    lanes = ("billing", "clinical_triage", "complaints", "front_desk", "records", "referrals", "refills", "scheduling")
    lock = "FOR UPDATE SKIP LOCKED" if crm.store.dialect == "postgresql" else ""
    statement = text(_BARE.format(owner=owner, lanes=", ".join(f"'{lane}'" for lane in lanes), order=_ORDER, lock=lock))

    def claim() -> None:
        with crm.store.turn(), crm.store.writing.begin() as connection:
            found: Any = connection.execute(statement).scalar()
        taken.append(int(found))

    return claim
