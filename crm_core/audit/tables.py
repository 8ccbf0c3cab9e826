"""The audit table and the triggers that make it append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Connection, Integer, LargeBinary, String, Table, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.audit.tags import Outcome
from crm_core.store.base import Base, Id, Utc, word

CHAINS = 64
"""Chains 0 to 63; a process appends to one of them."""


class AuditRow(Base):
    """One thing done or seen. `mac` binds it to the row before it in its chain; no PHI in any column.

    `tag` is text, not an enum: a row keeps its word after the word has left the program.
    """

    __tablename__ = "audit_row"
    __table_args__ = (
        CheckConstraint(f"chain >= 0 AND chain < {CHAINS}", name="chain"),
        CheckConstraint("seq >= 1", name="seq"),
        CheckConstraint("length(mac) = 32", name="mac"),
    )

    chain: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Utc)
    actor_id: Mapped[int] = mapped_column(Id)
    tag: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(32))
    ids: Mapped[str] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[Outcome] = mapped_column(word(Outcome, "outcome"))
    key_id: Mapped[int] = mapped_column(Integer)
    mac: Mapped[bytes] = mapped_column(LargeBinary)


_REFUSE = "BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END"

TRIGGERS: dict[str, list[str]] = {
    "sqlite": [
        f"CREATE TRIGGER audit_row_no_update BEFORE UPDATE ON audit_row {_REFUSE}",
        f"CREATE TRIGGER audit_row_no_delete BEFORE DELETE ON audit_row {_REFUSE}",
        # REPLACE deletes without firing a delete trigger unless recursive_triggers is on.
        f"""CREATE TRIGGER audit_row_no_replace BEFORE INSERT ON audit_row
        WHEN EXISTS (SELECT 1 FROM audit_row WHERE chain = NEW.chain AND seq = NEW.seq) {_REFUSE}""",
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION audit_row_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'restrict_violation'; END $$""",
        """CREATE TRIGGER audit_row_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_row
        FOR EACH STATEMENT EXECUTE FUNCTION audit_row_refuse()""",
    ],
}
"""By dialect, the statements that refuse UPDATE, DELETE, TRUNCATE and REPLACE; a migration issues them too."""


@event.listens_for(AuditRow.__table__, "after_create")
def _guard(_table: Table, connection: Connection, **_: Any) -> None:
    """A table made from the metadata is guarded like a migrated one."""
    for statement in TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
