"""The master key, and the two places it may live in.

The master key only wraps other keys. It is kept in the operating system's keyring, or in a
file that its owner alone may read where a host has no keyring.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from crm_core.errors import Unavailable
from crm_core.vault import private_file
from crm_core.vault.keyrings import safe_backend

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

KEY_BYTES = 32
_HEX = KEY_BYTES * 2


class Key(bytes):
    """A key of 256 bits, whose repr tells nothing to a log or a traceback."""

    __slots__ = ()

    def __new__(cls, raw: bytes) -> Self:
        if len(raw) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        return super().__new__(cls, raw)

    @classmethod
    def random(cls) -> Self:
        """A new key from the operating system's generator."""
        return cls(os.urandom(KEY_BYTES))

    def __repr__(self) -> str:
        return "•••"

    __str__ = __repr__


class KeyMissing(Unavailable):
    """There is no key in {place}; restore it with `crm keys recover`, or run `crm init` for a new store."""


class KeyExists(Unavailable):
    """There is a key in {place} already; keep it, or name another home for the new store."""


class KeyDamaged(Unavailable):
    """The key in {place} is not one of ours; restore it with `crm keys recover`."""


class KeyringFailed(Unavailable):
    """The keyring did not answer ({reason}); unlock it and try again, or use `crm init --key file`."""


class KeyProvider(Protocol):
    """A place where the master key lives; every error has exit code 4."""

    @property
    def place(self) -> str:
        """Where that is, in words for a person."""

    def read(self) -> Key:
        """The key; `KeyMissing` where there is none."""

    def create(self, key: Key) -> None:
        """Keep a new key; `KeyExists` rather than replacing one."""

    def replace(self, key: Key) -> None:
        """Keep `key` instead of whatever was there."""


class KeyFileProvider:
    """The master key as 64 hexadecimal digits in a file of mode 0600, owned by us."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        return f"the key file {self._path}"

    def read(self) -> Key:
        try:
            text = private_file.read(self._path, limit=_HEX + 2)
        except FileNotFoundError:
            raise KeyMissing(place=self.place) from None
        return _decoded(text, self.place)

    def create(self, key: Key) -> None:
        try:
            private_file.create(self._path, key.hex().encode() + b"\n")
        except FileExistsError:
            raise KeyExists(place=self.place) from None

    def replace(self, key: Key) -> None:
        private_file.replace(self._path, key.hex().encode() + b"\n")


class KeyringProvider:
    """The master key as hexadecimal digits in the operating system's keyring.

    The backend is checked at every use: an allow-list stands, so a package installed later
    cannot move the key to a plain file.
    """

    place: ClassVar[str] = "the keyring"

    def __init__(self, service: str, account: str) -> None:
        self._service = service
        self._account = account

    def read(self) -> Key:
        kept = self._kept(safe_backend())
        if kept is None:
            raise KeyMissing(place=self.place)
        return _decoded(kept.encode(), self.place)

    def create(self, key: Key) -> None:
        backend = safe_backend()
        if self._kept(backend) is not None:
            raise KeyExists(place=self.place)
        self._keep(backend, key)

    def replace(self, key: Key) -> None:
        self._keep(safe_backend(), key)

    def _kept(self, backend: KeyringBackend) -> str | None:
        try:
            return backend.get_password(self._service, self._account)
        except Exception as error:  # noqa: BLE001 - backends let their bus's and platform's errors through
            raise KeyringFailed(reason=type(error).__name__) from None

    def _keep(self, backend: KeyringBackend, key: Key) -> None:
        try:
            backend.set_password(self._service, self._account, key.hex())
        except Exception as error:  # noqa: BLE001 - as above
            raise KeyringFailed(reason=type(error).__name__) from None
        if self._kept(backend) != key.hex():
            raise KeyringFailed(reason="it did not keep the key")


def _decoded(text: bytes, place: str) -> Key:
    digits = text.strip()
    if len(digits) != _HEX:
        raise KeyDamaged(place=place)
    try:
        return Key(bytes.fromhex(digits.decode("ascii")))
    except ValueError:
        raise KeyDamaged(place=place) from None
