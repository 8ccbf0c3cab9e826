"""A gateway for texts and WhatsApp by Twilio's REST API.

Twilio knows no idempotency key for messages, so an attempt whose answer was lost is looked for in
the account's own list: by number, words and time, leaving out what is known to be another message
of ours. One that fits is it; what fits more than one, or could be a twin's, is for a person.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import timedelta

from crm_core.channels.gateways.base import (
    Accepted,
    CannotTell,
    Found,
    NotFound,
    Outgoing,
    Permanent,
    Sought,
    Temporary,
)
from crm_core.channels.gateways.twilio_addresses import address
from crm_core.channels.gateways.twilio_api import Text, TwilioApi
from crm_core.twilio_settings import TwilioTable
from crm_core.words import Channel

LONGEST = 1600
"""Letters of a text, counted as UTF-16 does; Twilio refuses longer ones (error 21617)."""
VISIBLE_AFTER = timedelta(minutes=3)
"""An attempt that Twilio took shows in its list well before; what does not by then was not taken."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""How much before our own time of an attempt Twilio may have dated it."""
_PAGE, _MOST_PAGES = 100, 5


class TwilioGateway:
    """Texts of one channel by one account. Not shared between threads."""

    name = "twilio"
    real = True

    def __init__(self, channel: Channel, table: TwilioTable) -> None:
        self._channel = channel
        self._table = table
        self._api = TwilioApi(table)

    @property
    def vendor(self) -> str:
        """The vendor whose BAA covers the account."""
        return self._table.vendor

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand one text over; its provider id is Twilio's. Long ones are cut by Twilio (segments.py)."""
        if len(outgoing.body.encode("utf-16-le", "replace")) // 2 > LONGEST:
            raise Permanent(reason=f"longer than {LONGEST} letters")
        form = {"To": address(self._channel, outgoing.to), "Body": _encodable(outgoing.body)}
        if self._table.sender is not None:
            form["From"] = address(self._channel, self._table.sender)
        else:
            form["MessagingServiceSid"] = str(self._table.messaging_service)
        try:
            return Accepted(provider_id=self._api.post(form).sid)
        except Permanent as refused:
            if self._channel is Channel.WHATSAPP and refused.bad_number:
                # The number may well take texts and calls.
                raise Permanent(reason=refused.reason, code=refused.code) from None
            raise

    def find(self, sought: Sought) -> Found | NotFound | CannotTell:
        """Look the attempt up in the account's list; Temporary while it may not show yet."""
        fitting = []
        for text, last in self._sent_since(sought):
            if last:
                return CannotTell()
            if text.sid not in sought.taken and _same_words(text.body, sought.outgoing.body):
                fitting.append(text.sid)
        if len(fitting) == 1 and not sought.twins:
            return Found(provider_id=fitting[0])
        if fitting:
            return CannotTell()
        unseen = sought.begun_at + VISIBLE_AFTER - sought.asked_at
        if unseen > timedelta(0):
            raise Temporary(reason="Twilio does not show it yet", wait=unseen)
        return NotFound()

    def probe(self) -> str:
        """Ask after the account, send nothing, and say how it stands; raises Temporary."""
        status = self._api.account()
        if status != "active":
            raise Temporary(reason=f"the account is {status}")
        return f"account {status}"

    def close(self) -> None:
        """End the connections; sending again opens new ones."""
        self._api.close()

    def _sent_since(self, sought: Sought) -> Iterator[tuple[Text, bool]]:
        """What went to that number since; the flag says that the list goes on beyond what is read.

        By number alone: Twilio's filter by date goes by when a text was sent, which one that still
        queues there has not been.
        """
        filters = {"To": address(self._channel, sought.outgoing.to)}
        if self._table.sender is not None:
            filters["From"] = address(self._channel, self._table.sender)
        since = sought.begun_at - CLOCKS_DIFFER
        for number, page in enumerate(self._api.texts(filters, page_size=_PAGE), start=1):
            for text in page:
                ours = self._table.messaging_service in (None, text.service)
                if text.created_at >= since and not text.inbound and ours:
                    yield text, False
            if page and min(text.created_at for text in page) < since:
                return
            if number == _MOST_PAGES and len(page) == _PAGE:
                yield page[-1], True


def _same_words(theirs: str, ours: str) -> bool:
    """Whether a text is ours, letters replaced by likenesses and blanks apart, and what a trial account puts before."""
    folded = _folded(theirs)
    wanted = _folded(_encodable(ours))
    return folded == wanted or (folded.startswith("sent from your twilio trial account") and folded.endswith(wanted))


_LIKENESSES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_LIKENESSES).casefold().split())


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
