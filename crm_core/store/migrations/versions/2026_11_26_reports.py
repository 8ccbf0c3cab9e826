"""What providers say became of a message after they took it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import add_check, one_of

revision = "2026_11_26_reports"
down_revision = "2026_11_26_consent"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what was reported of a message, and up to when a provider's inbound list was read."""
    for name in ("ask_at", "reported_at"):
        op.add_column("outbox", sa.Column(name, Utc(), nullable=True))
    op.add_column("outbox", sa.Column("reported", sa.String(length=32), nullable=True))
    op.add_column("outbox", sa.Column("report_code", sa.String(length=40), nullable=True))
    add_check("outbox", "reported", one_of("reported", "delivered", "failed"))
    add_check("outbox", "reported_has_a_time", "(reported IS NULL) = (reported_at IS NULL)")
    unreported = sa.text("state = 'sent' AND reported IS NULL")
    op.create_index(
        "ix_outbox_unreported", "outbox", ["gateway", "settled_at"],
        sqlite_where=unreported, postgresql_where=unreported,
    )  # fmt: skip
    provided = sa.text("provider_id IS NOT NULL")
    op.create_index(
        "uq_outbox_provided", "outbox", ["gateway", "provider_id"], unique=True,
        sqlite_where=provided, postgresql_where=provided,
    )  # fmt: skip
    op.create_table(
        "inbound_mark",
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("read_until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_inbound_mark")),
    )
