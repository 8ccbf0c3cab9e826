"""What providers say became of a message after they took it."""

from __future__ import annotations

revision = "2026_11_26_reports"
down_revision = "2026_11_26_consent"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
