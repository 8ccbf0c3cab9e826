"""A form of the clinic's own site: brought by the site's server, which signs it, or by a visitor's browser.

A browser signs nothing, so there the page's Origin, a field that only robots fill and a bound for
each address stand between the front desk and a flood. No address is kept, and none is logged.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import IPv4Address, ip_address
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crm_core.channels.model import Inbound
from crm_core.cleaning import single_line
from crm_core.listen_settings import FormTable
from crm_core.words import Channel
from crm_tui.listening.hooks import json_object, signed_by, taken
from crm_tui.listening.phones import problems_of
from crm_tui.listening.reading import FORM, JSON, body_of, content_type, fields_of
from crm_tui.listening.refusing import Refusal, forbidden, unusable
from crm_tui.listening.signing import SharedSecret
from crm_tui.listening.taking import Taker

LARGEST = 64_000
MOST_ADDRESSES = 10_000
_MINUTE = 60.0


class _Filled(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(max_length=120)] = ""
    contact: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=250)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    category: Annotated[str | None, Field(max_length=100)] = None


class Bound:
    """At most so many a minute of each address. What is kept is a hash under a key of this process, in memory."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._key = secrets.token_bytes(32)
        self._seen: OrderedDict[bytes, list[float]] = OrderedDict()

    def lets(self, address: str) -> bool:
        """Whether one more may come from there now."""
        now = self._monotonic()
        key = hashlib.blake2b(_network(address).encode(), key=self._key, digest_size=16).digest()
        lately = [at for at in self._seen.pop(key, []) if now - at < _MINUTE]
        lets = len(lately) < self._per_minute
        self._seen[key] = [*lately, now] if lets else lately
        while len(self._seen) > MOST_ADDRESSES:
            self._seen.popitem(last=False)
        return lets


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form's endpoint. `behind_proxy`: the visitor's address is the last that the proxy wrote down."""

    taker: Taker
    name: str
    table: FormTable
    secret: SharedSecret | None
    behind_proxy: bool
    bound: Bound = field(repr=False)

    async def filled(self, request: Request) -> Response:
        """One filled form, or a browser's question whether it may send one."""
        allowed = self._allowed(request)
        if request.method == "OPTIONS":
            if not allowed:
                raise forbidden()
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={**allowed, **_PREFLIGHT})
        try:
            response = await self._taken(request, from_browser=bool(allowed))
        except Refusal as refusal:
            refusal.headers.update(allowed)
            raise
        response.headers.update(allowed)
        return response

    async def _taken(self, request: Request, *, from_browser: bool) -> Response:
        if "webhook-signature" in request.headers and self.secret is not None:
            body = await body_of(request, most=LARGEST, types=(JSON, FORM))
            delivery: str | None = signed_by(self.secret, request, body, self.taker).delivery
        elif from_browser:
            if not self.bound.lets(self._address(request)):
                raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many from here; wait a minute", _WAIT)
            body, delivery = await body_of(request, most=LARGEST, types=(JSON, FORM)), None
        else:
            raise forbidden()
        source = f"form.{self.name}"
        is_form = content_type(request) == FORM
        values: dict[str, Any] = dict(fields_of(body)) if is_form else json_object(body)
        if values.pop(self.table.leave_empty, "") != "":
            raise Refusal(HTTPStatus.BAD_REQUEST, f"leave the field {self.table.leave_empty} empty")
        new = await self.taker.take(source, self._inbound(values, f"{source}:{delivery}" if delivery else None))
        if is_form and from_browser and self.table.thanks_url is not None:
            return RedirectResponse(self.table.thanks_url, HTTPStatus.SEE_OTHER)
        return taken(new)

    def _inbound(self, values: Mapping[str, object], provider_id: str | None) -> Inbound:
        try:
            filled = _Filled.model_validate(values)
        except ValidationError as error:
            raise unusable(problems_of(error)) from None
        name = single_line(filled.name)
        return Inbound(
            channel=Channel.WEBFORM,
            sender=filled.contact,
            text=filled.text,
            at=self.taker.now(),
            provider_id=provider_id,
            subject=f"Form filled by {name}" if name else None,
            category_hint=filled.category or None,
        )

    def _allowed(self, request: Request) -> dict[str, str]:
        """What lets a page of an allowed site read our answer; empty for any other."""
        origin = request.headers.get("origin", "")
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin in self.table.origins else {}

    def _address(self, request: Request) -> str:
        # Some proxies add to what the visitor sent, some write a line of their own behind it.
        written = request.headers.getlist("x-forwarded-for")[-1:] if self.behind_proxy else []
        told = "".join(written).rpartition(",")[2].strip()
        return told or (request.client.host if request.client is not None else "")


_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type",
    "Access-Control-Max-Age": "600",
}
_WAIT = {"Retry-After": "60"}


def _network(address: str) -> str:
    """Who sends, without the port that some proxies add: an IPv6 household has a whole /64 of addresses."""
    bracketed, has_port = address.startswith("["), address.count(":") == 1
    host = address[1:].partition("]")[0] if bracketed else address.partition(":")[0] if has_port else address
    try:
        found = ip_address(host)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ":".join(found.exploded.split(":")[:4]))
