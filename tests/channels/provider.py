"""A text provider of the outside world: a server on a socket with a ledger, and the gateway that talks to it."""

from __future__ import annotations

import json
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import create_connection
from typing import Any

from crm_core.channels.gateways.base import (
    Accepted,
    CannotTell,
    Found,
    NotFound,
    Outgoing,
    Permanent,
    Sought,
    Temporary,
    UnknownFate,
)


class Provider(socketserver.ThreadingTCPServer):
    """Takes one JSON line a connection and answers one, or hangs up.

    `mood` is how it treats what is handed over: `kind`, `busy` (try later), `stern` (never),
    `rude` (takes it and hangs up), `deaf` (hangs up and takes nothing). `asked` is how it
    treats questions: `kind`, `busy`, `mute` (cannot tell), `broken`.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mood = "kind"
        self.asked = "kind"
        self.accepted: list[dict[str, Any]] = []
        self.changed = threading.Condition()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def times(self) -> Counter[str]:
        """How often each attempt was taken."""
        with self.changed:
            return Counter(each["attempt"] for each in self.accepted)

    def wait_for(self, count: int) -> None:
        """Until so many were taken."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.accepted) >= count, timeout=60)


class _Handler(socketserver.StreamRequestHandler):
    server: Provider

    def handle(self) -> None:
        said = json.loads(self.rfile.readline())
        answer = self._find(said) if said["verb"] == "find" else self._send(said)
        if answer is not None:
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    def _send(self, said: dict[str, Any]) -> dict[str, str] | None:
        mood = self.server.mood
        if mood in ("busy", "stern"):
            return {"answer": mood}
        if mood == "deaf":
            return None
        with self.server.changed:
            self.server.accepted.append(said)
            self.server.changed.notify_all()
        return None if mood == "rude" else {"answer": "ok", "id": f"p-{said['attempt']}"}

    def _find(self, said: dict[str, Any]) -> dict[str, str]:
        if self.server.asked != "kind":
            return {"answer": self.server.asked}
        known = said["attempt"] in self.server.times()
        return {"answer": "found", "id": f"p-{said['attempt']}"} if known else {"answer": "unknown"}


@dataclass
class ProviderGateway:
    """The gateway to that provider."""

    port: int
    real: bool = True
    vendor: str | None = "Example Texts"
    name: str = "example"
    handed_over: list[str] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand one over."""
        self.handed_over.append(outgoing.attempt_id)
        said = {"verb": "send", "attempt": outgoing.attempt_id, "to": outgoing.to, "body": outgoing.body}
        heard = self._ask(said)
        if heard is None:
            raise UnknownFate(reason="the connection was lost")
        match heard["answer"]:
            case "busy":
                raise Temporary(reason="busy")
            case "stern":
                raise Permanent(reason="refused")
        return Accepted(provider_id=heard["id"])

    def find(self, sought: Sought) -> Found | NotFound | CannotTell:
        """Ask after one."""
        heard = self._ask({"verb": "find", "attempt": sought.outgoing.attempt_id})
        assert heard is not None
        match heard["answer"]:
            case "found":
                return Found(provider_id=heard["id"])
            case "mute":
                return CannotTell()
            case "busy":
                raise Temporary(reason="busy")
            case "broken":
                raise ZeroDivisionError("a patient's name")
        return NotFound()

    def close(self) -> None:
        """Nothing is kept open."""

    def _ask(self, said: dict[str, str]) -> dict[str, str] | None:
        with create_connection(("127.0.0.1", self.port), timeout=20) as line:
            line.sendall(json.dumps(said).encode() + b"\n")
            heard = line.makefile().readline()
        return json.loads(heard) if heard else None


@contextmanager
def provider_running() -> Iterator[Provider]:
    """A provider on a port of its own."""
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
