"""Checkpoints: all chain heads, signed, appended to a file outside the store.

The store's own chains cannot show that their end was cut off or that the whole file is an
older copy; the last checkpoint can. A line is one JSON object, Ed25519 over its canonical
form. No checkpoint is made over a store that lost what the last one saw. The anchor must lie
where the store's administrator cannot remove it: an emptied anchor is begun anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from crm_core.audit.heads import Head, has_newer, heads, mac_at
from crm_core.audit.tags import Tag
from crm_core.errors import CrmError, Unavailable
from crm_core.vault.vault import Vault

_FORM = "crm checkpoint 1"
_BLOCK = 1 << 16


class AnchorFailed(Unavailable):
    """The anchor {path} cannot be {done} ({reason}); check the folder and the disk."""


class AnchorDamaged(CrmError):
    """The last line of the anchor {path} was not signed by this store; keep the file and tell the privacy officer."""


class StoreBehindAnchor(CrmError):
    """Audit chain {chain} lost rows that the checkpoint of {at} saw; run `crm audit verify`, nothing was signed."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What one line of the anchor says: the end of every chain at a time."""

    number: int
    at: datetime
    heads: Mapping[int, Head]


def make(connection: Connection, vault: Vault, anchor: Path, now: datetime) -> Checkpoint | None:
    """Sign the present heads into `anchor`; None where nothing was added since the last line.

    That a checkpoint was made is no reason for another, or an idle clinic would fill its anchor.

    `StoreBehindAnchor` if the store lost what was anchored, `AnchorDamaged` if the anchor's
    last line is not ours, `SignsNothing` in a process without the signing key.
    """
    with _opened(anchor) as handle:
        line, torn = _last_line(handle)
        before = None if line is None else _read(line, vault, anchor)
        if before is not None:
            _require_kept(connection, before)
        present = heads(connection)
        if not _anything_new(connection, before, present):
            return None
        made = Checkpoint(number=before.number + 1 if before else 1, at=now, heads=present)
        data = _line(made, "" if line is None else hashlib.sha256(line).hexdigest(), vault)
        os.lseek(handle, 0, os.SEEK_END)
        _write(handle, b"\n" + data if torn else data)
    return made


def last(anchor: Path, vault: Vault) -> Checkpoint | None:
    """The anchor's last line, its signature checked; None where the file is missing or empty."""
    try:
        handle = os.open(anchor, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AnchorFailed(path=anchor, done="read", reason=os.strerror(error.errno or 0)) from None
    try:
        line, _ = _last_line(handle)
    except OSError as error:
        raise AnchorFailed(path=anchor, done="read", reason=os.strerror(error.errno or 0)) from None
    finally:
        os.close(handle)
    return None if line is None else _read(line, vault, anchor)


def _anything_new(connection: Connection, before: Checkpoint | None, present: Mapping[int, Head]) -> bool:
    seen = before.heads if before else {}
    return any(
        has_newer(connection, chain, seen[chain].seq if chain in seen else 0, Tag.CHECKPOINT_MADE)
        for chain, end in present.items()
        if seen.get(chain) != end
    )


def _require_kept(connection: Connection, before: Checkpoint) -> None:
    for chain, end in before.heads.items():
        if mac_at(connection, chain, end.seq) != end.mac:
            raise StoreBehindAnchor(chain=chain, at=before.at.isoformat())


@contextmanager
def _opened(anchor: Path) -> Iterator[int]:
    """The anchor for appending, made with mode 0600, held against other pollers."""
    try:
        handle = os.open(anchor, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)
    except OSError as error:
        raise AnchorFailed(path=anchor, done="written", reason=os.strerror(error.errno or 0)) from None


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
    os.fsync(handle)


def _last_line(handle: int) -> tuple[bytes | None, bool]:
    """The last whole line without its end, None where there is none, and whether a torn one follows it.

    A line without an end was cut by a crash while it was written: it never counted.
    """
    position = os.lseek(handle, 0, os.SEEK_END)
    tail = b""
    while position and tail.count(b"\n") <= 1:
        step = min(_BLOCK, position)
        position -= step
        tail = os.pread(handle, step, position) + tail
    whole, end, rest = tail.rpartition(b"\n")
    return (whole.rpartition(b"\n")[2] if end else None), bool(rest)


def _line(checkpoint: Checkpoint, previous: str, vault: Vault) -> bytes:
    body: dict[str, Any] = {
        "form": _FORM,
        "number": checkpoint.number,
        "at": checkpoint.at.isoformat(),
        "heads": {str(chain): [end.seq, end.mac.hex()] for chain, end in sorted(checkpoint.heads.items())},
        "previous": previous,
    }
    key_id, signature = vault.sign(_canonical(body))
    return _canonical({**body, "key": key_id, "signature": signature.hex()}) + b"\n"


def _read(line: bytes, vault: Vault, anchor: Path) -> Checkpoint:
    try:
        body = json.loads(line)
        key_id, signature = int(body.pop("key")), bytes.fromhex(body.pop("signature"))
        if body["form"] != _FORM or not vault.signed(key_id, _canonical(body), signature):
            raise AnchorDamaged(path=anchor)
        return Checkpoint(
            number=body["number"],
            at=datetime.fromisoformat(body["at"]),
            heads={int(chain): Head(seq=seq, mac=bytes.fromhex(mac)) for chain, (seq, mac) in body["heads"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise AnchorDamaged(path=anchor) from None


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
