"""The playbook's versions, as they were applied."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.store.base import Base, Id, Utc


class PlaybookVersion(Base):
    """What a clinic had decided from `applied_at` on; a decision made under it names its number.

    `content` is a JSON object of the files' texts by path, `digest` the SHA-256 of it and the
    name. `applied_by` is a staff id, 0 for the system.
    """

    __tablename__ = "playbook_version"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(digest) = 64", name="digest"),
    )

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(80))
    content: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    applied_at: Mapped[datetime] = mapped_column(Utc)
    applied_by: Mapped[int] = mapped_column(Id)
