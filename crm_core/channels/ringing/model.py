"""A call that rings, as a telephone system tells of it and as the console shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SHOWN_FOR = timedelta(minutes=3)
"""How long a ring is shown that nobody says was answered or ended."""
NUMBER_KEPT_FOR = timedelta(days=1)
"""How long the number of a ring is kept."""


class RingState(StrEnum):
    """Where a call is. It only moves on: what a telephone system says late changes nothing back."""

    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"

    @property
    def rank(self) -> int:
        """0 (ringing) to 2 (ended)."""
        return list(RingState).index(self)


@dataclass(frozen=True, kw_only=True)
class Ringing:
    """What a telephone system says of one call; nothing in it is trusted.

    `call_id` is the system's own, the same for all it says of the call. `number` is who calls,
    empty where it is withheld. `line` is which of our lines it rings on. `at` is aware.
    """

    call_id: str
    number: str = field(repr=False)
    line: str = ""
    state: RingState = RingState.RINGING
    at: datetime


@dataclass(frozen=True, kw_only=True)
class RingView:
    """One call that rings now, without who it is. `known` counts the patients who use the number."""

    ring_id: int
    line: str
    state: RingState
    rang_at: datetime
    withheld: bool
    known: int

    @property
    def fades_at(self) -> datetime:
        """From when on it is shown no more."""
        return self.rang_at + SHOWN_FOR
