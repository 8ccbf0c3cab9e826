"""Durable timers, and the pollers that are alive."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import one_of

revision = "2026_11_26_timers"
down_revision = "2026_11_25_step_message"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what must happen later, and who does it."""
    _timer()
    op.create_table(
        "poller",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("host", sa.String(length=80), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("inside_console", sa.Boolean(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.Column("stopped_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poller")),
    )
    op.create_index(op.f("ix_poller_seen_at"), "poller", ["seen_at"])


def _timer() -> None:
    op.create_table(
        "timer",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("run_at", Utc(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("dedup_key", sa.String(length=120), nullable=False),
        sa.Column("failure", sa.String(length=80), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("settled_at", Utc(), nullable=True),
        sa.CheckConstraint(one_of("state", "waiting", "done", "cancelled", "dead"), name=op.f("ck_timer_state")),
        sa.CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name=op.f("ck_timer_settled_has_a_time")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timer")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_timer_dedup_key")),
    )
    waiting, dead = sa.text("state = 'waiting'"), sa.text("state = 'dead'")
    op.create_index("ix_timer_due", "timer", ["run_at", "id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("ix_timer_subject", "timer", ["kind", "subject_id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("ix_timer_dead", "timer", ["settled_at"], sqlite_where=dead, postgresql_where=dead)
