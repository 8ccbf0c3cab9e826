"""Which message a step was made by, so that it goes along where that message is split off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_step_message"
down_revision = "2026_11_25_routing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the message, unknown for what was written before; no reference, for a step is written before its message."""
    op.add_column("step", sa.Column("message_id", sa.BigInteger(), nullable=True))
