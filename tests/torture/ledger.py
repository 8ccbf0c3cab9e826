"""A provider over a local socket that writes down what arrives, and now and then hangs up."""

from __future__ import annotations

import json
import random
import socket
import socketserver
import threading
from collections import Counter
from typing import Any

from crm_core.channels.gateways.base import (
    Accepted,
    CannotTell,
    Found,
    NotFound,
    Outgoing,
    Sought,
    Temporary,
    UnknownFate,
)

ACCEPTS_AND_HANGS_UP, HANGS_UP, BUSY = 0.08, 0.05, 0.03
"""Shares of the calls that end so; the rest are answered."""
SILENT = 0.05
"""The share of questions after an attempt that get no answer: nobody knows whether it arrived."""
PATIENCE = 10.0


class Ledger(socketserver.ThreadingTCPServer):
    """The provider. It does not merge repeated attempts: a second arrival is a message sent twice.

    One without a seed answers every call.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, seed: int | None) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.arrived: Counter[str] = Counter()
        self.hung_up = 0
        self.is_kind = seed is None
        self.chance = random.Random(seed)  # noqa: S311 - a campaign that can be repeated
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self.server_address[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()


class _Call(socketserver.StreamRequestHandler):
    server: Ledger

    def handle(self) -> None:
        """One request a connection: `{"op": "send" | "find", "attempt": …}`."""
        try:
            asked = json.loads(self.rfile.readline())
        except (ValueError, OSError):
            return
        answer = self._answer(asked["op"], asked["attempt"])
        if answer is not None:
            try:
                self.wfile.write(json.dumps(answer).encode() + b"\n")
            except OSError:
                return

    def _answer(self, operation: str, attempt: str) -> dict[str, Any] | None:
        ledger = self.server
        with ledger.lock:
            luck = 1.0 if ledger.is_kind else ledger.chance.random()
            if operation == "find":
                ledger.hung_up += luck < SILENT
                return None if luck < SILENT else {"found": ledger.arrived[attempt] > 0}
            if luck < BUSY:
                return {"busy": True}
            if luck < BUSY + HANGS_UP:
                ledger.hung_up += 1
                return None
            ledger.arrived[attempt] += 1
            if luck < BUSY + HANGS_UP + ACCEPTS_AND_HANGS_UP:
                ledger.hung_up += 1
                return None
            return {"accepted": attempt}


class LedgerGateway:
    """Speaks to the ledger, and says no more than a real gateway could know."""

    name = "ledger"
    real = False
    vendor = None

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand it over; a connection lost on the way leaves its fate unknown."""
        answer = self._asked("send", outgoing.attempt_id)
        if answer is None:
            raise UnknownFate(reason="the ledger hung up")
        if "busy" in answer:
            raise Temporary(reason="busy")
        return Accepted(provider_id=answer["accepted"])

    def find(self, sought: Sought) -> Found | NotFound | CannotTell:
        """Look it up in the ledger."""
        attempt_id = sought.outgoing.attempt_id
        answer = self._asked("find", attempt_id)
        if answer is None:
            return CannotTell()
        return Found(provider_id=attempt_id) if answer["found"] else NotFound()

    def close(self) -> None:
        """Nothing is kept open."""

    def _asked(self, operation: str, attempt: str) -> dict[str, Any] | None:
        with socket.create_connection(self._address, timeout=PATIENCE) as connection:
            connection.sendall(json.dumps({"op": operation, "attempt": attempt}).encode() + b"\n")
            answer = connection.makefile("rb").readline()
        return json.loads(answer) if answer else None
