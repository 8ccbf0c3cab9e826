"""Twilio's webhooks: inbound texts of SMS and WhatsApp, and what became of ours.

https://www.twilio.com/docs/messaging/guides/webhook-request and /docs/usage/security. Twilio asks
again only where the webhook's address says so (docs/gateways.md); the poller that lists messages
finds what no webhook brought, under the same id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from crm_core.channels.gateways.twilio_addresses import is_whatsapp, number_of
from crm_core.channels.gateways.twilio_reports import SOURCE, reported
from crm_core.channels.model import Attached, Inbound
from crm_core.words import Channel
from crm_tui.listening.reading import FORM, body_of, fields_of
from crm_tui.listening.refusing import forbidden, unusable
from crm_tui.listening.signing import TwilioToken
from crm_tui.listening.taking import Taker

LARGEST = 64_000
"""Bytes: a text has at most 1,600 letters."""
MOST_FILES = 10
LONGEST_TEXT = 10_000
_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
"""To the letter: names and values are signed in a row, so whoever saw a text might lengthen its id by what follows."""
_NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@dataclass(frozen=True, kw_only=True)
class TwilioWebhooks:
    """Both webhooks of one account. `public_url` is ours as Twilio calls it."""

    taker: Taker
    account: str
    token: TwilioToken
    public_url: str

    async def message(self, request: Request) -> Response:
        """An inbound text."""
        fields = await self._fields(request)
        await self.taker.take(SOURCE, self._inbound(fields), trusted_ids=True)
        return Response(_NOTHING_TO_SAY, media_type="text/xml")

    async def status(self, request: Request) -> Response:
        """What became of one of our messages; the steps on its way to the carrier are of no use."""
        fields = await self._fields(request)
        code = fields.get("ErrorCode", "")
        told = reported(
            sid=_sid(fields),
            status=fields.get("MessageStatus", ""),
            code=int(code) if _is_number(code) else None,
            whatsapp=is_whatsapp(fields.get("To", "")),
            at=self.taker.now(),
        )
        if told is not None:
            await self.taker.take(SOURCE, told, trusted_ids=True)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _inbound(self, fields: dict[str, str]) -> Inbound:
        sender = fields.get("From", "")
        channel = Channel.WHATSAPP if is_whatsapp(sender) else Channel.SOCIAL if ":" in sender else Channel.SMS
        return Inbound(
            channel=channel,
            sender=number_of(sender),
            text=fields.get("Body", "")[:LONGEST_TEXT],
            at=self.taker.now(),
            provider_id=_sid(fields),
            attachments=_files(fields),
        )

    async def _fields(self, request: Request) -> dict[str, str]:
        """The fields of a request that this account's Twilio signed; the last of each name."""
        body = await body_of(request, most=LARGEST, types=(FORM,))
        pairs = fields_of(body)
        url = self.public_url + request.scope["raw_path"].decode("ascii")
        if request.scope["query_string"]:
            url += "?" + request.scope["query_string"].decode("ascii")
        fields = dict(pairs)
        signed = self.token.fits(request.headers.get("x-twilio-signature", ""), url, pairs)
        if not signed or fields.get("AccountSid") != self.account:
            raise forbidden()
        return fields


def _sid(fields: dict[str, str]) -> str:
    sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
    if not _SID.fullmatch(sid):
        raise unusable("MessageSid is missing, or none of Twilio's")
    return sid


def _files(fields: dict[str, str]) -> tuple[Attached, ...]:
    """The pictures of a text by type alone: they lie with Twilio, and nothing is fetched from here."""
    count = fields.get("NumMedia", "0")
    number = min(int(count), MOST_FILES) if _is_number(count) else 0
    return tuple(
        Attached(name=f"media {each + 1}", media_type=fields.get(f"MediaContentType{each}", ""))
        for each in range(number)
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10  # noqa: PLR2004 - Twilio's codes have five
