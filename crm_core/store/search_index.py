"""The index of blind tokens by which sealed patients are found.

SQLite keeps it in a contentless FTS5 table, whose rowid is the patient's id; Postgres in a
`bigint[]` under GIN. A token is a keyed hash, so the index holds no text; what it still tells
(which patients share a token) is in docs/security.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

TABLE = "patient_token"

_FTS = "tokens, content='', contentless_delete=1, detail=none, tokenize='ascii'"
_ARRAY = "patient_id bigint PRIMARY KEY REFERENCES patient (id) ON DELETE CASCADE, tokens bigint[] NOT NULL"

CREATE = {
    "sqlite": (f"CREATE VIRTUAL TABLE IF NOT EXISTS {TABLE} USING fts5({_FTS})",),
    "postgresql": (
        f"CREATE TABLE IF NOT EXISTS {TABLE} ({_ARRAY})",
        f"CREATE INDEX IF NOT EXISTS ix_{TABLE}_tokens ON {TABLE} USING gin (tokens) WITH (fastupdate = off)",
    ),
}
"""The statements that make the index, in order, by dialect; `patient` must exist."""

DROP = f"DROP TABLE IF EXISTS {TABLE}"

# Inserting an existing rowid into a contentless FTS5 table silently unions; REPLACE does not.
_PUT = {
    "sqlite": text(f"INSERT OR REPLACE INTO {TABLE} (rowid, tokens) VALUES (:patient_id, :tokens)"),
    "postgresql": text(
        f"INSERT INTO {TABLE} (patient_id, tokens) VALUES (:patient_id, :tokens) "
        "ON CONFLICT (patient_id) DO UPDATE SET tokens = excluded.tokens"
    ).bindparams(bindparam("tokens", type_=ARRAY(BigInteger()))),
}
_REMOVE = {
    "sqlite": text(f"DELETE FROM {TABLE} WHERE rowid = :patient_id"),
    "postgresql": text(f"DELETE FROM {TABLE} WHERE patient_id = :patient_id"),
}
_FIND_SQLITE = text(f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH :words ORDER BY rowid DESC LIMIT :limit")


class Executes(Protocol):
    """A unit of work, as far as this index is concerned."""

    @property
    def dialect(self) -> str: ...

    def execute(self, statement: Any, parameters: Any = None) -> Any: ...


def create(connection: Connection) -> None:
    """Make the index on a connection of either dialect; does nothing where it exists."""
    for statement in CREATE[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def put(unit: Executes, rows: Sequence[tuple[int, frozenset[int]]]) -> None:
    """Let each patient id be found by exactly these tokens (signed 64-bit); one statement for all."""
    if not rows:
        return
    sqlite = unit.dialect == "sqlite"
    unit.execute(
        _PUT[unit.dialect],
        [
            {"patient_id": patient_id, "tokens": " ".join(map(_word, tokens)) if sqlite else list(tokens)}
            for patient_id, tokens in rows
        ],
    )


def remove(unit: Executes, patient_ids: Sequence[int]) -> None:
    """Let these patients no longer be found."""
    if patient_ids:
        unit.execute(_REMOVE[unit.dialect], [{"patient_id": patient_id} for patient_id in patient_ids])


def find(unit: Executes, clauses: Sequence[frozenset[int]], limit: int) -> list[int]:
    """The newest patient ids, at most `limit`, that have a token of every clause; none for no clause."""
    if not clauses or not all(clauses):
        return []
    if unit.dialect == "sqlite":
        words = " AND ".join(f"({' OR '.join(map(_word, sorted(clause)))})" for clause in clauses)
        rows = unit.execute(_FIND_SQLITE, {"words": words, "limit": limit})
    else:
        wanted = [f"tokens {'@>' if len(clause) == 1 else '&&'} :t{n}" for n, clause in enumerate(clauses)]
        statement = text(
            f"SELECT patient_id FROM {TABLE} WHERE {' AND '.join(wanted)} ORDER BY patient_id DESC LIMIT :limit"
        ).bindparams(*(bindparam(f"t{n}", type_=ARRAY(BigInteger())) for n in range(len(clauses))))
        rows = unit.execute(statement, {f"t{n}": sorted(c) for n, c in enumerate(clauses)} | {"limit": limit})
    return [row[0] for row in rows]


def _word(token: int) -> str:
    """A token as one word of FTS5; `x` in front, as a bare number or AND would be syntax."""
    return f"x{token & 0xFFFF_FFFF_FFFF_FFFF:x}"
