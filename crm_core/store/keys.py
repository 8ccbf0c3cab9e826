"""The wrapped keys, kept in the store they protect: useless without the master key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine, Integer, LargeBinary, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.store.base import Base, Utc, word
from crm_core.store.driver_errors import FROM_THE_STORE, translate
from crm_core.vault.wrapping import Purpose, WrappedKey


class VaultKey(Base):
    """One wrapped key; see vault/wrapping.py."""

    __tablename__ = "vault_key"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    purpose: Mapped[Purpose] = mapped_column(word(Purpose, "purpose"))
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Utc)
    retired_at: Mapped[datetime | None] = mapped_column(Utc)


_table = VaultKey.__table__


class StoredKeys:
    """The `KeyStore` over an engine; each call is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self) -> list[WrappedKey]:
        """Every key, in order of its id; WrongKey where the store itself does not open."""
        with _translated(), self._engine.connect() as connection:
            rows = connection.execute(select(_table).order_by(_table.c.id)).mappings().all()
        return [WrappedKey(**row) for row in rows]

    def add(self, key: WrappedKey) -> None:
        """Keep one more key."""
        with _translated(), self._engine.begin() as connection:
            connection.execute(insert(_table), [_row(key)])  # type: ignore[arg-type]

    def replace(self, keys: list[WrappedKey]) -> None:
        """Keep exactly these instead, all or none."""
        with _translated(), self._engine.begin() as connection:
            connection.execute(delete(_table))  # type: ignore[arg-type]
            connection.execute(insert(_table), [_row(key) for key in keys])  # type: ignore[arg-type]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FROM_THE_STORE as error:
        raise translate(error) from None


def _row(key: WrappedKey) -> dict[str, object]:
    return {
        "id": key.id,
        "purpose": key.purpose,
        "wrapped": key.wrapped,
        "created_at": key.created_at,
        "retired_at": key.retired_at,
    }
