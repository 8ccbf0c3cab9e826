"""Sealed values: AES-256-GCM bound to a field and a row.

A sealed value is `version (1 byte) · key id (2) · nonce (12) · ciphertext and tag`. Its
associated data are version, key id, field number and row id, so that a ciphertext opens only
in the row and column it was made for.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_core.errors import CrmError
from crm_core.vault.fields import Field
from crm_core.vault.keys import Key
from crm_core.vault.sealed import Sealed, Shown

_VERSION = 1
_HEADER = 3
_NONCE = 12
_BODY = _HEADER + _NONCE
_bound = struct.Struct(">BHHq").pack


class Tampered(CrmError):
    """The {field} of {kind} {row_id} was altered or moved and does not open; tell the privacy officer."""


class Sealer:
    """Seals under the current data key, opens under any; safe for many threads."""

    def __init__(self, keys: Mapping[int, Key], current: int) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = current
        self._header = struct.pack(">BH", _VERSION, current)
        self._encrypt = self._ciphers[current].encrypt

    def seal(self, field: Field, row_id: int, text: str) -> bytes:
        """The bytes to store for `text` in that field of that row.

        The nonce is random: a data key is good for 2³² values (NIST SP 800-38D).
        """
        return self.seal_bytes(field, row_id, text.encode("utf-8", "surrogatepass"))

    def seal_bytes(self, field: Field, row_id: int, data: bytes) -> bytes:
        """The bytes to store for `data`, a file's, in that field of that row."""
        nonce = os.urandom(_NONCE)
        return self._header + nonce + self._encrypt(nonce, data, _bound(_VERSION, self._current, field, row_id))

    def open(self, sealed: Sealed) -> Shown | None:
        """The text; None for NULL; `Tampered` for anything that was not sealed here."""
        opened = self.open_bytes(sealed)
        return None if opened is None else Shown(opened, "utf-8", "surrogatepass")

    def open_bytes(self, sealed: Sealed) -> bytes | None:
        """The bytes as they were sealed; None and `Tampered` as for a text."""
        blob = sealed.blob
        if blob is None:
            return None
        try:
            key_id = blob[1] << 8 | blob[2]
            bound = _bound(blob[0], key_id, sealed.field, sealed.row_id)
            return self._ciphers[key_id].decrypt(blob[_HEADER:_BODY], blob[_BODY:], bound)
        except (InvalidTag, KeyError, IndexError, ValueError):
            raise Tampered(field=sealed.field.name.lower(), kind=sealed.field.kind, row_id=sealed.row_id) from None
