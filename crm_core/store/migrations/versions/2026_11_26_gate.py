"""What the contact gate asks of the store."""

from __future__ import annotations

revision = "2026_11_26_gate"
down_revision = "2026_11_26_incoming"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
