"""A server that answers byte by byte, so slowly that no single wait is too long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

EVERY = 0.05
"""Seconds between two bytes."""


class Dripping:
    """What it says at once, and what it drips after it was first spoken to; `given` counts those bytes."""

    def __init__(self, at_once: bytes, dripped: bytes) -> None:
        self.at_once, self.dripped, self.given = at_once, dripped, 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        with self._listening, suppress(OSError):
            caller, _ = self._listening.accept()
            with caller:
                caller.sendall(self.at_once)
                caller.recv(65_536)
                for byte in self.dripped:
                    caller.sendall(bytes([byte]))
                    self.given += 1
                    time.sleep(EVERY)


@contextmanager
def dripping(at_once: bytes, dripped: bytes) -> Iterator[Dripping]:
    """One that listens for one caller."""
    made = Dripping(at_once, dripped)
    made.thread.start()
    yield made
    made.thread.join(30)
