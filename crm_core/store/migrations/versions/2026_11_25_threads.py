"""Merging, splitting, moving to another patient."""

from __future__ import annotations

revision = "2026_11_25_threads"
down_revision = "2026_11_25_ownership"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
