"""What the sender of a portal or web form chose, so that a rehearsal can ask after it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_routing"
down_revision = "2026_11_25_library"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the sealed choice."""
    op.add_column("message", sa.Column("choice_sealed", sa.LargeBinary(), nullable=True))
