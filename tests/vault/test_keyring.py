"""The keyring: encrypting backends alone, whatever is installed."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked

from crm_core.vault.keyrings import UnsafeKeyring
from crm_core.vault.keys import Key, KeyDamaged, KeyExists, KeyMissing, KeyringFailed, KeyringProvider


class DictBackend(KeyringBackend):
    """Keeps passwords in a dict, in the clear, as keyrings.alt's backend does in a file."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


def named(module: str, name: str, base: type[KeyringBackend] = DictBackend) -> KeyringBackend:
    """A backend whose class has the name of a real one."""
    made = type(name, (base,), {"__module__": module, "__qualname__": name, "viable": False})
    backend = made()
    assert isinstance(backend, KeyringBackend)
    return backend


@pytest.fixture(autouse=True)
def _keep_the_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.fixture
def provider() -> KeyringProvider:
    return KeyringProvider("clinic-crm-test", "home")


def use(backend: KeyringBackend) -> KeyringBackend:
    keyring.set_keyring(backend)
    return backend


def secret_service() -> KeyringBackend:
    return named("keyring.backends.SecretService", "Keyring")


def plaintext() -> KeyringBackend:
    return named("keyrings.alt.file", "PlaintextKeyring")


@pytest.mark.parametrize(
    "backend",
    [
        plaintext(),
        named("keyrings.alt.file", "EncryptedKeyring"),
        named("keyring.backends.null", "Keyring"),
        named("someone.elses", "Keyring"),
        null.Keyring(),  # type: ignore[no-untyped-call]
        fail.Keyring(),  # type: ignore[no-untyped-call]
    ],
    ids=lambda backend: type(backend).__module__ + "." + type(backend).__name__,
)
def test_a_backend_that_does_not_protect_a_key_is_refused_with_the_fix(
    provider: KeyringProvider, backend: KeyringBackend
) -> None:
    use(backend)
    for attempt in (provider.read, lambda: provider.create(Key.random()), lambda: provider.replace(Key.random())):
        with pytest.raises(UnsafeKeyring, match="crm init --key file") as caught:
            attempt()
        assert caught.value.exit_code == 4
        assert "\n" not in str(caught.value)
    assert not getattr(backend, "kept", None)


def test_a_class_that_derives_from_an_allowed_one_is_not_allowed(provider: KeyringProvider) -> None:
    class Sneaky(type(secret_service())):  # type: ignore[misc]
        pass

    use(Sneaky())
    with pytest.raises(UnsafeKeyring):
        provider.create(Key.random())


def test_an_allowed_keyring_keeps_the_key(provider: KeyringProvider) -> None:
    use(secret_service())
    key = Key.random()
    with pytest.raises(KeyMissing):
        provider.read()
    provider.create(key)
    assert provider.read() == key
    with pytest.raises(KeyExists):
        provider.create(Key.random())
    assert provider.read() == key
    other = Key.random()
    provider.replace(other)
    assert provider.read() == other


def test_of_a_chain_only_an_allowed_link_gets_the_key(
    provider: KeyringProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, safe = plaintext(), secret_service()
    assert isinstance(plain, DictBackend)
    assert isinstance(safe, DictBackend)
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [plain, safe])
    use(chainer.ChainerBackend())  # type: ignore[no-untyped-call]
    provider.create(Key.random())
    assert plain.kept == {}
    assert len(safe.kept) == 1


@pytest.mark.parametrize("links", [[], [plaintext()]])
def test_a_chain_without_an_allowed_link_is_refused(
    provider: KeyringProvider, monkeypatch: pytest.MonkeyPatch, links: list[KeyringBackend]
) -> None:
    monkeypatch.setattr(chainer.ChainerBackend, "backends", links)
    use(chainer.ChainerBackend())  # type: ignore[no-untyped-call]
    with pytest.raises(UnsafeKeyring):
        provider.create(Key.random())


def test_a_locked_keyring_is_said_in_one_sentence(provider: KeyringProvider) -> None:
    class Locked(DictBackend):
        def get_password(self, service: str, username: str) -> str | None:
            raise KeyringLocked(f"the collection of {service} and {username} is locked")

    use(named("keyring.backends.SecretService", "Keyring", Locked))
    with pytest.raises(KeyringFailed, match="KeyringLocked") as caught:
        provider.read()
    assert caught.value.exit_code == 4


def test_a_keyring_that_forgets_is_noticed_before_the_store_relies_on_it(provider: KeyringProvider) -> None:
    class Forgetful(DictBackend):
        def set_password(self, service: str, username: str, password: str) -> None:
            pass

    use(named("keyring.backends.SecretService", "Keyring", Forgetful))
    with pytest.raises(KeyringFailed, match="did not keep"):
        provider.create(Key.random())


def test_what_is_no_key_in_the_keyring_is_refused(provider: KeyringProvider) -> None:
    use(secret_service()).set_password("clinic-crm-test", "home", "hunter2")
    with pytest.raises(KeyDamaged) as caught:
        provider.read()
    assert "hunter2" not in str(caught.value)
