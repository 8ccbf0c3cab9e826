"""How fast a gateway may be used: a bucket of tokens that every process of a host draws from.

The bucket is one number in a file of the home, when it will be empty again, read and moved under a
lock (the generic cell rate algorithm). Processes on other hosts have a home of their own and
count for themselves: there, `per_second` is each host's share.
"""

from __future__ import annotations

import fcntl
import math
import os
import struct
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from crm_core.channels.gateways.base import (
    Accepted,
    CannotTell,
    Found,
    Gateway,
    NotFound,
    Outgoing,
    Sought,
    Temporary,
)

LONGEST_WAIT = 3.0
"""Seconds that a sender waits for its turn with a message in hand; with a call it stays below delivery.LONGEST_CALL."""
_LARGEST = 25
"""Tokens of the largest message: a text of 1,600 letters goes out in 24 parts."""
_MOMENT = struct.Struct("<d")


class Pace:
    """At most `per_second` over time, a second's worth at once. `now` is this host's monotonic clock."""

    def __init__(self, path: Path, per_second: float, now: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._per_second = per_second
        self._now = now

    def take(self, tokens: int = 1) -> float:
        """Take so many, and say after how many seconds they may be used; nothing is taken where that is too long."""
        cost = tokens / self._per_second
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            now = self._now()
            empty_at = _read(handle)
            # A clock that began anew with this host leaves a moment that lies too far ahead.
            empty_at = now if not now <= empty_at <= now + self._longest_ahead(cost) else empty_at
            wait = max(0.0, empty_at - now - max(0.0, 1.0 - cost))
            if wait <= LONGEST_WAIT:
                os.pwrite(handle, _MOMENT.pack(empty_at + cost), 0)
            return wait
        finally:
            os.close(handle)

    def _longest_ahead(self, cost: float) -> float:
        return LONGEST_WAIT + max(1.0, cost) + _LARGEST / self._per_second


def _read(handle: int) -> float:
    kept = os.pread(handle, _MOMENT.size, 0)
    moment = float(_MOMENT.unpack(kept)[0]) if len(kept) == _MOMENT.size else 0.0
    return moment if math.isfinite(moment) else 0.0


class Paced:
    """A gateway whose sends wait for their turn; `weight` is how many tokens a message costs.

    One whose turn is too far off goes back into the queue, and has used up none of its tries.
    """

    def __init__(
        self,
        gateway: Gateway,
        pace: Pace,
        weight: Callable[[Outgoing], int] = lambda _outgoing: 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gateway = gateway
        self._pace = pace
        self._weight = weight
        self._sleep = sleep
        self.name = gateway.name
        self.real = gateway.real
        self.vendor = gateway.vendor

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand one message over when its turn has come."""
        try:
            wait = self._pace.take(self._weight(outgoing))
        except OSError as error:
            raise Temporary(reason=f"the pace file: {error.strerror}") from None
        if wait > LONGEST_WAIT:
            raise Temporary(reason="waits for its turn (per_second)", wait=timedelta(seconds=wait), tried=False)
        if wait > 0:
            self._sleep(wait)
        return self._gateway.send(outgoing)

    def find(self, sought: Sought) -> Found | NotFound | CannotTell:
        """As the gateway says."""
        return self._gateway.find(sought)

    def close(self) -> None:
        """Let go of the gateway's connections."""
        self._gateway.close()
