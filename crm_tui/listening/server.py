"""Listening: uvicorn on one socket, with a bound for how slow, how many and how much, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from crm_core.app import Crm
from crm_core.errors import Unavailable
from crm_core.listen_settings import ListenTable
from crm_tui.listening.application import access, application
from crm_tui.listening.refusing import Refusal
from crm_tui.listening.taking import Taker
from crm_tui.log import log

SLOWEST_HEAD = 10.0
"""Seconds within which a request's head must have come, and after which an idle connection ends."""
LONGEST_HEAD = 16_384
KEPT_ALIVE = 5
STOPS_WITHIN = 12
"""Seconds that requests in hand are given when it stops: a little more than the store is waited for."""
LOOKS_EVERY = 10.0
"""Seconds between two looks whether somebody handles what was taken."""


class _Patient(H11Protocol):
    """HTTP that ends a connection whose request does not come: uvicorn itself waits for ever."""

    _deadline: asyncio.TimerHandle | None = None
    _heard = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request its time."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Every head has its time from its first byte; bodies have their own (reading.py)."""
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """The next head's time begins with its first byte."""
        self._stop_waiting()
        super().on_response_complete()

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(SLOWEST_HEAD, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


class _Server(uvicorn.Server):
    """Stops at SIGTERM and SIGINT like every command: uvicorn would raise them anew at its end."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Heed both until the end; another thread than the first cannot, and is stopped by `Listener.stop`."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stop)
        try:
            yield
        finally:
            for name in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(name)

    def stop(self) -> None:
        """End with what is in hand; asked again, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


class Listener:
    """One process that listens. `say` tells a person what must be seen to."""

    def __init__(self, crm: Crm, say: Callable[[str], None]) -> None:
        self._crm = crm
        self._say = say
        self._taker = Taker(crm)
        self._app = application(crm, self._taker)
        self._complained = False
        self._server = _Server(_config(crm.settings.listen, self._app))

    def stop(self) -> None:
        """End it, from any thread."""
        self._server.stop()

    def run(self, started: Callable[[str], None]) -> None:
        """Listen until SIGTERM or SIGINT; requests in hand are answered first. `started` hears the address."""
        table = self._crm.settings.listen
        bound = _bound(table)
        _log_to_stderr()
        asyncio.run(self._serve(table, bound, started))

    async def _serve(self, table: ListenTable, bound: socket.socket, started: Callable[[str], None]) -> None:
        server = self._server
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        while not (server.started or serving.done()):
            await asyncio.sleep(0.01)
        if server.started:
            host, port = bound.getsockname()[:2]
            scheme = "https" if table.certificate else "http"
            started(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
        watching = asyncio.create_task(self._watch())
        try:
            await serving
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        """Say when nobody handles what is taken, and when it is handled again."""
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            try:
                waits = await self._taker.waiting()
            except Refusal:
                continue
            if waits.too_long and not self._complained:
                said = f"{waits.count} taken in and not handled for {waits.longest.total_seconds():.0f} s"
                log.error("listener: %s", said)
                self._say(f"{said}: danger in them is not seen. Start `crm poll`, or see `crm doctor`.")
            elif self._complained and not waits.too_long:
                self._say("What was taken in is handled again.")
            self._complained = waits.too_long


def _config(table: ListenTable, app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=_Patient,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=table.at_once,
        timeout_keep_alive=KEPT_ALIVE,
        timeout_graceful_shutdown=STOPS_WITHIN,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        ssl_certfile=table.certificate,
        ssl_keyfile=table.key,
    )


def _bound(table: ListenTable) -> socket.socket:
    """The socket, before anything else: a port that is taken or a certificate that is none is one sentence."""
    if table.certificate is not None:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(table.certificate, table.key)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or type(error).__name__
            raise Unavailable(
                what=f"The certificate {table.certificate}", remedy=f"it and its key cannot be used ({reason})"
            ) from None
    try:
        family = socket.getaddrinfo(table.host, table.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((table.host, table.port), family=family, backlog=256)
    except OSError as error:
        raise Unavailable(
            what=f"{table.host} port {table.port}",
            remedy=f"it cannot be listened on ({error.strerror}); name another in [listen] of crm.toml",
        ) from None


def _log_to_stderr() -> None:
    """One line a request for people and journals; uvicorn's own words, which may quote a request, go nowhere."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    access.handlers = [handler]
    access.setLevel(logging.INFO)
    access.propagate = False
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        silent = logging.getLogger(name)
        silent.handlers = [logging.NullHandler()]
        silent.propagate = False
