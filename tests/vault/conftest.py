"""A vault over a key store that lives in memory."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm_core.clock import ShiftedClock
from crm_core.vault.keys import Key
from crm_core.vault.vault import Vault
from crm_core.vault.wrapping import WrappedKey


class ListKeyStore:
    """Keeps wrapped keys in a list."""

    def __init__(self) -> None:
        self.keys: list[WrappedKey] = []

    def load(self) -> list[WrappedKey]:
        return list(self.keys)

    def add(self, key: WrappedKey) -> None:
        self.keys.append(key)

    def replace(self, keys: list[WrappedKey]) -> None:
        self.keys = list(keys)


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock(datetime(2026, 11, 23, 15, tzinfo=UTC))


@pytest.fixture(scope="session")
def master() -> Key:
    return Key.random()


@pytest.fixture
def keystore() -> ListKeyStore:
    return ListKeyStore()


@pytest.fixture(scope="session")
def vault(master: Key) -> Vault:
    return Vault.create(ListKeyStore(), master, ShiftedClock(datetime(2026, 11, 23, 15, tzinfo=UTC)))
