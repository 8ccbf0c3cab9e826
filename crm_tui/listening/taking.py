"""Handing what was brought to the store, off the loop, and saying so only once it is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from crm_core.app import Crm
from crm_core.channels.incoming.model import LISTENER
from crm_core.channels.incoming.payload import Payload
from crm_core.channels.incoming.taking import is_the_same, take_in
from crm_core.channels.incoming.waiting import Waiting, waiting
from crm_core.errors import Unavailable
from crm_tui.listening.refusing import Refusal
from crm_tui.log import log

T = TypeVar("T")

AT_ONCE = 8
"""Threads that write: on SQLite one at a time has its turn, and the others wait for it."""
LONGEST_WAIT = 10.0
"""Seconds that a provider is kept waiting for the store before it is told to come again."""
COME_AGAIN = {"Retry-After": "30"}


class Taker:
    """The one door from requests to the store."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._threads = CapacityLimiter(AT_ONCE)

    def now(self) -> datetime:
        """The store's time."""
        return self._crm.clock.now()

    async def take(self, source: str, brought: Payload, *, trusted_ids: bool = False) -> bool:
        """Write it down; False where it was here before. Refusal 503 where it could not be.

        Something else under an id that was used before is refused (409), unless its sender gives
        ids that are surely its own: what was read from its list may have brought more of the same.
        """

        def write() -> bool:
            with self._crm.write(LISTENER) as unit:
                if take_in(unit, source, brought) is not None:
                    return True
                same = trusted_ids or is_the_same(unit, source, brought)
            if not same:
                raise Refusal(HTTPStatus.CONFLICT, "something else was taken under this id; give each its own")
            return False

        return await self._asked(write)

    async def waiting(self) -> Waiting:
        """What was taken and not handled yet. Refusal 503 where the store does not answer."""

        def look() -> Waiting:
            with self._crm.read(LISTENER) as unit:
                return waiting(unit)

        return await self._asked(look)

    async def _asked(self, ask: Callable[[], T]) -> T:
        """Ask in a thread. One that is waited for no longer may still write: what comes again is then known."""
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                return await to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self._threads)
        except TimeoutError:
            why = "too slow"
        except Unavailable as error:
            why = type(error).__name__
        log.error("listener: the store is away: %s", why)
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "not taken: come again", COME_AGAIN) from None
