"""Saved views."""

from __future__ import annotations

revision = "2026_11_25_views"
down_revision = "2026_11_25_tasks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
