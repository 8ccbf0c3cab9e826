"""A chat's session, or a name in a social network, has its messages in one thread."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_handles"
down_revision = "2026_11_26_undelivered"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what such a sender's messages are found by."""
    op.add_column("message", sa.Column("handle_token", sa.BigInteger(), nullable=True))
    handled = sa.text("handle_token IS NOT NULL")
    op.create_index("ix_message_handle", "message", ["handle_token"], sqlite_where=handled, postgresql_where=handled)
