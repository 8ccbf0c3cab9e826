"""How often a failing piece of work is tried, and how long it is left alone in between."""

from __future__ import annotations

import random
from datetime import timedelta

MOST_TRIES = 8
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)


def backoff(tries: int) -> timedelta:
    """30 s after the first try, then 60 s, … at most an hour, ±10 % so that a crowd does not come back at once."""
    wait: timedelta = min(FIRST_PAUSE * 2.0 ** (tries - 1), LONGEST_PAUSE)
    return wait * random.uniform(0.9, 1.1)  # noqa: S311 - jitter, no secret
