"""When a console locks and when its session ends, by a clock that nobody can set back."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum

ENDS_AFTER = 900.0
"""Seconds without a key after which a session ends (security.md)."""


class Due(Enum):
    """What idleness asks for now."""

    NOTHING = 0
    LOCK = 1
    END = 2


class IdleWatch:
    """Counts the time since the last key or click."""

    def __init__(self, lock_after: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock_after = lock_after
        self._touched = monotonic()
        self._locked_at: float | None = None

    @property
    def is_locked(self) -> bool:
        """Whether the screen is covered."""
        return self._locked_at is not None

    def touch(self) -> None:
        """A key was pressed, or the mouse moved."""
        self._touched = self._monotonic()

    def lock(self) -> None:
        """Count as locked from now on; typing does not put off the end of the session."""
        self._locked_at = self._monotonic()

    def unlock(self) -> None:
        """Begin anew."""
        self._locked_at = None
        self.touch()

    def due(self) -> Due:
        """What is to be done now."""
        now = self._monotonic()
        if self._locked_at is not None:
            return Due.END if now - self._locked_at >= ENDS_AFTER else Due.NOTHING
        return Due.LOCK if now - self._touched >= self._lock_after else Due.NOTHING
