"""One after the other: keys held until a unit ends, so that no two processes decide by the same state of things."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BigInteger, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from crm_core.work.units import WriteUnit


def wait_for_others(unit: WriteUnit, keys: Iterable[int]) -> None:
    """Hold these keys until the unit ends, taken in their order; one statement.

    SQLite has one writer at a time and needs none of it.
    """
    wanted = sorted(set(keys))
    if unit.dialect == "postgresql" and wanted:
        key = func.unnest(literal(wanted, ARRAY(BigInteger))).column_valued("key")
        unit.execute(select(func.pg_advisory_xact_lock(key)))
