"""What came in to one number or service of a Twilio account, read from the account's list.

How far was read is kept in the store, and moves on only once everything before it is written down.
The list is read a little before that each time, as it may show a text late; what was taken in
before is known by its id, so that a crash at any point loses nothing and brings nothing twice.
"""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select, update

from crm_core.access.model import SYSTEM, Permission
from crm_core.access.needs import needs
from crm_core.channels.attachments import LARGEST, LARGEST_TOGETHER, MOST, MOST_NAMED, bring_later
from crm_core.channels.gateways.base import Permanent, Temporary
from crm_core.channels.gateways.tables import InboundMark
from crm_core.channels.gateways.twilio_addresses import address, is_whatsapp, number_of
from crm_core.channels.gateways.twilio_api import Text, TwilioApi
from crm_core.channels.gateways.twilio_reports import SOURCE
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.model import Attached, Inbound
from crm_core.channels.vendors import agreement_until
from crm_core.store.dialect import insert_or_ignore
from crm_core.twilio_settings import TwilioTable
from crm_core.words import Channel
from crm_core.work.units import ReadUnit, Units, WriteUnit

FIRST_LOOK_BACK = timedelta(days=1)
"""How far back a number is read that was never read before."""
OVERLAP = timedelta(minutes=10)
ARRIVES_WITHIN = timedelta(minutes=1)
"""How long a text whose files still arrive at Twilio is waited for, and what follows; then it is taken as it is."""
LONGEST_FILES = 20.0
"""Seconds of one look after which no more files are fetched: texts behind them are screened for danger first."""
_PAGE = 200
_LONGEST_LIST = 120.0
_ARRIVING = "receiving"


class InboundTexts:
    """Reads one number or service; `api` is this reader's own."""

    def __init__(self, units: Units, channel: Channel, table: TwilioTable, api: TwilioApi) -> None:
        self._units = units
        self._channel = channel
        self._table = table
        self._api = api
        self._source = f"{SOURCE}:{channel}:{table.account}:{table.sender or table.messaging_service}"
        self._taken: dict[str, datetime] = {}
        self._files_until = 0.0

    def read(self, stopped: Callable[[], bool]) -> int:
        """Take in what is new, the oldest first; returns how many that were.

        Without an agreement in date nothing is read; it stays with Twilio, and is read once there is one.
        """
        if self._table.sender is not None and not self._table.sender.removeprefix("+").isdigit():
            return 0  # a name instead of a number: nobody can answer it
        self._files_until = time.monotonic() + LONGEST_FILES
        with self._units.read(SYSTEM) as unit:
            if agreement_until(unit, self._table.vendor, self._channel) is None:
                return 0
            now = unit.now
            read_until = mark(unit, self._source) or now - FIRST_LOOK_BACK
        arrived = sorted(self._listed(read_until - OVERLAP), key=_when)
        new, until = 0, read_until
        for text in arrived:
            if stopped() or (text.status == _ARRIVING and now - _when(text) < ARRIVES_WITHIN):
                break
            if text.sid not in self._taken:
                is_new, is_done = self._take(text)
                new += is_new
                if is_done:
                    self._taken[text.sid] = _when(text)
            # A date that lies ahead must not carry the mark past what comes until then.
            until = max(until, min(_when(text), now))
        if until > read_until:
            with self._units.write(SYSTEM) as unit:
                move_mark(unit, self._source, until)
        self._taken = {sid: at for sid, at in self._taken.items() if at >= until - OVERLAP}
        return new

    def _listed(self, since: datetime) -> list[Text]:
        filters = {"DateSent>": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
        if self._table.sender is not None:
            filters["To"] = address(self._channel, self._table.sender)
        pages = self._api.texts(filters, page_size=_PAGE, longest=_LONGEST_LIST)
        return [text for page in pages for text in page if self._is_ours(text)]

    def _is_ours(self, text: Text) -> bool:
        on_channel = is_whatsapp(text.to) == (self._channel is Channel.WHATSAPP)
        return text.inbound and on_channel and self._table.messaging_service in (None, text.service)

    def _take(self, text: Text) -> tuple[bool, bool]:
        """Write one down; whether it was new, and whether it need not be looked at again.

        What came with it and cannot be had now is named, and waits for nobody. Of what is named alone, by us or by a
        webhook that brought the text first, the bytes are added by a later look, once that text has been handled.
        """
        files = self._files(text) if text.media else ()
        had = all(one.content is not None or one.size is not None for one in files[:MOST])
        inbound = Inbound(
            channel=self._channel,
            sender=number_of(text.sender),
            text=text.body,
            at=_when(text),
            provider_id=text.sid,
            attachments=files,
        )
        with self._units.write(SYSTEM) as unit:
            if take_in(unit, SOURCE, inbound) is not None:
                return True, had
            return False, not files or (bring_later(unit, self._channel, text.sid, files) and had)

    def _files(self, text: Text) -> tuple[Attached, ...]:
        """Names, types and bytes, as far as they may be kept and there is time."""
        unseen = tuple(Attached(name=f"media {number}") for number in range(1, min(text.media, MOST_NAMED) + 1))
        if time.monotonic() >= self._files_until:
            return unseen
        try:
            listed = self._api.media(text.sid)[:MOST_NAMED]
        except (Temporary, Permanent):
            return unseen
        files: list[Attached] = []
        left = LARGEST_TOGETHER
        for number, (media_sid, media_type) in enumerate(listed):
            name = media_sid + (mimetypes.guess_extension(media_type) or "")
            one = Attached(name=name, media_type=media_type)
            if number < MOST and time.monotonic() < self._files_until:
                one = self._with_bytes(text.sid, media_sid, one, min(LARGEST, left))
                left -= len(one.content or b"")
            files.append(one)
        return tuple(files)

    def _with_bytes(self, sid: str, media_sid: str, one: Attached, most: int) -> Attached:
        try:
            content = self._api.media_bytes(sid, media_sid, most)
        except (Temporary, Permanent):
            return one
        too_large = LARGEST + 1 if content is None else None
        return Attached(name=one.name, media_type=one.media_type, size=too_large, content=content)


@needs(Permission.MESSAGE_RECEIVE)
def mark(unit: ReadUnit, source: str) -> datetime | None:
    """Until when everything of that source was taken in; None where it was never read."""
    until: datetime | None = unit.scalar(select(InboundMark.read_until).where(InboundMark.source == source))
    return until


@needs(Permission.MESSAGE_RECEIVE)
def move_mark(unit: WriteUnit, source: str, until: datetime) -> None:
    """Everything of that source before `until` is taken in. Another poller may be further: it is never moved back."""
    first = insert_or_ignore(unit.dialect, InboundMark.__table__, ["source"])
    unit.execute(first.values(source=source, read_until=until))
    unit.execute(
        update(InboundMark).where(InboundMark.source == source, InboundMark.read_until < until).values(read_until=until)
    )


def _when(text: Text) -> datetime:
    return text.sent_at or text.created_at
