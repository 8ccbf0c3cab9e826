"""Small files that hold keys: readable by their owner alone, whole or not there at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crm_core.errors import Unavailable

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a pipe put in the file's place must not hang the start.
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class UnsafeFile(Unavailable):
    """The key file {path} {problem}; {remedy}."""


class FileFailed(Unavailable):
    """The key file {path} cannot be {done} ({reason}); check the folder and the disk."""


def read(path: Path, limit: int) -> bytes:
    """The whole file, of at most `limit` bytes.

    FileNotFoundError where there is none; `UnsafeFile` for a link, another owner, a mode that
    lets others in, or a length beyond the limit.
    """
    try:
        handle = os.open(path, _OLD)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnsafeFile(path=path, problem="is a link", remedy="put the file itself there") from None
        raise FileFailed(path=path, done="read", reason=os.strerror(error.errno or 0)) from None
    try:
        _check(path, os.fstat(handle), limit)
        return os.read(handle, limit)
    finally:
        os.close(handle)


def _check(path: Path, found: os.stat_result, limit: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UnsafeFile(path=path, problem="is not a plain file", remedy="put the key file there")
    if found.st_uid != os.geteuid():
        raise UnsafeFile(path=path, problem="belongs to someone else", remedy="run as its owner")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise UnsafeFile(path=path, problem="can be read by others", remedy=f"run `chmod 600 {path}`")
    if not 0 < found.st_size <= limit:
        raise UnsafeFile(path=path, problem="has the wrong length", remedy="restore it from its backup")


def create(path: Path, data: bytes) -> None:
    """Write a new file of mode 0600; FileExistsError where anything has that name.

    The bytes are on the disk before the name appears, so that a crash leaves no half key.
    """
    with _written(path, data) as temporary:
        os.link(temporary, path, follow_symlinks=False)
        temporary.unlink()


def replace(path: Path, data: bytes) -> None:
    """Write the file anew: a reader sees the old bytes or the new ones."""
    with _written(path, data) as temporary:
        temporary.replace(path)


@contextmanager
def _written(path: Path, data: bytes) -> Iterator[Path]:
    """`data` synced in a file beside `path`; the folder is synced after the block."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(temporary, _NEW, 0o600)
        try:
            os.fchmod(handle, 0o600)
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        yield temporary
        _sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise FileFailed(path=path, done="written", reason=os.strerror(error.errno or 0)) from None
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
