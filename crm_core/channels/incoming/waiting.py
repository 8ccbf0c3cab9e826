"""Whether what was brought is being handled: a text that waits here has been screened by nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.incoming.model import Brought
from crm_core.channels.incoming.tables import WAITING, Incoming
from crm_core.work.units import ReadUnit

LONGEST = timedelta(seconds=10)
"""After so long nobody handles what is brought, or one thing cannot be: pollers look every half second."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many wait to be handled, and how long the oldest has."""

    count: int
    longest: timedelta

    @property
    def too_long(self) -> bool:
        """Whether somebody must see to it."""
        return self.longest > LONGEST


@needs(Permission.MESSAGE_RECEIVE)
def waiting(unit: ReadUnit) -> Waiting:
    """What was brought and not handled yet, given up or not.

    Without reports: nothing in them is screened, and one of a message that is not ours waits in vain for minutes.
    """
    found = select(func.count().label("number"), func.min(Incoming.received_at).label("oldest")).where(
        WAITING, Incoming.kind != Brought.REPORT
    )
    row = unit.execute(found).mappings().one()
    oldest = row["oldest"]
    return Waiting(count=row["number"], longest=max(unit.now - oldest, timedelta(0)) if oldest else timedelta(0))
