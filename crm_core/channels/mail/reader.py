"""Reading a mailbox through one connection: hand in, commit, then mark; a crash between makes nothing twice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from crm_core.access.model import SYSTEM
from crm_core.channels.mail.imap import WINDOW, Folder, Imap, Lying, Unreadable
from crm_core.channels.mail.letters_in import BEGINNING, MOST_BYTES, beginning, taken, unread
from crm_core.channels.mail.places import (
    NO_AGREEMENT,
    Place,
    give_up,
    keep_hold,
    let_go,
    may_be_read,
    move_on,
    number_anew,
)
from crm_core.channels.model import Inbound
from crm_core.errors import CrmError
from crm_core.settings import MailboxTable
from crm_core.timers.model import Tally
from crm_core.work.units import Units, WriteUnit

log = logging.getLogger(__name__)

BATCH = 20
"""Letters after which those handed in are marked."""
HOLD_EVERY = 20.0
"""Seconds after which the lease is taken anew, a third of it, and of IDLE after which the folder is looked at anyway.

So no lost word of the server's costs more, and no server or router finds the connection silent for long.
"""

HandIn = Callable[[WriteUnit, str, bytes, Inbound], None]
"""Takes in one letter of the mailbox so named, as it travelled (its beginning, where it is too large)."""


class TakenOver(CrmError):
    """Another poller reads this mailbox by now."""


class Reader:
    """A mailbox in our hands, and the connection to it, which is made when it is first needed."""

    def __init__(self, units: Units, table: MailboxTable, place: Place, hand_in: HandIn) -> None:
        self._units = units
        self._table = table
        self._hand_in = hand_in
        self._place = place
        self._held_at = time.monotonic()
        self._imap: Imap | None = None

    @property
    def waits(self) -> bool:
        """Whether news come by themselves here."""
        return self._table.idle and self._connected().waits

    def read(self, stopped: Callable[[], bool], tally: Tally) -> None:
        """Hand in what is new, until nothing is. Raises Unreadable or TakenOver; what was handed in stays so."""
        folder = self._connected().look()
        if folder.uid_validity != self._place.uid_validity:
            self._number_anew(folder)
        self._hold()
        while self._place.last_uid < folder.uid_next - 1 and not stopped():
            self._read_window(folder, stopped, tally)

    def wait(self, stopped: Callable[[], bool]) -> None:
        """Wait until the server has news, or until the next look is due anyway, which keeps the lease."""
        self._connected().wait(lambda: not stopped(), longest=HOLD_EVERY)

    def close(self, failure: str | None = None) -> None:
        """Log out and leave the mailbox to whoever wants it next; `failure` is why, where it cannot be read."""
        imap, self._imap = self._imap, None
        if imap is not None:
            imap.close()
        with self._units.write(SYSTEM) as unit:
            if failure is not None:
                give_up(unit, self._place, failure)
            let_go(unit, self._place)

    def _connected(self) -> Imap:
        if self._imap is None:
            with self._units.read(SYSTEM) as unit:
                if not may_be_read(unit, self._table):
                    raise Unreadable(reason=NO_AGREEMENT)
            self._imap = Imap(self._table)
        return self._imap

    def _number_anew(self, folder: Folder) -> None:
        with self._units.write(SYSTEM) as unit:
            ours = number_anew(unit, self._place, folder.uid_validity, folder.uid_next)
        self._still(ours=ours)
        self._place = replace(self._place, uid_validity=folder.uid_validity, first_new_uid=folder.uid_next, last_uid=0)

    def _read_window(self, folder: Folder, stopped: Callable[[], bool], tally: Tally) -> None:
        """Hand in the letters of the next numbers; those that lay there before we came only where they are unread."""
        place, imap = self._place, self._connected()
        first = place.last_uid + 1
        last = min(place.last_uid + WINDOW, folder.uid_next - 1)
        since = None
        if first < place.first_new_uid:
            last = min(last, place.first_new_uid - 1)
            since = place.begun_at.date() + timedelta(days=1)
        uids = imap.numbers(first, last, unseen_or_since=since)
        for start in range(0, len(uids), BATCH):
            batch = uids[start : start + BATCH]
            done = self._read_batch(imap, batch, stopped, tally, writable=folder.writable)
            self._move_on(done)
            if done < batch[-1]:
                return
        self._move_on(last)

    def _read_batch(
        self, imap: Imap, uids: Sequence[int], stopped: Callable[[], bool], tally: Tally, *, writable: bool
    ) -> int:
        """Hand these in, then mark them; up to which one that came, before it was `stopped`."""
        read: list[int] = []
        too_large: list[int] = []
        done = uids[-1]
        for lying in imap.lying(uids):
            if stopped():
                done = lying.uid - 1
                break
            if self._hold_is_due():
                self._hold()
            raw = imap.letter(lying.uid, None if lying.size <= MOST_BYTES else BEGINNING)
            if raw is None:
                continue
            tally.claimed += 1
            self._handed_in(raw, lying)
            tally.done += 1
            (read if lying.size <= MOST_BYTES else too_large).append(lying.uid)
        if writable:
            imap.flag(too_large)
            imap.mark_read([*read, *too_large])
            if self._table.done_folder is not None:
                imap.move(read, self._table.done_folder)
        return done

    def _handed_in(self, raw: bytes, lying: Lying) -> None:
        """One unit a letter, so that one that cannot be handed in takes no other with it."""
        name = self._place.name
        large = lying.size > MOST_BYTES
        letter = beginning(raw, lying.size, name, lying.came_at) if large else taken(raw, name, lying.came_at)
        try:
            with self._units.write(SYSTEM) as unit:
                self._hand_in(unit, name, raw, letter)
        except CrmError:
            raise
        except Exception as error:  # noqa: BLE001 - one letter must not stop the ones behind it
            log.error(  # noqa: TRY400 - a traceback may hold a patient
                "mailbox %s: a letter is taken in unread: %s", name, type(error).__name__
            )
            with self._units.write(SYSTEM) as unit:
                self._hand_in(unit, name, b"", unread(raw, name, lying.came_at))

    def _move_on(self, last_uid: int) -> None:
        if last_uid <= self._place.last_uid:
            return
        with self._units.write(SYSTEM) as unit:
            ours = move_on(unit, self._place, last_uid)
        self._still(ours=ours)
        self._place = replace(self._place, last_uid=last_uid)

    def _hold_is_due(self) -> bool:
        return time.monotonic() - self._held_at >= HOLD_EVERY

    def _hold(self) -> None:
        with self._units.write(SYSTEM) as unit:
            ours, may = keep_hold(unit, self._place), may_be_read(unit, self._table)
        self._still(ours=ours)
        if not may:
            raise Unreadable(reason=NO_AGREEMENT)

    def _still(self, *, ours: bool) -> None:
        if not ours:
            raise TakenOver
        self._held_at = time.monotonic()
