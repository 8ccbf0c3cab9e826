"""The routes, and the border around them: an answer in every case, a line in the log, and no value in either."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_core.app import Crm
from crm_core.listen_settings import ListenTable
from crm_core.words import Channel
from crm_tui import crash
from crm_tui.listening.forms import Bound, Form
from crm_tui.listening.hooks import Hook
from crm_tui.listening.phones import Phone
from crm_tui.listening.refusing import Refusal
from crm_tui.listening.signing import shared_secret, twilio_token
from crm_tui.listening.taking import Taker
from crm_tui.listening.twilio import TwilioWebhooks

Handler = Callable[[Request], Awaitable[Response]]

access = logging.getLogger("crm_tui.listening.access")


def application(crm: Crm, taker: Taker) -> ASGIApp:
    """What answers requests. Secrets are read now: one that cannot be read is told before anything listens."""
    routes = [Route("/health", _guarded(_health(taker)), methods=["GET"]), *_routes(crm.settings.listen, taker)]
    answered = Starlette(routes=routes, exception_handlers={HTTPException: _no_such})
    # "/hook/portal/" is no address of ours: nobody who signs is sent on to another.
    answered.router.redirect_slashes = False
    return _Logged(answered, {route.path for route in routes})


def _routes(table: ListenTable, taker: Taker) -> list[Route]:
    found: list[Route] = []

    def post(path: str, handler: Handler, *methods: str) -> None:
        found.append(Route(path, _guarded(handler), methods=["POST", *methods]))

    if table.twilio is not None:
        webhooks = TwilioWebhooks(
            taker=taker,
            account=table.twilio.account,
            token=twilio_token(table.twilio.token_file),
            public_url=table.public_url or "",
        )
        post("/twilio/message", webhooks.message)
        post("/twilio/status", webhooks.status)
    for name, hook in table.hook.items():
        secret = shared_secret(hook.secret_file)
        channel = Channel(hook.channel)
        of_hook = Hook(taker=taker, name=name, channel=channel, secret=secret, largest=table.largest_body)
        post(f"/hook/{name}", of_hook.message)
    for name, form in table.form.items():
        of_form = Form(
            taker=taker,
            name=name,
            table=form,
            secret=shared_secret(form.secret_file) if form.secret_file is not None else None,
            behind_proxy=table.behind_proxy,
            bound=Bound(form.per_minute),
        )
        post(f"/form/{name}", of_form.filled, "OPTIONS")
    for name, phone in table.phone.items():
        of_phone = Phone(taker=taker, name=name, secret=shared_secret(phone.secret_file))
        post(f"/phone/{name}", of_phone.call)
    return found


def _health(taker: Taker) -> Handler:
    async def health(_: Request) -> Response:
        """Whether what comes is written down, and whether somebody handles it; nothing else."""
        waits = await taker.waiting()
        return JSONResponse({"ok": True, "handled": not waits.too_long})

    return health


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except Refusal as refusal:
            return refusal.response()
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Exception as error:  # noqa: BLE001 - the border: an error's words may hold a patient
            made = crash.record(error)
            broken = {"error": "not taken: something went wrong here", "incident": made.id}
            return JSONResponse(broken, HTTPStatus.INTERNAL_SERVER_ERROR)

    return guarded


async def _no_such(_: Request, error: Exception) -> Response:
    """A path or a method that is not ours."""
    assert isinstance(error, HTTPException)
    said = HTTPStatus(error.status_code).phrase.lower()
    return JSONResponse({"error": said}, error.status_code, headers=error.headers)


class _Logged:
    """One line for each request: method, which of our own paths, status, time. No query, body or address.

    A path that is not ours is not named: it may hold anything.
    """

    def __init__(self, app: ASGIApp, paths: set[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            path = scope["path"] if scope["path"] in self._paths else "(none of ours)"
            took = (time.monotonic() - began) * 1_000
            access.info("%s %s %d %.0f ms", _method(scope), path, status, took)


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "(other)"
