"""The consent ledger, proxies, preferences and requests for confidential communication."""

from __future__ import annotations

revision = "2026_11_26_consent"
down_revision = "2026_11_26_gate"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this feature keeps."""
