"""Prompts, and the things that each asks about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.channels.prompts.model import Answer, PromptKind, PromptState
from crm_core.store.base import Base, Id, Utc, word

STILL_PENDING = text("state = 'pending'")
"""The condition of the index of what may be answered: a query repeats it to the letter, or SQLite scans."""


class Prompt(Base):
    """What one automatic message asked of the patients behind a number; pending until answered or over.

    `answered_by` is the inbound message, which is written after its handlers ran, so it is no
    foreign key. A prompt of kind `which` belongs to nobody yet: `options` are the patients' ids
    in the order in which they were numbered, `meant` what the reply before it said.
    """

    __tablename__ = "prompt"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    kind: Mapped[PromptKind] = mapped_column(word(PromptKind, "kind"))
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"))
    state: Mapped[PromptState] = mapped_column(word(PromptState, "state"))
    asked_at: Mapped[datetime] = mapped_column(Utc)
    expires_at: Mapped[datetime] = mapped_column(Utc)
    options: Mapped[str] = mapped_column(Text, server_default=text("''"))
    meant: Mapped[Answer | None] = mapped_column(word(Answer, "meant"))
    answered_by: Mapped[int | None] = mapped_column(Id)
    settled_at: Mapped[datetime | None] = mapped_column(Utc)

    __table_args__ = (
        CheckConstraint("(state = 'pending') = (settled_at IS NULL)", name="settled_has_a_time"),
        CheckConstraint("(kind = 'which') = (patient_id IS NULL)", name="one_patients_or_which"),
        CheckConstraint("(kind = 'which') = (meant IS NOT NULL)", name="which_knows_what_was_meant"),
        Index(
            "ix_prompt_pending", "contact_point_id", "id", sqlite_where=STILL_PENDING, postgresql_where=STILL_PENDING
        ),
    )


class PromptSubject(Base):
    """One thing that a prompt asks about. `changed_at`: it changed after the question, so no reply confirms it."""

    __tablename__ = "prompt_subject"

    prompt_id: Mapped[int] = mapped_column(ForeignKey("prompt.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), index=True)
    at: Mapped[datetime | None] = mapped_column(Utc)
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"), index=True)
    changed_at: Mapped[datetime | None] = mapped_column(Utc)
