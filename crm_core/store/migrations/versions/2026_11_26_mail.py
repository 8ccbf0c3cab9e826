"""How far each mailbox has been read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc

revision = "2026_11_26_mail"
down_revision = "2026_11_26_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mailboxes' places."""
    op.create_table(
        "mailbox",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=True),
        sa.Column("last_uid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_new_uid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("begun_at", Utc(), nullable=False),
        sa.Column("lease_token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("read_at", Utc(), nullable=True),
        sa.Column("failure", sa.String(length=80), nullable=True),
        sa.Column("failing_since", Utc(), nullable=True),
        sa.CheckConstraint("(failure IS NULL) = (failing_since IS NULL)", name=op.f("ck_mailbox_failing_since_a_time")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mailbox")),
    )
