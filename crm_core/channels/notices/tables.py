"""The notice table."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.channels.notices.model import Asks, NoticeState
from crm_core.store.base import Base, Id, Utc, sealed, word
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed
from crm_core.words import Channel, Purpose

STANDS = text("state <> 'cancelled'")
"""The condition of the index by which an occasion's step has one notice."""

STILL_PLANNED = text("state = 'planned'")
"""Of the index of what is still to go: a query repeats it to the letter, or SQLite scans."""

LONGEST_BECAUSE = 120
"""Characters kept of why a notice did not go."""


class Notice(Base):
    """Something the house is to send by itself at `due_at`; its timer's subject is its id.

    `why` holds the ordered reasons of the last decision as JSON, `because` that decision in a few
    words; neither says a patient. `next_at` is when it is looked at again where it had to wait.
    Notices that share one question carry the same `message_id`.
    """

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    occasion: Mapped[str] = mapped_column(String(40), index=True)
    step: Mapped[str] = mapped_column(String(20))
    dedup_key: Mapped[str] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[Purpose] = mapped_column(word(Purpose, "purpose"))
    template_key: Mapped[str] = mapped_column(String(48))
    due_at: Mapped[datetime] = mapped_column(Utc)
    send_by: Mapped[datetime | None] = mapped_column(Utc)
    asks: Mapped[Asks] = mapped_column(word(Asks, "asks"))
    about: Mapped[str | None] = mapped_column(String(60))
    about_at: Mapped[datetime | None] = mapped_column(Utc)
    state: Mapped[NoticeState] = mapped_column(word(NoticeState, "state"))
    channel: Mapped[Channel | None] = mapped_column(word(Channel, "channel"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), index=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"))
    why: Mapped[str] = mapped_column(Text, server_default=text("'[]'"))
    because: Mapped[str | None] = mapped_column(String(LONGEST_BECAUSE))
    next_at: Mapped[datetime | None] = mapped_column(Utc)
    planned_by: Mapped[int] = mapped_column(Id)
    planned_at: Mapped[datetime] = mapped_column(Utc)
    settled_at: Mapped[datetime | None] = mapped_column(Utc)
    fields_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    fields: Mapped[Sealed] = sealed(Field.NOTICE_FIELDS, "id", "fields_sealed")

    __table_args__ = (
        CheckConstraint("(state = 'planned') = (settled_at IS NULL)", name="settled_has_a_time"),
        CheckConstraint("state <> 'handed_over' OR message_id IS NOT NULL", name="handed_over_as_a_message"),
        CheckConstraint("state <> 'calling' OR task_id IS NOT NULL", name="calling_has_a_task"),
        CheckConstraint("asks = 'nothing' OR about IS NOT NULL", name="asks_about_something"),
        Index("uq_notice_occasion", "dedup_key", unique=True, sqlite_where=STANDS, postgresql_where=STANDS),
        Index("ix_notice_planned", "due_at", "id", sqlite_where=STILL_PLANNED, postgresql_where=STILL_PLANNED),
    )
