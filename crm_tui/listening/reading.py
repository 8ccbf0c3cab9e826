"""Reading a request's body: no other type, no more bytes and no longer than agreed."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request

from crm_tui.listening.refusing import Refusal, unusable

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
SLOWEST_BODY = 10.0
"""Seconds within which a body must have come: a provider gives up after about as many."""
MOST_FIELDS = 200


async def body_of(request: Request, *, most: int, types: tuple[str, ...]) -> bytes:
    """The whole body, at most `most` bytes of one of these types; Refusal for any other."""
    if content_type(request) not in types:
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {' or '.join(types)}")
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdecimal() and (len(stated) > len(str(most)) or int(stated) > most):
        raise _too_large(most)
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            return await _read(request, most)
    except TimeoutError:
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {SLOWEST_BODY:.0f} s") from None


def content_type(request: Request) -> str:
    """The request's type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """The names and values of a form, in its order."""
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise unusable(f"the body is no form in UTF-8 of at most {MOST_FIELDS} fields") from None


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> Refusal:
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {most:,} bytes")
