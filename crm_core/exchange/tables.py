"""What was imported from where, so that the same thing twice changes nothing."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import cast

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.store.base import Base, Id, Utc, word


class BatchState(StrEnum):
    """A batch that still runs, or was killed; or one that ended."""

    RUNNING = "running"
    DONE = "done"


class ImportBatch(Base):
    """One import that changed something. `input_print` is a keyed digest of which files it read.

    At most one batch of the same files runs; killed, it is the one that goes on.
    """

    __tablename__ = "import_batch"
    __table_args__ = (
        Index(
            "uq_import_batch_running",
            "input_print",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[BatchState] = mapped_column(word(BatchState, "state"))
    input_print: Mapped[bytes] = mapped_column(LargeBinary(16))
    actor_id: Mapped[int] = mapped_column(Id)
    started_at: Mapped[datetime] = mapped_column(Utc)
    finished_at: Mapped[datetime | None] = mapped_column(Utc)


class ImportProgress(Base):
    """Where a batch stands: everything before `file_index`, `row` is stored. `counts` is JSON.

    `rejects_size` is the length of the rejects file at that moment.
    """

    __tablename__ = "import_progress"

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), primary_key=True)
    file_index: Mapped[int] = mapped_column(Integer)
    items_done: Mapped[int] = mapped_column(BigInteger)
    rejects_size: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Utc)


class ExternalRef(Base):
    """What a source calls a patient. `token` is a keyed hash of source, type and id.

    `fingerprint` is of the last draft taken from it. `replaced_by_token` is the record that
    the source says took this one's place.
    """

    __tablename__ = "external_ref"
    __table_args__ = (
        Index(
            "ix_external_ref_replaced_by_token",
            "replaced_by_token",
            sqlite_where=text("replaced_by_token IS NOT NULL"),
            postgresql_where=text("replaced_by_token IS NOT NULL"),
        ),
    )

    token: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16))
    last_updated: Mapped[datetime | None] = mapped_column(Utc)
    version: Mapped[int | None] = mapped_column(BigInteger)
    replaced_by_token: Mapped[int | None] = mapped_column(BigInteger)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))


BATCH = cast("Table", ImportBatch.__table__)
PROGRESS = cast("Table", ImportProgress.__table__)
REF = cast("Table", ExternalRef.__table__)
