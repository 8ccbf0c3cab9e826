"""Writing templates out as files: new ones only, whole, and never through a link."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crm_core.errors import Unavailable, UsageError
from crm_core.playbook.reading import LONGEST_FILE

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a pipe put in the file's place must not hang the export.
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class NotOverwritten(UsageError):
    """{path} is there already and says something else; move it away, or export into another folder."""


class NotAFolder(UsageError):
    """{path} {problem}; name a folder, or a new name in one that exists."""


class NotExported(Unavailable):
    """The file {path} cannot be written ({reason}); check the folder and the disk."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The files that were written, and those that said the same already."""

    written: tuple[Path, ...]
    unchanged: tuple[Path, ...]


def write_files(folder: Path, files: Mapping[str, str]) -> Exported:
    """Write each text under its name in `folder`, which is made where it is missing.

    Nothing is written where any file of that name says something else. What is written is whole:
    a file gets its name once it is on the disk, and none that has come meanwhile is overwritten.
    """
    _ready(folder)
    unchanged = tuple(folder / name for name, text in files.items() if _says(folder / name, text))
    fresh = [(folder / name, text) for name, text in files.items() if folder / name not in unchanged]
    for path, text in fresh:
        _create(path, text.encode())
    return Exported(written=tuple(path for path, _ in fresh), unchanged=unchanged)


def _ready(folder: Path) -> None:
    if folder.is_symlink():
        raise NotAFolder(path=folder, problem="is a link")
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError:
        raise NotAFolder(path=folder, problem="is not a folder") from None
    except FileNotFoundError:
        raise NotAFolder(path=folder, problem="lies in a folder that does not exist") from None
    except OSError as error:
        raise NotExported(path=folder, reason=os.strerror(error.errno or 0)) from None


def _says(path: Path, text: str) -> bool:
    """Whether the file is there with this text; NotOverwritten where anything else has its name."""
    try:
        handle = os.open(path, _OLD)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotOverwritten(path=path) from None
        raise NotExported(path=path, reason=os.strerror(error.errno or 0)) from None
    with os.fdopen(handle, "rb") as opened:
        try:
            same = opened.read(LONGEST_FILE) == text.encode()
        except OSError:
            same = False
    if not same:
        raise NotOverwritten(path=path)
    return True


def _create(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(temporary, _NEW, 0o644), "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise NotOverwritten(path=path) from None
    except OSError as error:
        raise NotExported(path=path, reason=os.strerror(error.errno or 0)) from None
    finally:
        with suppress(OSError):
            temporary.unlink()
