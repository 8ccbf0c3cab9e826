"""Signatures as senders make them, written from the two descriptions and not from our own code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx

ACCOUNT = "AC" + "a" * 32
TOKEN = "12345678901234567890123456789012"


def twilio_signature(url: str, form: Mapping[str, str], token: str = TOKEN) -> str:
    """Twilio's: HMAC-SHA1 of the address, then each name and value in the order of the names, in base64."""
    words = url
    for name in sorted(form):
        words += name + form[name]
    return base64.b64encode(hmac.new(token.encode(), words.encode(), hashlib.sha1).digest()).decode()


def text_form(sid: str = "SM" + "1" * 32, **more: str) -> dict[str, str]:
    """An inbound text as Twilio posts it."""
    return {
        "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "MessageSid": sid, "SmsSid": sid, "From": "+12125550101",
        "To": "+15550001000", "Body": "Não posso ir amanhã 👍", "NumMedia": "0", **more,
    }  # fmt: skip


def post_as_twilio(
    web: httpx.Client, path: str, form: Mapping[str, str], *, public: str, **headers: str
) -> httpx.Response:
    """Post a form, signed for the public address of that path."""
    signed = {"X-Twilio-Signature": twilio_signature(public + path, form), **headers}
    signed.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return web.post(path, content=urlencode(form), headers=signed)


def webhook_headers(secret: bytes, delivery: str, at: datetime, body: bytes) -> dict[str, str]:
    """Those of the Standard Webhooks specification."""
    stamp = str(int(at.timestamp()))
    words = delivery.encode() + b"." + stamp.encode() + b"." + body
    signature = base64.b64encode(hmac.new(secret, words, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": delivery,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
        "content-type": "application/json",
    }


def post_signed(
    web: httpx.Client, path: str, secret: bytes, said: Any, *, at: datetime, delivery: str = "d-1"
) -> httpx.Response:
    """Post JSON, signed."""
    body = json.dumps(said).encode()
    return web.post(path, content=body, headers=webhook_headers(secret, delivery, at, body))
