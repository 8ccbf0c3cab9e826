"""Which keyring backends may hold the master key.

`keyring` picks whatever is installed, a plain file included, without a word. So the class it
picked is compared with a list of those that encrypt under the person's login.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_core.errors import Unavailable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

ALLOWED = frozenset(
    {
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.kwallet.DBusKeyringKWallet4",
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
    }
)
"""Backends by module and class, as keyring 25 names them."""

_CHAIN = "keyring.backends.chainer.ChainerBackend"


class UnsafeKeyring(Unavailable):
    """The keyring here ({backend}) does not protect a key; use a desktop keyring, or `crm init --key file`."""


def safe_backend() -> KeyringBackend:
    """The backend in use, if it is allowed; of a chain, its first allowed link.

    `UnsafeKeyring` for a plaintext, null or failing backend, and for one we do not know.
    """
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    links = list(chosen.backends) if isinstance(chosen, ChainerBackend) and _name(chosen) == _CHAIN else [chosen]
    for backend in links:
        if _name(backend) in ALLOWED:
            return backend
    raise UnsafeKeyring(backend=", ".join(_name(backend) for backend in links) or "none")


def _name(backend: KeyringBackend) -> str:
    kind = type(backend)
    return f"{kind.__module__}.{kind.__qualname__}"
