"""Merging, splitting, moving to another patient, sending later: what is compared, and for whom it was written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import add_check, add_reference

revision = "2026_11_25_threads"
down_revision = "2026_11_25_ownership"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a draft that is there was written for the patient of its conversation."""
    op.add_column("message", sa.Column("text_token", sa.BigInteger(), nullable=True))
    said = sa.text("text_token IS NOT NULL")
    op.create_index("ix_message_text", "message", ["text_token"], sqlite_where=said, postgresql_where=said)
    op.add_column("outbox", sa.Column("planned_at", Utc(), nullable=True))
    op.add_column("outbox", sa.Column("decided_at", Utc(), nullable=True))
    add_check("outbox", "planned_by_a_person", "(planned_at IS NULL) = (decided_at IS NULL)")
    add_reference("draft", "patient_id", "patient")
    op.execute(
        "UPDATE draft SET patient_id ="
        " (SELECT patient_id FROM conversation WHERE conversation.id = draft.conversation_id)"
    )
