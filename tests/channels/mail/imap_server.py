"""A server that greets as an IMAP server and then does what a test wants of a bad one; it keeps what it was sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class BadServer:
    """Answers each line by the first of `answers` whose word it holds; {tag} stands for the command's tag.

    An answer of None hangs up. What has no answer is never answered.
    """

    greeting: str
    answers: Sequence[tuple[str, str | None]]
    port: int = 0
    heard: list[bytes] = field(default_factory=list)

    def serve(self, listening: socket.socket) -> None:
        """Talk to one client after the other until the socket is closed."""
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client, client.makefile("rb") as lines:
                client.sendall(f"{self.greeting}\r\n".encode())
                self._talk(client, lines)

    def _talk(self, client: socket.socket, lines: Iterator[bytes]) -> None:
        for line in lines:
            self.heard.append(line)
            tag = line.split(b" ")[0].decode("latin-1")
            answer = next((told for word, told in self.answers if word.encode() in line.upper()), "")
            if answer is None:
                return
            if answer:
                client.sendall(answer.format(tag=tag).replace("\n", "\r\n").encode())


@contextmanager
def bad_server(greeting: str, *answers: tuple[str, str | None]) -> Iterator[BadServer]:
    """That server, in a thread of its own, in clear text."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = BadServer(greeting, answers, port=listening.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listening,), daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)
