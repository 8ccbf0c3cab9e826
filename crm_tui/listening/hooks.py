"""Signed webhooks of portals, chats and whatever else can say what a person wrote.

The body is the JSON of one line of `crm receive --file`, without `channel` and `id`: the channel
is the endpoint's, and the id is `webhook-id`, which the signature covers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from crm_core.exchange.inbound_lines import BadLine, read_one
from crm_core.words import Channel
from crm_tui.listening.reading import JSON, body_of
from crm_tui.listening.refusing import forbidden, unusable
from crm_tui.listening.signing import SharedSecret, Signed
from crm_tui.listening.taking import Taker


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One sender's endpoint."""

    taker: Taker
    name: str
    channel: Channel
    secret: SharedSecret
    largest: int

    async def message(self, request: Request) -> Response:
        """One message. The same delivery again is answered in the same way, and taken once."""
        body = await body_of(request, most=self.largest, types=(JSON,))
        signed = signed_by(self.secret, request, body, self.taker)
        values = json_object(body)
        if given := {"channel", "id"} & set(values):
            raise unusable(f"leave out {' and '.join(sorted(given))}: the endpoint and webhook-id say it")
        source = f"hook.{self.name}"
        read = read_one({**values, "channel": self.channel, "id": f"{source}:{signed.delivery}"}, signed.at)
        if isinstance(read, BadLine):
            raise unusable(read.problem)
        return taken(await self.taker.take(source, read))


def signed_by(secret: SharedSecret, request: Request, body: bytes, taker: Taker) -> Signed:
    """The delivery that this sender signed; Refusal 403 for any other."""
    signed = secret.check(request.headers, body, taker.now())
    if signed is None:
        raise forbidden()
    return signed


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body."""
    try:
        values = json.loads(body, object_pairs_hook=_whole)
    except (ValueError, RecursionError):
        raise unusable("the body is not JSON") from None
    if not isinstance(values, dict):
        raise unusable("the body is not a JSON object")
    return values


def _whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose texts can be written as UTF-8: half a character that JSON escaped must not cost the rest."""
    return {name: _mended(value) if isinstance(value, str) else value for name, value in pairs}


def _mended(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def taken(new: bool) -> JSONResponse:
    """What a sender is told of what we have."""
    return JSONResponse({"taken": True, "duplicate": not new})
