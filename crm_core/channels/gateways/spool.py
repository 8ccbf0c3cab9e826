"""A gateway that appends JSON lines to a file: for texts, until a provider is configured."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
from datetime import UTC, datetime
from pathlib import Path

from crm_core.channels.gateways.base import Accepted, CannotTell, Found, NotFound, Outgoing, Sought, Temporary
from crm_core.words import Channel


class SpoolGateway:
    """Appends one line a message; nothing leaves this house. `find` tells what a line was written for.

    A line is `{attempt, channel, to, subject, body, at}`, of a letter in a thread `in_reply_to`,
    too. The file is 0600, locked while it is
    written, and synced before the message counts as sent.
    """

    real = False
    vendor = None

    def __init__(self, channel: Channel, path: Path) -> None:
        self.name = "spool"
        self._channel = channel
        self._path = path

    def send(self, outgoing: Outgoing) -> Accepted:
        """Append the line; Temporary where the file cannot be written."""
        written = {
            "attempt": outgoing.attempt_id,
            "channel": self._channel.value,
            "to": outgoing.to,
            "subject": outgoing.subject,
            "body": outgoing.body,
            "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        if outgoing.in_reply_to:
            written["in_reply_to"] = outgoing.in_reply_to
        line = json.dumps(written, ensure_ascii=False)
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Temporary(reason=f"spool file: {error.strerror}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not _holds(handle, outgoing.attempt_id):
                _append(handle, line.encode("utf-8") + b"\n")
        except OSError as error:
            raise Temporary(reason=f"spool file: {error.strerror}") from None
        finally:
            os.close(handle)
        return Accepted(provider_id=outgoing.attempt_id)

    def find(self, sought: Sought) -> Found | NotFound | CannotTell:
        """Look the attempt up in the file."""
        attempt_id = sought.outgoing.attempt_id
        try:
            with self._path.open("rb") as lines:
                for line in lines:
                    if _attempt(line) == attempt_id:
                        return Found(provider_id=attempt_id)
        except FileNotFoundError:
            return NotFound()
        except OSError:
            return CannotTell()
        return NotFound()

    def close(self) -> None:
        """Nothing is kept open between messages."""


def _holds(handle: int, attempt_id: str) -> bool:
    """Whether an earlier call, perhaps of a sender that was thought dead, wrote this attempt."""
    if os.fstat(handle).st_size == 0:
        return False
    with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as lines:
        return lines.find(f'{{"attempt": {json.dumps(attempt_id, ensure_ascii=False)}, '.encode()) >= 0


def _append(handle: int, line: bytes) -> None:
    """Write the whole line or none: what a full disk cut off is taken away again."""
    before = os.fstat(handle).st_size
    try:
        written = os.write(handle, line)
        if written != len(line):
            raise OSError(28, "no space left for the whole line")
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, before)
        raise


def _attempt(line: bytes) -> str | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    found = value.get("attempt") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
