"""How far each mailbox of crm.toml has been read, and who is reading it now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.store.base import Base, Utc


class MailboxRow(Base):
    """One mailbox, under its name in crm.toml; not audited, as it holds no letter.

    `address` is server, account and folder: another one is read from its beginning. Everything
    up to `last_uid` has been handed in, under the numbering that `uid_validity` names (RFC 3501,
    2.3.1.1). What lay below `first_new_uid` was there when that numbering was first met, at
    `begun_at` where it was the folder's first. A reader holds `lease_token` until `lease_until`.
    `failure` is why it cannot be read, in words without a patient.
    """

    __tablename__ = "mailbox"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    address: Mapped[str] = mapped_column(String(400))
    uid_validity: Mapped[int | None] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger, server_default="0")
    first_new_uid: Mapped[int] = mapped_column(BigInteger, server_default="0")
    begun_at: Mapped[datetime] = mapped_column(Utc)
    lease_token: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_until: Mapped[datetime | None] = mapped_column(Utc)
    read_at: Mapped[datetime | None] = mapped_column(Utc)
    failure: Mapped[str | None] = mapped_column(String(80))
    failing_since: Mapped[datetime | None] = mapped_column(Utc)

    __table_args__ = (CheckConstraint("(failure IS NULL) = (failing_since IS NULL)", name="failing_since_a_time"),)
