"""What time it is, as something that is passed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time in aware UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The host's clock, cut to microseconds by datetime itself."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ShiftedClock:
    """A clock that stands still until it is moved: for the demo's past and for tests."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def move(self, by: timedelta) -> None:
        """Move by `by`, which may be negative."""
        self._at += by

    def set(self, at: datetime) -> None:
        """Move to `at`, an aware time."""
        self._at = at.astimezone(UTC)
