"""Tasks, and what a complaint's end must say."""

from __future__ import annotations

revision = "2026_11_25_tasks"
down_revision = "2026_11_25_channels"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
