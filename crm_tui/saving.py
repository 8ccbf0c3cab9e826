"""Saving bytes from outside as a new file: never over anything, never readable by others, never run."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from crm_core.errors import CrmError, UsageError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotNew(UsageError):
    """{path} {problem}; name a new file in a folder that exists."""


class ServedHere(UsageError):
    """This console runs on the clinic's server, so a file saved here would not reach you; ask an administrator."""


class NotSaved(CrmError):
    """The file {path} could not be written ({reason}) and was removed; check the folder and the disk."""


def must_be_new(path: Path, *, served: bool) -> None:
    """Refuse what `save_new` would refuse, before anything is opened for it.

    In a session that is served to somebody else nothing is saved at all: the file would belong
    to the account that holds the key, and could be one that it obeys.
    """
    if served:
        raise ServedHere
    if path.is_symlink() or path.exists():
        raise NotNew(path=path, problem="exists already")
    if not path.parent.is_dir():
        raise NotNew(path=path, problem="is in no folder")
    if path.parent.resolve().is_relative_to("/dev"):
        raise NotNew(path=path, problem="is among devices")


def save_new(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 that was not there before; a failing disk leaves none."""
    try:
        handle = os.open(path, _NEW, 0o600)
    except FileExistsError:
        raise NotNew(path=path, problem="exists already") from None
    except OSError as error:
        raise NotNew(path=path, problem=f"cannot be written ({error.strerror})") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise NotSaved(path=path, reason=error.strerror or "unknown") from None
