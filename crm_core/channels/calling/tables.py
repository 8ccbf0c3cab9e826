"""Call list items, and every call that was made for one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.channels.calling.model import CallState
from crm_core.store.base import Base, Utc, word
from crm_core.words import Purpose

TO_CALL = text("state = 'waiting'")
"""The condition of the index of whom to call: a query repeats it to the letter, or SQLite scans."""


class CallItem(Base):
    """What makes a task of kind `call` an item of the call list: whom, at which number, how often it was tried."""

    __tablename__ = "call_item"

    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), primary_key=True, autoincrement=False)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(word(Purpose, "purpose"))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"), index=True)
    state: Mapped[CallState] = mapped_column(word(CallState, "state"))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(Integer)
    settled_at: Mapped[datetime | None] = mapped_column(Utc)

    __table_args__ = (
        CheckConstraint("attempts <= max_attempts", name="no_more_than_the_most"),
        CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled_has_a_time"),
        Index("ix_call_item_waiting", "task_id", sqlite_where=TO_CALL, postgresql_where=TO_CALL),
    )


class CallTry(Base):
    """One call made for an item: its outcome is a code of the playbook's, its words are the message's."""

    __tablename__ = "call_try"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), primary_key=True, autoincrement=False)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    at: Mapped[datetime] = mapped_column(Utc)
    outcome: Mapped[str] = mapped_column(String(40))
    reached: Mapped[bool] = mapped_column(Boolean)
