"""Accounts, the roles they hold and the lanes they work."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.access.model import Role
from crm_core.store.base import Base, Id, Utc, word


class Staff(Base):
    """One person's account. Id 0 is never used: it means the system."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint("id > 0", name="id_is_a_person"),
        CheckConstraint("login <> ''", name="login_given"),
        CheckConstraint("failed_attempts >= 0", name="attempts_counted"),
        CheckConstraint("failed_attempts = 0 OR next_attempt_at IS NOT NULL", name="failure_delays"),
        CheckConstraint("capacity >= 0", name="capacity_counted"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    """Folded by `model.fold_login`, so that uniqueness ignores case."""
    name: Mapped[str] = mapped_column(String(120))
    os_user: Mapped[str | None] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    epoch: Mapped[int] = mapped_column(Integer, default=1)
    """Raised by whatever must end this account's sessions."""
    created_at: Mapped[datetime] = mapped_column(Utc)
    failed_attempts: Mapped[int] = mapped_column(Integer, default=0)
    """Since the last sign-in; an attempt counts as failed until its password has been checked."""
    next_attempt_at: Mapped[datetime | None] = mapped_column(Utc)
    last_signed_in_at: Mapped[datetime | None] = mapped_column(Utc)
    capacity: Mapped[int | None] = mapped_column(Integer)
    """Open conversations that may be given to this person; NULL is any number."""


class StaffRole(Base):
    """A role held."""

    __tablename__ = "staff_role"

    staff_id: Mapped[int] = mapped_column(Id, ForeignKey("staff.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(word(Role, "role_known"), primary_key=True)


class StaffLane(Base):
    """A lane worked, by its key in the playbook; an account without any works all its roles may see."""

    __tablename__ = "staff_lane"

    staff_id: Mapped[int] = mapped_column(Id, ForeignKey("staff.id"), primary_key=True)
    lane: Mapped[str] = mapped_column(String(40), primary_key=True)


class StaffAbsence(Base):
    """A time when a person does not work, and who stands in; one person's never overlap."""

    __tablename__ = "staff_absence"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_it_starts"),
        CheckConstraint("substitute_id <> staff_id", name="substitute_is_another"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    starts_at: Mapped[datetime] = mapped_column(Utc)
    ends_at: Mapped[datetime] = mapped_column(Utc, index=True)
    substitute_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


STAFF = cast("Table", Staff.__table__)
STAFF_ROLE = cast("Table", StaffRole.__table__)
STAFF_LANE = cast("Table", StaffLane.__table__)
STAFF_ABSENCE = cast("Table", StaffAbsence.__table__)
