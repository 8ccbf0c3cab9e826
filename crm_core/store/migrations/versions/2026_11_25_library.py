"""Templates written in the console, macros, use counts."""

from __future__ import annotations

revision = "2026_11_25_library"
down_revision = "2026_11_25_views"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
