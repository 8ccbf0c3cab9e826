"""Calls that ring or rang."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.channels.ringing.model import RingState
from crm_core.store.base import Base, Id, Utc, sealed, word
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed

RINGS = text("state = 'ringing'")
"""The condition of the index of what rings: a query repeats it to the letter, or SQLite scans."""

NUMBERED = text("number_sealed IS NOT NULL")
"""Of the index of rings whose number is still kept."""


class Ring(Base):
    """One call. `call_token` is a keyed hash of the telephone system's own id of it.

    `contact_point_id` is the number where somebody uses it; who that is is asked when it is shown.
    """

    __tablename__ = "ring"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    call_token: Mapped[int] = mapped_column(Id, unique=True)
    line: Mapped[str] = mapped_column(String(40))
    state: Mapped[RingState] = mapped_column(word(RingState, "state"))
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    rang_at: Mapped[datetime] = mapped_column(Utc)
    changed_at: Mapped[datetime] = mapped_column(Utc)
    number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    number: Mapped[Sealed] = sealed(Field.RING_NUMBER, "id", "number_sealed")

    __table_args__ = (
        Index("ix_ring_ringing", "rang_at", sqlite_where=RINGS, postgresql_where=RINGS),
        Index("ix_ring_numbered", "rang_at", sqlite_where=NUMBERED, postgresql_where=NUMBERED),
    )
