"""Twilio's REST API as far as texts need it: post one, read one, list them, fetch what came with one.

Every call ends in its own time, whatever the other side does. What a call raises says whether the
request may have been carried out: `Temporary` where it surely was not, `UnknownFate` where nobody
knows. Reasons are codes, never Twilio's words, which may repeat a number.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from crm_core.channels.gateways.base import Permanent, Temporary, UnknownFate
from crm_core.channels.gateways.ending import ended_after
from crm_core.channels.gateways.twilio_codes import meaning
from crm_core.errors import CrmError
from crm_core.settings import read_secret
from crm_core.twilio_settings import TwilioTable

LONGEST_POST, LONGEST_GET = 14.0, 10.0
"""Seconds. A post and a look for it after it was lost take less than delivery.LONGEST_CALL together."""
_LONGEST_WAIT = timedelta(hours=1)
_LARGEST_ANSWER = 8_000_000
_LOGIN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_SERVER, _CLIENT = 500, 400


@dataclass(frozen=True, kw_only=True)
class Text:
    """One message as Twilio keeps it. `to` and `sender` carry `whatsapp:` in front on that channel."""

    sid: str
    status: str
    inbound: bool
    to: str = field(repr=False)
    sender: str = field(repr=False)
    body: str = field(repr=False)
    service: str | None
    media: int
    code: int | None
    created_at: datetime
    sent_at: datetime | None


class TwilioApi:
    """One account. Not shared between threads."""

    def __init__(self, table: TwilioTable) -> None:
        self._table = table
        self._client: httpx.Client | None = None
        self._talking: tuple[socket.socket, ...] = ()
        self._path = f"/2010-04-01/Accounts/{table.account}"

    def close(self) -> None:
        """End the connections; the next call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def post(self, form: Mapping[str, str]) -> Text:
        """Hand one message over; Temporary, Permanent or UnknownFate."""
        status, headers, body = self._call("POST", f"{self._path}/Messages.json", form=form, longest=LONGEST_POST)
        if status in (HTTPStatus.OK, HTTPStatus.CREATED):
            with _readable(UnknownFate):
                return _text(json.loads(body))
        if status >= _SERVER and status != HTTPStatus.SERVICE_UNAVAILABLE:
            # Another server of theirs may have it already.
            raise UnknownFate(reason=f"Twilio answered {status}")
        raise _refused(status, headers, body)

    def text(self, sid: str) -> Text | None:
        """One message; None where the account has none of that id."""
        status, headers, body = self._call("GET", f"{self._path}/Messages/{sid}.json")
        if status == HTTPStatus.NOT_FOUND:
            return None
        with _readable(Temporary):
            return _text(_read(status, headers, body))

    def texts(
        self, filters: Mapping[str, str], *, page_size: int, longest: float = LONGEST_GET
    ) -> Iterator[list[Text]]:
        """Messages page by page, as Twilio lists them, the newest first; all of it in at most `longest` seconds."""
        url: str | None = f"{self._path}/Messages.json"
        query: Mapping[str, str] | None = {**filters, "PageSize": str(page_size)}
        until = time.monotonic() + longest
        while url is not None:
            answer = self._call("GET", url, query=query, longest=min(LONGEST_GET, max(0.1, until - time.monotonic())))
            with _readable(Temporary):
                page = _read(*answer)
                found = [_text(one) for one in page["messages"]]
                # The next page's address carries the filters; it is relative to our own base.
                url, query = page.get("next_page_uri") or None, None
            yield found

    def media(self, sid: str) -> list[tuple[str, str]]:
        """What came with a message: the id and type of each file."""
        answer = self._call("GET", f"{self._path}/Messages/{sid}/Media.json", query={"PageSize": "50"})
        with _readable(Temporary):
            return [(_sid(one["sid"]), str(one["content_type"])) for one in _read(*answer)["media_list"]]

    def media_bytes(self, sid: str, media_sid: str, most: int) -> bytes | None:
        """A file's bytes; None where they are more than `most`. They lie elsewhere, without our login."""
        url = f"{self._path}/Messages/{sid}/Media/{media_sid}"
        status, headers, body = self._call("GET", url, most=most, follow=True)
        if status != HTTPStatus.OK:
            raise _refused(status, headers, body)
        return body if len(body) <= most else None

    def account(self) -> str:
        """How the account stands (`active`); nothing is sent."""
        with _readable(Temporary):
            return str(_read(*self._call("GET", f"{self._path}.json"))["status"])

    def _call(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        longest: float = LONGEST_GET,
        most: int = _LARGEST_ANSWER,
        follow: bool = False,
    ) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and at most `most` + 1 bytes; ends after `longest` seconds."""
        until = time.monotonic() + longest
        limits = httpx.Timeout(longest / 2, connect=longest / 4, write=longest / 4)
        client = self._connected()
        with (
            _told_apart(UnknownFate if form is not None else Temporary),
            ended_after(longest, lambda: self._talking),
            client.stream(
                method, url, data=form, params=query, timeout=limits, follow_redirects=follow,
                extensions={"trace": self._connects},
            ) as answer,
        ):  # fmt: skip
            if answer.url.scheme != client.base_url.scheme:
                raise httpx.UnsupportedProtocol("redirected to another scheme")
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > most:
                    break
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer takes too long")
            return answer.status_code, answer.headers, bytes(body)

    def _connects(self, event: str, told: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            still = (one for one in self._talking if one.fileno() >= 0)
            self._talking = (*still, told["return_value"].get_extra_info("socket"))

    def _connected(self) -> httpx.Client:
        """The client. Proxies and netrc of the environment are not heeded: what leaves, leaves as crm.toml says."""
        if self._client is None:
            table = self._table
            try:
                secret = read_secret(table.token_file)
            except CrmError:
                raise Temporary(reason="the token file cannot be used") from None
            try:
                trusted = ssl.create_default_context(cafile=table.ca_file)
            except OSError:
                raise Temporary(reason="its ca_file cannot be used") from None
            self._client = httpx.Client(
                base_url=table.base_url,
                auth=(table.api_key or table.account, secret),
                verify=trusted,
                trust_env=False,
                headers={"Accept": "application/json", "User-Agent": "clinic-crm"},
            )
        return self._client


@contextmanager
def _told_apart(lost: type[Temporary | UnknownFate]) -> Iterator[None]:
    """Whether a request that got no answer can have left; `lost` is what that means."""
    try:
        yield
    except _NEVER_LEFT as error:
        untrusted = isinstance(error.__cause__, ssl.SSLCertVerificationError) or "CERTIFICATE" in str(error)
        reason = "Twilio's certificate is not trusted" if untrusted else "Twilio cannot be reached"
        raise Temporary(reason=reason) from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise lost(reason="the connection to Twilio was lost") from None


@contextmanager
def _readable(otherwise: type[Temporary | UnknownFate]) -> Iterator[None]:
    """An answer that is not as Twilio's are."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError):
        raise otherwise(reason="Twilio's answer cannot be read") from None


def _read(status: int, headers: httpx.Headers, body: bytes) -> Any:
    """The JSON of an answer to a question. A refusal is Temporary: nothing was asked to be done."""
    if status != HTTPStatus.OK:
        refused = _refused(status, headers, body)
        raise Temporary(reason=refused.reason, wait=getattr(refused, "wait", None))
    return json.loads(body)


def _refused(status: int, headers: httpx.Headers, body: bytes) -> Temporary | Permanent:
    """What a refusal means. What is about our account may be mended: the message stays queued."""
    code = _code(body)
    said = meaning(code)
    told = f"Twilio answered {status}" + (f" ({code}: {said.reason})" if code else "")
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= _SERVER:
        return Temporary(reason=told, wait=_retry_after(headers))
    if status in _LOGIN or status < _CLIENT or status == HTTPStatus.NOT_FOUND or said.account:
        return Temporary(reason=told)
    return Permanent(
        reason=told, code=str(code) if code else None, bad_number=said.bad_number, opted_out=said.opted_out
    )


def _code(body: bytes) -> int | None:
    try:
        code = json.loads(body).get("code")
    except (ValueError, AttributeError):
        return None
    return code if isinstance(code, int) else None


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """Seconds or a date (RFC 9110, 10.2.3); at most an hour of it is heeded."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        wait = timedelta(seconds=min(int(given[:9]), 3600))
    else:
        try:
            wait = parsedate_to_datetime(given) - datetime.now(UTC)
        except (ValueError, TypeError):
            return None
    return max(timedelta(0), min(wait, _LONGEST_WAIT))


def _text(value: Any) -> Text:
    return Text(
        sid=_sid(value["sid"]),
        status=str(value["status"]),
        inbound=value["direction"] == "inbound",
        to=str(value["to"]),
        sender=str(value["from"] or ""),
        body=str(value["body"] or ""),
        service=value.get("messaging_service_sid"),
        media=int(value.get("num_media") or 0),
        code=value.get("error_code") if isinstance(value.get("error_code"), int) else None,
        created_at=_moment(value["date_created"]) or datetime.now(UTC),
        sent_at=_moment(value["date_sent"]),
    )


def _sid(value: Any) -> str:
    """An id goes into addresses and the store: letters and digits, as Twilio's are."""
    if not (isinstance(value, str) and value.isascii() and value.isalnum() and len(value) <= 64):  # noqa: PLR2004
        raise ValueError("no message id")
    return value


def _moment(value: Any) -> datetime | None:
    """A date as mail has it (RFC 2822); one of no known form counts as none, and costs no text."""
    try:
        moment = parsedate_to_datetime(str(value))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
