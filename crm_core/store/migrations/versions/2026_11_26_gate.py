"""What the contact gate asks of the store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import change_check, one_of

revision = "2026_11_26_gate"
down_revision = "2026_11_26_incoming"
branch_labels = None
depends_on = None

_STATES = ("queued", "sending", "sent", "failed", "unknown", "suppressed", "taken_back")
_PURPOSES = ("answer", "care", "reminder", "notice")


def upgrade() -> None:
    """Let messages expire and be held, and say of each whether a person wrote it, and until when it may go."""
    change_check("outbox", "state", one_of("state", *_STATES), one_of("state", *_STATES, "held", "expired"))
    change_check("outbox", "purpose", one_of("purpose", *_PURPOSES), one_of("purpose", *_PURPOSES, "outreach"))
    for column in ("automatic", "answers"):
        op.add_column("outbox", sa.Column(column, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("outbox", sa.Column("send_by", Utc(), nullable=True))
    op.add_column("outbox", sa.Column("begun_at", Utc(), nullable=True))
    op.execute(
        "UPDATE outbox SET automatic = true, answers = (dedup_key LIKE 'keyword-%') "
        "WHERE EXISTS (SELECT 1 FROM message WHERE message.id = outbox.message_id AND message.kind = 'automatic')"
    )
    unasked = sa.text("automatic AND NOT answers")
    op.create_index(
        "ix_outbox_unasked", "outbox", ["patient_id", "due_at"], sqlite_where=unasked, postgresql_where=unasked
    )
