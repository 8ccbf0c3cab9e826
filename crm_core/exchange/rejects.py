"""The rejects file: one JSON object a line, for the owner's eyes only."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from crm_core.errors import UsageError
from crm_core.exchange.model import Reject


class RejectsFile:
    """Takes rejects; writes nothing where no path is given. A symbolic link is refused.

    Going on with a killed import cuts the file to `keep` bytes first: what was rejected after
    the last checkpoint is read again.
    """

    def __init__(self, path: Path | None, keep: int = 0) -> None:
        self._file = None if path is None else _opened(path, keep)

    def add(self, reject: Reject) -> None:
        """Append one line."""
        if self._file is not None:
            self._file.write(json.dumps(asdict(reject), ensure_ascii=False, sort_keys=True).encode() + b"\n")

    def size(self) -> int:
        """Bytes written so far, all of them handed to the system."""
        if self._file is None:
            return 0
        self._file.flush()
        return self._file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def _opened(path: Path, keep: int) -> BinaryIO:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(
            problem=f"The rejects file {path} cannot be written: {error.strerror}", remedy="name another"
        ) from None
    file = os.fdopen(handle, "r+b")
    os.fchmod(handle, 0o600)
    file.truncate(keep if os.fstat(handle).st_size >= keep else 0)
    file.seek(0, os.SEEK_END)
    return file
