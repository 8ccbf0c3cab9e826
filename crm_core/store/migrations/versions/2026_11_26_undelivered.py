"""What did not go is listed without looking through all that ever went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_undelivered"
down_revision = "2026_11_26_mail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index of what is unknown or failed."""
    undelivered = sa.text("state IN ('unknown', 'failed')")
    op.create_index("ix_outbox_undelivered", "outbox", ["id"], sqlite_where=undelivered, postgresql_where=undelivered)
