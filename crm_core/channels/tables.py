"""Messages, the outbox, and who carries them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.channels.model import Delivery, Direction, MessageKind, Report, Screened, Withheld
from crm_core.store.base import Base, Id, Utc, sealed, word
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed
from crm_core.words import Channel, Purpose

LEAVING = text("state IN ('queued', 'sending')")
"""The condition of the index of what is due: a query repeats it to the letter, or SQLite scans."""

UNASKED = text("automatic AND NOT answers")
"""Of the index of what no person wrote and no patient asked for, by which contact is capped."""

UNDELIVERED = text("state IN ('unknown', 'failed')")
"""Of the index of what did not go."""

FROM_TEMPLATE = text("template_version_id IS NOT NULL")
"""The condition of the index by which the uses of a template are counted."""

HANDLED = text("handle_token IS NOT NULL")
"""Of the index of what came from a session or a name, not a number or an address."""

SAID = text("text_token IS NOT NULL")
"""Of the index of texts that may say the same."""


UNREPORTED = text("state = 'sent' AND reported IS NULL")
"""Of the index of what a provider may still be asked about."""

PROVIDED = text("provider_id IS NOT NULL")
"""Of the index by which a provider's report finds its row."""


class Vendor(Base):
    """One business associate agreement (BAA) of a vendor for a channel; a renewal is one more."""

    __tablename__ = "vendor"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(80))
    gateway: Mapped[str] = mapped_column(String(40))
    baa_from: Mapped[date] = mapped_column(Date)
    baa_until: Mapped[date] = mapped_column(Date)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)

    __table_args__ = (
        CheckConstraint("baa_until >= baa_from", name="baa_order"),
        UniqueConstraint("name", "gateway", "baa_from"),
    )


class Message(Base):
    """One text, call or letter, in or out. `conversation_id` is NULL where a keyword alone came."""

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    direction: Mapped[Direction] = mapped_column(word(Direction, "direction"))
    kind: Mapped[MessageKind] = mapped_column(word(MessageKind, "kind"))
    channel: Mapped[Channel] = mapped_column(word(Channel, "channel"))
    at: Mapped[datetime] = mapped_column(Utc)
    recorded_at: Mapped[datetime] = mapped_column(Utc)
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    template_version_id: Mapped[int | None] = mapped_column(ForeignKey("template_version.id"))
    screened: Mapped[Screened] = mapped_column(word(Screened, "screened"))
    hidden: Mapped[int] = mapped_column(Integer, server_default="0")
    attachments: Mapped[int] = mapped_column(Integer, server_default="0")
    call_outcome: Mapped[str | None] = mapped_column(String(40))
    call_reason: Mapped[str | None] = mapped_column(String(40))
    next_call_at: Mapped[datetime | None] = mapped_column(Utc)
    reached: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    provider_token: Mapped[int | None] = mapped_column(Id, unique=True)
    text_token: Mapped[int | None] = mapped_column(Id)
    handle_token: Mapped[int | None] = mapped_column(Id)
    body_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    raw_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    subject_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sender_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    choice_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    body: Mapped[Sealed] = sealed(Field.MESSAGE_BODY, "id", "body_sealed")
    raw: Mapped[Sealed] = sealed(Field.MESSAGE_RAW, "id", "raw_sealed")
    subject: Mapped[Sealed] = sealed(Field.MESSAGE_SUBJECT, "id", "subject_sealed")
    sender: Mapped[Sealed] = sealed(Field.MESSAGE_SENDER, "id", "sender_sealed")
    choice: Mapped[Sealed] = sealed(Field.MESSAGE_CHOICE, "id", "choice_sealed")

    __table_args__ = (
        Index("ix_message_text", "text_token", sqlite_where=SAID, postgresql_where=SAID),
        Index("ix_message_handle", "handle_token", sqlite_where=HANDLED, postgresql_where=HANDLED),
    )


class Attachment(Base):
    """A file that came with a message: what it is called and what it says it is, its bytes where we took them.

    `withheld` says why there are none. `content_token` is equal for equal bytes.
    """

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    position: Mapped[int] = mapped_column(Integer)
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int | None] = mapped_column(Integer)
    withheld: Mapped[Withheld | None] = mapped_column(word(Withheld, "withheld"))
    content_token: Mapped[int | None] = mapped_column(Id)
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    content_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    name: Mapped[Sealed] = sealed(Field.ATTACHMENT_NAME, "id", "name_sealed")
    content: Mapped[Sealed] = sealed(Field.ATTACHMENT_BYTES, "id", "content_sealed")

    __table_args__ = (
        UniqueConstraint("message_id", "position"),
        CheckConstraint("(content_sealed IS NULL) = (withheld IS NOT NULL)", name="kept_or_withheld"),
        CheckConstraint("(content_sealed IS NULL) = (content_token IS NULL)", name="kept_has_a_token"),
    )


class Letter(Base):
    """The Message-ID of an e-mail, ours or theirs, by which an answer to it finds its thread.

    `token` is the keyed hash of what an answer will name. Two letters may carry one id, as a
    sender's machine may err or lie; who may join whose thread is not decided by it. Of our own
    letters only the token is kept: the rest is made from the outbox's key.
    """

    __tablename__ = "letter"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), primary_key=True, autoincrement=False)
    token: Mapped[int] = mapped_column(Id, index=True)
    letter_id_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    references_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    letter_id: Mapped[Sealed] = sealed(Field.MESSAGE_LETTER_ID, "message_id", "letter_id_sealed")
    references: Mapped[Sealed] = sealed(Field.MESSAGE_REFERENCES, "message_id", "references_sealed")


class Outbox(Base):
    """One outgoing message on its way. `why` is the gate's ordered reasons as JSON, without a patient.

    A sender claims a row by a lease and a rising token (`fence`); `attempt_id` is the
    idempotency key that the gateway hears and can be asked about. `planned_at` is the time that a
    person chose for it to go, at `decided_at`; NULL for what goes as soon as its hold is over.
    `automatic`, `answers` and `send_by` are the Candidate's. `begun_at` is when it was last handed to
    its gateway, if it may have been. `reported` is what the provider said of it later, with its own
    code; until then it may be asked, next at `ask_at`.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), unique=True)
    dedup_key: Mapped[str] = mapped_column(String(80), unique=True)
    channel: Mapped[Channel] = mapped_column(word(Channel, "channel"))
    purpose: Mapped[Purpose] = mapped_column(word(Purpose, "purpose"))
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"), index=True)
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    state: Mapped[Delivery] = mapped_column(word(Delivery, "state"))
    due_at: Mapped[datetime] = mapped_column(Utc)
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    fence: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_until: Mapped[datetime | None] = mapped_column(Utc)
    attempt_id: Mapped[str | None] = mapped_column(String(64))
    gateway: Mapped[str | None] = mapped_column(String(40))
    provider_id: Mapped[str | None] = mapped_column(String(255))
    ask_at: Mapped[datetime | None] = mapped_column(Utc)
    reported: Mapped[Report | None] = mapped_column(word(Report, "reported"))
    reported_at: Mapped[datetime | None] = mapped_column(Utc)
    report_code: Mapped[str | None] = mapped_column(String(40))
    failure: Mapped[str | None] = mapped_column(String(80))
    why: Mapped[str] = mapped_column(Text)
    automatic: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    answers: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    send_by: Mapped[datetime | None] = mapped_column(Utc)
    begun_at: Mapped[datetime | None] = mapped_column(Utc)
    planned_at: Mapped[datetime | None] = mapped_column(Utc)
    decided_at: Mapped[datetime | None] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc)
    settled_at: Mapped[datetime | None] = mapped_column(Utc)

    __table_args__ = (
        CheckConstraint("state <> 'sending' OR (lease_until IS NOT NULL AND attempt_id IS NOT NULL)", name="leased"),
        CheckConstraint("(planned_at IS NULL) = (decided_at IS NULL)", name="planned_by_a_person"),
        CheckConstraint("(reported IS NULL) = (reported_at IS NULL)", name="reported_has_a_time"),
        Index(
            "ix_outbox_due",
            "due_at",
            sqlite_where=LEAVING,
            postgresql_where=LEAVING,
        ),
        Index("ix_outbox_unasked", "patient_id", "due_at", sqlite_where=UNASKED, postgresql_where=UNASKED),
        Index("ix_outbox_undelivered", "id", sqlite_where=UNDELIVERED, postgresql_where=UNDELIVERED),
        Index("ix_outbox_unreported", "gateway", "settled_at", sqlite_where=UNREPORTED, postgresql_where=UNREPORTED),
        # One provider's message is never two of ours: a second row that claims it is refused.
        Index(
            "uq_outbox_provided",
            "gateway",
            "provider_id",
            unique=True,
            sqlite_where=PROVIDED,
            postgresql_where=PROVIDED,
        ),
    )


Index(
    "ix_message_template_version_id",
    Message.template_version_id,
    Message.at,
    sqlite_where=FROM_TEMPLATE,
    postgresql_where=FROM_TEMPLATE,
)
