"""The vault: every key in use, behind the few things that are done with them."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crm_core.clock import Clock
from crm_core.errors import CrmError, Unavailable
from crm_core.vault.fields import Field
from crm_core.vault.keys import Key
from crm_core.vault.sealed import Sealed, Shown
from crm_core.vault.sealing import Sealer
from crm_core.vault.tokens import Tokens
from crm_core.vault.wrapping import IN_STORE, KeyStore, Purpose, WrappedKey, new_keys, unwrap_all


class VaultExists(CrmError):
    """This store has keys already; open it, or name another home for a new one."""


class VaultEmpty(Unavailable):
    """This store has no {purpose} key; run `crm init`, or restore the store from a backup."""


class SignsNothing(CrmError):
    """This process was not given the signing key; checkpoints are made by `crm poll` and `crm audit checkpoint`."""


class UnknownKey(CrmError):
    """The store has no {purpose} key {key_id}; restore the store from a backup."""


class Vault:
    """Seals, opens, makes tokens and audit MACs; one per process, shared between threads."""

    def __init__(self, opened: list[tuple[WrappedKey, Key]], *, signing: bool) -> None:
        keys: dict[Purpose, dict[int, Key]] = {purpose: {} for purpose in Purpose}
        for entry, key in opened:
            keys[entry.purpose][entry.id] = key
        self._sealer = Sealer(keys[Purpose.DATA], _current(opened, Purpose.DATA))
        self._tokens = Tokens(keys[Purpose.TOKEN][_current(opened, Purpose.TOKEN)])
        self._audit = {key_id: hmac.new(key, digestmod="sha256") for key_id, key in keys[Purpose.AUDIT].items()}
        self._audit_current = _current(opened, Purpose.AUDIT)
        signers = {key_id: Ed25519PrivateKey.from_private_bytes(key) for key_id, key in keys[Purpose.SIGNING].items()}
        self._verifiers: dict[int, Ed25519PublicKey] = {key_id: key.public_key() for key_id, key in signers.items()}
        self._signing_current = _current(opened, Purpose.SIGNING)
        self._signer = signers[self._signing_current] if signing else None

    @classmethod
    def create(cls, keystore: KeyStore, master: Key, clock: Clock, *, signing: bool = False) -> Self:
        """Make every key of a new store, wrapped by `master`; `VaultExists` where there are keys.

        All of them or none are kept, so that a crash leaves no store with half its keys.
        """
        if keystore.load():
            raise VaultExists
        keystore.replace(new_keys(master, IN_STORE, clock.now()))
        return cls.open_existing(keystore, master, signing=signing)

    @classmethod
    def open_existing(cls, keystore: KeyStore, master: Key, *, signing: bool = False) -> Self:
        """The vault of a store; `WrongKey` under another master.

        `signing` keeps the key that signs checkpoints: for pollers and `crm audit`, not consoles.
        """
        return cls(unwrap_all(master, keystore.load()), signing=signing)

    def seal(self, field: Field, row_id: int, text: str) -> bytes:
        """The bytes to store for `text` in that field of that row."""
        return self._sealer.seal(field, row_id, text)

    def seal_bytes(self, field: Field, row_id: int, data: bytes) -> bytes:
        """The bytes to store for a file's `data` in that field of that row."""
        return self._sealer.seal_bytes(field, row_id, data)

    def open(self, sealed: Sealed) -> Shown | None:
        """The text of a sealed value; None for NULL; `Tampered` where it was altered or moved."""
        return self._sealer.open(sealed)

    def open_bytes(self, sealed: Sealed) -> bytes | None:
        """The bytes that were sealed; None for NULL; `Tampered` where they were altered or moved."""
        return self._sealer.open_bytes(sealed)

    def token(self, kind: str, value: str) -> int:
        """The token of a whole value, for a BIGINT column; kinds are in `TokenKind`, or your own."""
        return self._tokens.exact(kind, value)

    def name_token(self, text: str) -> int:
        """The 16-bit token of a name part or the beginning of one; see tokens.py."""
        return self._tokens.name(text)

    def name_tokens(self, parts: Iterable[str]) -> frozenset[int]:
        """The tokens a person with these name parts is found by."""
        return self._tokens.names(parts)

    def fingerprint(self, data: bytes) -> bytes:
        """16 keyed bytes that are equal for equal data: for "has this changed?"."""
        return self._tokens.fingerprint(data)

    @property
    def current_audit_key(self) -> int:
        """The id of the key that new audit rows are chained under."""
        return self._audit_current

    def audit_mac(self, key_id: int, data: bytes) -> bytes:
        """HMAC-SHA-256 of `data`, 32 bytes; `UnknownKey` for a key the store never had."""
        prepared = self._audit.get(key_id)
        if prepared is None:
            raise UnknownKey(purpose=Purpose.AUDIT, key_id=key_id)
        mac = prepared.copy()
        mac.update(data)
        return mac.digest()

    def sign(self, data: bytes) -> tuple[int, bytes]:
        """The signing key's id and its Ed25519 signature; `SignsNothing` in a process without it."""
        if self._signer is None:
            raise SignsNothing
        return self._signing_current, self._signer.sign(data)

    def signed(self, key_id: int, data: bytes, signature: bytes) -> bool:
        """Whether `signature` over `data` was made with this store's signing key `key_id`."""
        verifier = self._verifiers.get(key_id)
        if verifier is None:
            return False
        try:
            verifier.verify(signature, data)
        except InvalidSignature:
            return False
        return True


def _current(opened: list[tuple[WrappedKey, Key]], purpose: Purpose) -> int:
    """The newest key of a purpose that is not retired."""
    fit = [entry.id for entry, _ in opened if entry.purpose is purpose and entry.retired_at is None]
    if not fit:
        raise VaultEmpty(purpose=purpose)
    return max(fit)
