"""The end of a conversation with another server: a socket's own limit begins anew with every byte that drips in."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress


@contextmanager
def ended_after(seconds: float, talking: Callable[[], Sequence[socket.socket]]) -> Iterator[None]:
    """Shut the sockets that are `talking` by then down: whoever waits for more reads the connection's end."""
    end = threading.Timer(seconds, _shut, (talking,))
    end.daemon = True
    end.start()
    try:
        yield
    finally:
        end.cancel()


def _shut(talking: Callable[[], Sequence[socket.socket]]) -> None:
    for found in talking():
        with suppress(OSError), socket.socket(fileno=os.dup(found.fileno())) as same:
            # Beneath TLS, whose own farewell would wait for an answer.
            same.shutdown(socket.SHUT_RDWR)
