"""A program on a real pseudo-terminal: keys go in, bytes and a screen come out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

ROOT = Path(__file__).parent.parent.parent
_NOT_FOR_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-z]|\x1b\[\?[0-9;]*\$p|\x1b\[\?[0-9;]*u")


class TerminalSession:
    """Runs `python ARGS` on a pty of a given size; `received` is every byte it wrote."""

    def __init__(self, *args: str, columns: int = 80, rows: int = 24, environ: Mapping[str, str] | None = None) -> None:
        self.received = bytearray()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        settings = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=kept | settings | dict(environ or {}),
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    @property
    def lines(self) -> Sequence[str]:
        """The screen's lines as a person sees them."""
        return [line.rstrip() for line in self._screen.display]

    def lit(self, text: str) -> bool:
        """Whether the line that holds `text` has a background unlike the line before it."""
        for number, line in enumerate(self._screen.display):
            if text in line:
                column = line.index(text)
                own, above = self._screen.buffer[number][column].bg, self._screen.buffer[max(0, number - 1)][column].bg
                return bool(own != above)
        return False

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def wait(self, until: Callable[[], bool], *, seconds: float = 30) -> None:
        """Read until the condition holds; AssertionError with the screen when it never does."""
        end = time.monotonic() + seconds
        while not until():
            left = end - time.monotonic()
            assert left > 0, "the terminal never showed it:\n" + "\n".join(self.lines)
            self._read(min(left, 0.2))

    def wait_for(self, text: str, *, seconds: float = 30) -> None:
        """Read until `text` is on the screen."""
        self.wait(lambda: any(text in line for line in self._screen.display), seconds=seconds)

    def settle(self, *, quiet: float = 0.5) -> None:
        """Read until nothing more has come for `quiet` seconds: the first paint comes in several parts."""
        while self._read(quiet):
            pass

    def finish(self, *, seconds: float = 30) -> int:
        """Read until the program has ended; returns its exit code."""
        self.wait(lambda: self._process.poll() is not None, seconds=seconds)
        while self._read(0.05):
            pass
        return self._process.returncode

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.received += data
        self._stream.feed(_NOT_FOR_PYTE.sub(b"", data))
        return bool(data)
