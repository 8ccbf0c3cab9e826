"""The template tables: a template is a key; what it says is a version, one line of them per language."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.library.model import Origin, RetiredBecause, TemplateState
from crm_core.store.base import Base, Id, Utc, word


class Template(Base):
    """One answer that the clinic gives, under a key that never changes."""

    __tablename__ = "template"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(48), unique=True)


class TemplateVersion(Base):
    """What a template says in one language, from one reading of its file, or as somebody wrote it.

    `categories` and `channels` hold words parted by spaces. A version's text never changes;
    only its state does, and the remark with which an approver sent it back. `digest` is the file's,
    to see that nothing changed. The `then_` columns are its macro: what else happens when it is sent.
    """

    __tablename__ = "template_version"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    template_id: Mapped[int] = mapped_column(Id, ForeignKey("template.id"))
    number: Mapped[int] = mapped_column(Integer)
    language: Mapped[str] = mapped_column(String(2))
    state: Mapped[TemplateState] = mapped_column(word(TemplateState, "state"))
    title: Mapped[str] = mapped_column(String(120))
    purpose: Mapped[str] = mapped_column(String(120))
    categories: Mapped[str] = mapped_column(Text)
    channels: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    needs_personal: Mapped[bool] = mapped_column(Boolean(create_constraint=True, name="needs_personal"))
    review_months: Mapped[int | None] = mapped_column(Integer)
    review_due: Mapped[date | None] = mapped_column(Date)
    digest: Mapped[str] = mapped_column(String(64))
    author_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Utc)
    approved_by: Mapped[int | None] = mapped_column(BigInteger)
    approved_at: Mapped[datetime | None] = mapped_column(Utc)
    retired_because: Mapped[RetiredBecause | None] = mapped_column(word(RetiredBecause, "retired_because"))
    origin: Mapped[Origin] = mapped_column(word(Origin, "origin"), server_default=text("'file'"))
    then_close: Mapped[str | None] = mapped_column(String(40))
    then_snooze: Mapped[str | None] = mapped_column(String(8))
    then_task: Mapped[str | None] = mapped_column(String(120))
    then_task_due: Mapped[str | None] = mapped_column(String(8))
    remark: Mapped[str | None] = mapped_column(Text)
    remark_by: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        UniqueConstraint("template_id", "number", "language"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("review_months IS NOT NULL OR review_due IS NOT NULL", name="review_given"),
        CheckConstraint(
            "state <> 'approved' OR (approved_by IS NOT NULL AND approved_at IS NOT NULL AND review_due IS NOT NULL)",
            name="approved_is_signed",
        ),
        CheckConstraint("(state = 'retired') = (retired_because IS NOT NULL)", name="retired_has_reason"),
        CheckConstraint("then_close IS NULL OR then_snooze IS NULL", name="closes_or_snoozes"),
        CheckConstraint("(then_task IS NULL) = (then_task_due IS NULL)", name="task_has_a_date"),
        CheckConstraint("(remark IS NULL) = (remark_by IS NULL)", name="remark_is_signed"),
        Index(
            "uq_template_version_approved",
            "template_id",
            "language",
            unique=True,
            sqlite_where=text("state = 'approved'"),
            postgresql_where=text("state = 'approved'"),
        ),
    )
