"""What a receiver or a provider brought, before it is handled; and numbers that ring."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import one_of

revision = "2026_11_26_incoming"
down_revision = "2026_11_26_timers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what was brought, and calls that ring."""
    _incoming()
    _ring()


def _incoming() -> None:
    op.create_table(
        "incoming",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=True),
        sa.Column("content_print", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("handled_at", Utc(), nullable=True),
        sa.Column("payload_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(one_of("kind", "message", "report", "ring"), name=op.f("ck_incoming_kind")),
        sa.CheckConstraint(
            "(handled_at IS NULL) = (payload_sealed IS NOT NULL)", name=op.f("ck_incoming_kept_until_handled")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming")),
        sa.UniqueConstraint("token", name=op.f("uq_incoming_token")),
    )
    waiting = sa.text("handled_at IS NULL")
    op.create_index("ix_incoming_waiting", "incoming", ["received_at"], sqlite_where=waiting, postgresql_where=waiting)


def _ring() -> None:
    op.create_table(
        "ring",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("call_token", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.Column("rang_at", Utc(), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(one_of("state", "ringing", "answered", "ended"), name=op.f("ck_ring_state")),
        sa.ForeignKeyConstraint(["contact_point_id"], ["contact_point.id"], name=op.f("fk_ring_contact_point_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ring")),
        sa.UniqueConstraint("call_token", name=op.f("uq_ring_call_token")),
    )
    rings, numbered = sa.text("state = 'ringing'"), sa.text("number_sealed IS NOT NULL")
    op.create_index("ix_ring_ringing", "ring", ["rang_at"], sqlite_where=rings, postgresql_where=rings)
    op.create_index("ix_ring_numbered", "ring", ["rang_at"], sqlite_where=numbered, postgresql_where=numbered)
