"""Timers, and the pollers that are alive."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.store.base import Base, Id, Utc, word
from crm_core.timers.model import TimerState

WAITING = text("state = 'waiting'")
"""The condition of the index of what is due: a query repeats it to the letter, or SQLite scans."""

DEAD = text("state = 'dead'")
"""Of the index of what was given up."""


class TimerRow(Base):
    """Something that must happen at `run_at`, once.

    Claiming moves `run_at` a lease ahead and raises `lease_token`, so that a lease that ran out
    is simply due again. `due_at` is when it was to run, which claiming does not move. `dedup_key`
    names the occasion (dedup.py): a second timer for it is refused by the store. `failure` is a
    code, never a patient.
    """

    __tablename__ = "timer"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(Id)
    due_at: Mapped[datetime] = mapped_column(Utc)
    run_at: Mapped[datetime] = mapped_column(Utc)
    state: Mapped[TimerState] = mapped_column(word(TimerState, "state"))
    attempt: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_token: Mapped[int] = mapped_column(Integer, server_default="0")
    dedup_key: Mapped[str] = mapped_column(String(120), unique=True)
    failure: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(Utc)
    settled_at: Mapped[datetime | None] = mapped_column(Utc)

    __table_args__ = (
        CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled_has_a_time"),
        Index("ix_timer_due", "run_at", "id", sqlite_where=WAITING, postgresql_where=WAITING),
        Index("ix_timer_subject", "kind", "subject_id", sqlite_where=WAITING, postgresql_where=WAITING),
        Index("ix_timer_dead", "settled_at", sqlite_where=DEAD, postgresql_where=DEAD),
    )


class PollerRow(Base):
    """One process that polls: a heartbeat, not audited. `kinds` are parted by spaces."""

    __tablename__ = "poller"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    host: Mapped[str] = mapped_column(String(80))
    process: Mapped[int] = mapped_column(Integer)
    inside_console: Mapped[bool]
    kinds: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Utc)
    seen_at: Mapped[datetime] = mapped_column(Utc, index=True)
    stopped_at: Mapped[datetime | None] = mapped_column(Utc)
