"""Capacity, absence, hand-overs, presence."""

from __future__ import annotations

revision = "2026_11_25_ownership"
down_revision = "2026_11_25_clocks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
