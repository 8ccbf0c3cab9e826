"""Attachments, letters' threads, reasons of calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import one_of

revision = "2026_11_25_channels"
down_revision = "2026_11_25_threads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add attachments and letters, what a call was about and when the next one is, and the measures' indexes."""
    op.add_column("message", sa.Column("call_reason", sa.String(length=40), nullable=True))
    op.add_column("message", sa.Column("next_call_at", Utc(), nullable=True))
    _attachment()
    op.create_table(
        "letter",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("letter_id_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("references_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_letter_message_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_letter")),
    )
    op.create_index(op.f("ix_letter_token"), "letter", ["token"])
    op.create_index(op.f("ix_conversation_opened_at"), "conversation", ["opened_at"])
    closed = sa.text("state = 'closed'")
    op.create_index(
        "ix_conversation_closed", "conversation", ["closed_at"], sqlite_where=closed, postgresql_where=closed
    )


def _attachment() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("withheld", sa.String(length=32), nullable=True),
        sa.Column("content_token", sa.BigInteger(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            one_of("withheld", "too_large", "too_many", "not_delivered"), name=op.f("ck_attachment_withheld")
        ),
        sa.CheckConstraint(
            "(content_sealed IS NULL) = (withheld IS NOT NULL)", name=op.f("ck_attachment_kept_or_withheld")
        ),
        sa.CheckConstraint(
            "(content_sealed IS NULL) = (content_token IS NULL)", name=op.f("ck_attachment_kept_has_a_token")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_attachment_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("message_id", "position", name=op.f("uq_attachment_message_id_position")),
    )
