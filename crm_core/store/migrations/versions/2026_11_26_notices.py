"""Notices planned for later, what they asked, and the call list."""

from __future__ import annotations

revision = "2026_11_26_notices"
down_revision = "2026_11_26_reports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
