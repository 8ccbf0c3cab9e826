"""A time that one process tells another, and an answer whether that one has come to rest; both lie in one file."""

from __future__ import annotations

import mmap
import struct
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from tests.conftest import MONDAY

_SECONDS = struct.Struct("<d")
_PULSES = struct.Struct("<QQ")


class ToldTime:
    """The core's clock and the console's monotonic one, standing still until the tour moves them."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_SECONDS.size + _PULSES.size))
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()
        self._file.close()

    @property
    def seconds(self) -> float:
        """Seconds since the tour's Monday, 10:00 in the clinic."""
        return float(_SECONDS.unpack_from(self._map, 0)[0])

    def now(self) -> datetime:
        """The core's time."""
        return MONDAY + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """The console's own clock, which holds texts back and locks the screen."""
        return 1000.0 + self.seconds

    def pass_by(self, seconds: float) -> None:
        """Let so much time pass."""
        _SECONDS.pack_into(self._map, 0, self.seconds + seconds)

    @property
    def pulses(self) -> int:
        """How often the console has pulsed."""
        return int(_PULSES.unpack_from(self._map, _SECONDS.size)[0])

    @property
    def calm(self) -> int:
        """At how many of its last pulses in a row it had nothing to do."""
        return int(_PULSES.unpack_from(self._map, _SECONDS.size)[1])

    def pulse(self, *, busy: bool) -> None:
        """Said by the console alone, as the time is by the tour alone: neither overwrites the other's word."""
        _PULSES.pack_into(self._map, _SECONDS.size, self.pulses + 1, 0 if busy else self.calm + 1)
