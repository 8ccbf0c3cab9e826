"""Random keys, each with an id and a purpose, wrapped by the master key."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_core.errors import Unavailable, WrongKey
from crm_core.vault.keys import Key

_NONCE = 12


class Purpose(StrEnum):
    """What a key is for; part of what its wrapping is bound to, so a key cannot change sides."""

    DATA = "data"
    TOKEN = "token"  # noqa: S105 - a word, no secret
    AUDIT = "audit"
    SIGNING = "signing"
    FILE = "file"


IN_STORE = (Purpose.DATA, Purpose.TOKEN, Purpose.AUDIT, Purpose.SIGNING)
"""The purposes a store holds keys for; the file key lies beside it."""


@dataclass(frozen=True, kw_only=True)
class WrappedKey:
    """One key as it is stored: useless without the master key.

    `id` is unique over all purposes, 1 to 65,535. A retired key still opens and verifies.
    """

    id: int
    purpose: Purpose
    wrapped: bytes
    created_at: datetime
    retired_at: datetime | None = None


class KeyStore(Protocol):
    """Where wrapped keys are kept."""

    def load(self) -> list[WrappedKey]:
        """Every key, in any order; an empty list in a new store."""

    def add(self, key: WrappedKey) -> None:
        """Keep one more key."""

    def replace(self, keys: list[WrappedKey]) -> None:
        """Keep exactly these instead, all or none."""


class KeyUnreadable(Unavailable):
    """The store's keys {ids} do not open though others do; restore the store from a backup."""


def wrap(master: Key, purpose: Purpose, key_id: int, key: Key) -> bytes:
    """`key` under the master key, bound to its purpose and id."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(master).encrypt(nonce, key, _bound(purpose, key_id))


def unwrap(master: Key, purpose: Purpose, key_id: int, wrapped: bytes) -> Key:
    """The key again; `WrongKey` under another master, or for altered bytes."""
    try:
        return Key(AESGCM(master).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _bound(purpose, key_id)))
    except (InvalidTag, ValueError):
        raise WrongKey from None


def unwrap_all(master: Key, stored: Iterable[WrappedKey]) -> list[tuple[WrappedKey, Key]]:
    """Every stored key, opened, by rising id.

    `WrongKey` where the master opens none of them, `KeyUnreadable` where it opens only some.
    """
    opened: list[tuple[WrappedKey, Key]] = []
    failed: list[int] = []
    for entry in sorted(stored, key=lambda entry: entry.id):
        try:
            opened.append((entry, unwrap(master, entry.purpose, entry.id, entry.wrapped)))
        except WrongKey:
            failed.append(entry.id)
    if failed and opened:
        raise KeyUnreadable(ids=", ".join(map(str, failed)))
    if failed:
        raise WrongKey
    return opened


def new_keys(master: Key, purposes: Sequence[Purpose], now: datetime) -> list[WrappedKey]:
    """One fresh key for each purpose, with ids from 1."""
    return [
        WrappedKey(id=key_id, purpose=purpose, wrapped=wrap(master, purpose, key_id, Key.random()), created_at=now)
        for key_id, purpose in enumerate(purposes, start=1)
    ]


def rewrap(keystore: KeyStore, old: Key, new: Key) -> None:
    """Put every key under the master `new`; no data is touched. `WrongKey` if `old` is not its master."""
    opened = unwrap_all(old, keystore.load())
    keystore.replace([replace(entry, wrapped=wrap(new, entry.purpose, entry.id, key)) for entry, key in opened])


def _bound(purpose: Purpose, key_id: int) -> bytes:
    return struct.pack(">8sB8sH", b"crm wrap", 1, purpose.encode(), key_id)
