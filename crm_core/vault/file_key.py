"""SQLCipher's key, wrapped in a small file beside the database.

It cannot lie in the store with the others: the store does not open without it.
"""

from __future__ import annotations

from pathlib import Path

from crm_core.errors import Unavailable
from crm_core.vault import private_file
from crm_core.vault.keys import Key
from crm_core.vault.wrapping import Purpose, unwrap, wrap

_MAGIC = b"crm file key 1\n"
_LENGTH = len(_MAGIC) + 12 + 32 + 16


class FileKeyMissing(Unavailable):
    """The key file {path} that opens the database is gone; restore it from a backup."""


class FileKeyExists(Unavailable):
    """There is a database key at {path} already; name another home for the new store."""


def create(path: Path, master: Key) -> Key:
    """Make the database's key and write it, wrapped, to `path` (mode 0600)."""
    key = Key.random()
    try:
        private_file.create(path, _MAGIC + wrap(master, Purpose.FILE, 0, key))
    except FileExistsError:
        raise FileKeyExists(path=path) from None
    return key


def read(path: Path, master: Key) -> Key:
    """The database's key; `WrongKey` under another master or where the file was altered."""
    try:
        data = private_file.read(path, limit=_LENGTH)
    except FileNotFoundError:
        raise FileKeyMissing(path=path) from None
    if not data.startswith(_MAGIC) or len(data) != _LENGTH:
        raise private_file.UnsafeFile(path=path, problem="is not a database key", remedy="restore it from a backup")
    return unwrap(master, Purpose.FILE, 0, data[len(_MAGIC) :])


def rewrap(path: Path, old: Key, new: Key) -> None:
    """Put the database's key under the master `new`; a crash leaves the old file or the new one."""
    private_file.replace(path, _MAGIC + wrap(new, Purpose.FILE, 0, read(path, old)))
