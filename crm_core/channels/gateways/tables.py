"""How far a provider's list of inbound messages has been read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.store.base import Base, Utc


class InboundMark(Base):
    """Everything that came to `source` (a gateway and its account) before `read_until` has been taken in."""

    __tablename__ = "inbound_mark"

    source: Mapped[str] = mapped_column(String(120), primary_key=True)
    read_until: Mapped[datetime] = mapped_column(Utc)
