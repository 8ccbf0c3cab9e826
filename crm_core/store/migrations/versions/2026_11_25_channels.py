"""Attachments, letters' threads, reasons of calls."""

from __future__ import annotations

revision = "2026_11_25_channels"
down_revision = "2026_11_25_threads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
