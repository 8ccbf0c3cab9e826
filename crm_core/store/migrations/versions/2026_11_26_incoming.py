"""What a receiver or a provider brought, before it is handled; and numbers that ring."""

from __future__ import annotations

revision = "2026_11_26_incoming"
down_revision = "2026_11_26_timers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
