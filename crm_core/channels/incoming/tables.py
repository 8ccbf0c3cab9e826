"""What was brought and waits to be handled, and the tokens of what was."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.channels.incoming.model import Brought
from crm_core.store.base import Base, Id, Utc, sealed, word
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed

WAITING = text("handled_at IS NULL")
"""The condition of the index of what waits: a query repeats it to the letter, or SQLite scans."""


class Incoming(Base):
    """One thing that was brought. Once it is handled its payload is gone; its tokens stay.

    `token` is a keyed hash of its provider's id: the same thing delivered again is no second row.
    `content_print` is a keyed hash of its content, by which another thing under the same id is told.
    """

    __tablename__ = "incoming"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(60))
    kind: Mapped[Brought] = mapped_column(word(Brought, "kind"))
    token: Mapped[int | None] = mapped_column(Id, unique=True)
    content_print: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(Utc)
    handled_at: Mapped[datetime | None] = mapped_column(Utc)
    payload_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    payload: Mapped[Sealed] = sealed(Field.INCOMING_PAYLOAD, "id", "payload_sealed")

    __table_args__ = (
        CheckConstraint("(handled_at IS NULL) = (payload_sealed IS NOT NULL)", name="kept_until_handled"),
        Index("ix_incoming_waiting", "received_at", sqlite_where=WAITING, postgresql_where=WAITING),
    )
