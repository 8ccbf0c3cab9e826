"""Whether a request was signed by who says so: Twilio's way, and that of the Standard Webhooks specification.

Compared in constant time. A secret never leaves this module's values, whose repr tells nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from crm_core.errors import Unavailable
from crm_core.settings import read_secret

WINDOW = timedelta(minutes=5)
"""How far the time of a signature may lie from ours, either way (Standard Webhooks)."""
SHORTEST_SECRET = 24
PREFIX = "whsec_"
_DELIVERY = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_TOKEN = re.compile(r"[0-9a-fA-F]{32}")
_SECONDS = re.compile(r"[0-9]{1,11}")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class BadSecret(Unavailable):
    """The secret in {path} is no {prefix}… of at least 24 bytes in base64; make one with `crm listen --new-key`."""


class BadToken(Unavailable):
    """The token in {path} is no auth token of Twilio's, 32 digits of 0-9 and a-f; copy it from Twilio's console."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A request whose signature fits: which delivery it is, and when that was signed."""

    delivery: str
    at: datetime


@dataclass(frozen=True)
class SharedSecret:
    """What one sender and we know (`whsec_…`)."""

    key: bytes = field(repr=False)

    def check(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Signed | None:
        """The delivery, where headers and body were signed with this within the last five minutes; else None.

        `webhook-signature` may list several, parted by blanks, while a sender changes its secret.
        """
        delivery, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not _DELIVERY.fullmatch(delivery) or not _SECONDS.fullmatch(stamp):
            return None
        signed_at = datetime.fromtimestamp(int(stamp), now.tzinfo)
        expected = self.signature(delivery, stamp, body)
        listed = headers.get("webhook-signature", "").split(" ")[:10]
        fits = [hmac.compare_digest(one.encode(), expected.encode()) for one in listed]
        if not any(fits) or abs(now - signed_at) > WINDOW:
            return None
        return Signed(delivery=delivery, at=signed_at)

    def signature(self, delivery: str, stamp: str, body: bytes) -> str:
        """What a sender writes into `webhook-signature`."""
        words = b".".join((delivery.encode(), stamp.encode(), body))
        return "v1," + base64.b64encode(hmac.digest(self.key, words, hashlib.sha256)).decode()


def shared_secret(path: Path) -> SharedSecret:
    """The secret in a 0600 file; BadSecret where it is none, TooOpen where others may read it."""
    text = read_secret(path).strip()
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(PREFIX) or len(key) < SHORTEST_SECRET:
        raise BadSecret(path=path, prefix=PREFIX)
    return SharedSecret(key)


def new_secret() -> str:
    """A secret of 32 random bytes, as it is written into a file and told to a sender."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True)
class TwilioToken:
    """An account's auth token, by which Twilio signs what it sends."""

    token: str = field(repr=False)

    def fits(self, signature: str, url: str, fields: Sequence[tuple[str, str]]) -> bool:
        """Whether `X-Twilio-Signature` is that of this URL, as Twilio called it, and of these fields."""
        given = signature.encode("utf-8", "replace")
        found = [hmac.compare_digest(given, self._signature(one, fields)) for one in _spellings(url)]
        return any(found)

    def _signature(self, url: str, fields: Sequence[tuple[str, str]]) -> bytes:
        # By name; a name that comes several times has its values once each, in order.
        words = url + "".join(name + value for name, value in sorted(set(fields)))
        return base64.b64encode(hmac.digest(self.token.encode(), words.encode("utf-8"), hashlib.sha1))


def twilio_token(path: Path) -> TwilioToken:
    """The auth token in a 0600 file; BadToken where it is none: by an empty one anybody could sign."""
    token = read_secret(path).strip()
    if not _TOKEN.fullmatch(token):
        raise BadToken(path=path)
    return TwilioToken(token)


def _spellings(url: str) -> Iterable[str]:
    """The address with and without its port: Twilio signs either, as it was told."""
    parts = urlsplit(url)
    host, _, port = parts.netloc.rpartition(":") if parts.port is not None else (parts.netloc, "", "")
    with_port = f"{host}:{port or _DEFAULT_PORTS[parts.scheme]}"
    return url, *(urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, with_port) if netloc != parts.netloc)
