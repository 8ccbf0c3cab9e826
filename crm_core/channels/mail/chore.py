"""The chore that reads one mailbox: what is new now, then IDLE where the server has it, or a pause."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from crm_core.access.model import SYSTEM
from crm_core.channels.mail.imap import TICK, Unreadable
from crm_core.channels.mail.places import claim
from crm_core.channels.mail.reader import HandIn, Reader, TakenOver
from crm_core.errors import CrmError
from crm_core.settings import MailboxTable
from crm_core.timers.model import Tally
from crm_core.work.units import ReadUnit, Units

log = logging.getLogger(__name__)

TAKE_OVER_EVERY = 15.0
"""Seconds after which a poller asks again whether the one that reads the mailbox still does."""


class MailChore:
    """Reads the mailbox called `name`. Of all pollers of all hosts one reads it; the others ask again later."""

    kind = "mail"

    def __init__(self, units: Units, name: str, table: MailboxTable, hand_in: HandIn) -> None:
        self.every = timedelta(seconds=table.every)
        self._units = units
        self._name = name
        self._table = table
        self._hand_in = hand_in
        self._reader: Reader | None = None
        self._elsewhere = False
        self._connected_at = 0.0

    def run(self, stopped: Callable[[], bool]) -> Tally:
        """Hand in what is new. A mailbox that cannot be read says so to `crm doctor`, and is tried again later."""
        tally = Tally()
        try:
            reader = self._reader or self._claimed()
            if reader is not None:
                reader.read(stopped, tally)
                if not reader.waits:
                    self.close()
        except Unreadable as error:
            self._failed(error)
            tally.retried += 1
        except TakenOver:
            self.close()
        except BaseException:
            with suppress(CrmError):
                self.close()
            raise
        return tally

    def wait(self, stopped: Callable[[], bool]) -> None:
        """Return when there may be news: told by the server, or after the pause `every`."""
        if self._reader is None:
            self._pause(stopped)
            return
        try:
            self._reader.wait(stopped)
        except Unreadable as error:
            kept = time.monotonic() - self._connected_at
            if kept >= self._table.every:
                # Servers and routers end a connection now and then: the next run makes a new one.
                self.close()
                return
            self._failed(error)
            self._pause(stopped)
        except TakenOver:
            self.close()

    def behind(self, unit: ReadUnit) -> timedelta | None:  # noqa: ARG002 - the protocol's
        """What waits lies on the mail server; how it stands with the mailbox is told by `mailbox_states`."""
        return None

    def close(self, failure: str | None = None) -> None:
        """Log out, and leave the mailbox to whoever wants it next."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close(failure)

    def _claimed(self) -> Reader | None:
        with self._units.write(SYSTEM) as unit:
            place = claim(unit, self._name, self._table)
        self._elsewhere = place is None
        if place is None:
            return None
        self._reader = Reader(self._units, self._table, place, self._hand_in)
        self._connected_at = time.monotonic()
        return self._reader

    def _failed(self, error: Unreadable) -> None:
        log.error("mailbox %s: %s", self._name, error.reason)
        self.close(error.reason)

    def _pause(self, stopped: Callable[[], bool]) -> None:
        end = time.monotonic() + (min(self._table.every, TAKE_OVER_EVERY) if self._elsewhere else self._table.every)
        while not stopped() and time.monotonic() < end:
            time.sleep(TICK)
