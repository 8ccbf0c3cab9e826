"""The task table."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.access.model import Role
from crm_core.store.base import Base, Id, Utc, sealed, word
from crm_core.tasks.model import TaskKind, TaskState
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed

STILL_OPEN = text("state = 'open'")
"""The condition of the indexes of what is to be done: a query repeats it to the letter, or SQLite scans."""


class Task(Base):
    """One thing to be done, by a person, or by whoever of a role or a lane takes it.

    `required` are keys parted by spaces. `filled_sealed` holds what is known of them, as a JSON
    object. Who created or ended it is 0 for the system itself.
    """

    __tablename__ = "task"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    kind: Mapped[TaskKind] = mapped_column(word(TaskKind, "kind"))
    state: Mapped[TaskState] = mapped_column(word(TaskState, "state"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    role: Mapped[Role | None] = mapped_column(word(Role, "role"))
    lane: Mapped[str | None] = mapped_column(String(40))
    due_at: Mapped[datetime] = mapped_column(Utc)
    required: Mapped[str] = mapped_column(Text, server_default=text("''"))
    dedup_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    created_by: Mapped[int] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Utc)
    ended_by: Mapped[int | None] = mapped_column(Id)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    title_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    details_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    filled_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    outcome_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    title: Mapped[Sealed] = sealed(Field.TASK_TITLE, "id", "title_sealed")
    details: Mapped[Sealed] = sealed(Field.TASK_DETAILS, "id", "details_sealed")
    filled: Mapped[Sealed] = sealed(Field.TASK_FILLED, "id", "filled_sealed")
    outcome: Mapped[Sealed] = sealed(Field.TASK_OUTCOME, "id", "outcome_sealed")

    __table_args__ = (
        CheckConstraint(
            "state <> 'open' OR owner_id IS NOT NULL OR role IS NOT NULL OR lane IS NOT NULL", name="open_is_someones"
        ),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended_has_a_time"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_someone"),
        CheckConstraint("state <> 'cancelled' OR outcome_sealed IS NOT NULL", name="cancelled_says_why"),
        Index("ix_task_open", "due_at", "id", sqlite_where=STILL_OPEN, postgresql_where=STILL_OPEN),
        Index("ix_task_open_owner", "owner_id", "due_at", sqlite_where=STILL_OPEN, postgresql_where=STILL_OPEN),
    )
