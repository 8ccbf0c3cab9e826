"""Passwords as Argon2id hashes: 64 MiB, 3 passes, 4 lanes (security.md).

A hash or a check costs about 0.1 s and 64 MiB, so both happen outside any unit of work: in a
write unit they would hold up every other writer of an embedded store.
"""

from __future__ import annotations

import functools
import os
import unicodedata

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from crm_core.errors import UsageError

MEMORY_KIB = 64 * 1024
PASSES = 3
LANES = 4
SHORTEST = 12
LONGEST = 1024


class WeakPassword(UsageError):
    """A password needs {shortest} to {longest} characters; choose a longer one, for instance a few words."""


def hash_password(password: str) -> str:
    """The encoded hash (`$argon2id$…`) to store; raises WeakPassword."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(shortest=SHORTEST, longest=LONGEST)
    return _argon2().derive_phc_encoded(_bytes(password))


def fits(password: str, encoded: str | None) -> bool:
    """Whether `password` is the hashed one, compared in constant time.

    Without a hash (an account with no password, or no such account) a hash is checked all
    the same, so that the time taken does not tell which logins exist.
    """
    try:
        Argon2id.verify_phc_encoded(_bytes(password[: LONGEST + 1]), encoded or _nobodys())
    except InvalidKey:
        return False
    return encoded is not None


@functools.cache
def _nobodys() -> str:
    return _argon2().derive_phc_encoded(os.urandom(32))


def _argon2() -> Argon2id:
    return Argon2id(salt=os.urandom(16), length=32, iterations=PASSES, lanes=LANES, memory_cost=MEMORY_KIB)


def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
