"""The declarative base, and the column types that state the store's rules."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, MetaData, TypeDecorator
from sqlalchemy.orm import Composite, CompositeProperty, DeclarativeBase, composite

from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed


class Base(DeclarativeBase):
    """Every table of every room; constraint names are fixed so that errors can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


Id = BigInteger().with_variant(BigInteger(), "sqlite")
"""A 64-bit id handed out in blocks; see ids.py."""


class Utc(TypeDecorator[datetime]):
    """An aware time, kept in UTC; a naive value is refused before it reaches the driver."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time in the store must be aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def word(kind: type[StrEnum], name: str) -> Enum:
    """A column of one enum's words, held to them by a CHECK called `name`."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class _Refuses(CompositeProperty.Comparator[Sealed]):
    """A sealed column can be selected and nothing else: comparing ciphertext is a mistake."""

    def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        raise TypeError("a sealed value cannot be compared or ordered; look it up by a blind token")

    reverse_operate = operate

    # The composite's own comparator answers these without asking `operate`.
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = operate
    __hash__ = None


def sealed(field: Field, row_id: str, column: str) -> Composite[Sealed]:
    """Map `column` (bytes) and the `row_id` column as one `Sealed` of the given field number."""
    return composite(functools.partial(Sealed, field), row_id, column, comparator_factory=_Refuses)
