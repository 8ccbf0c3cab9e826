"""Saved views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc

revision = "2026_11_25_views"
down_revision = "2026_11_25_tasks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of saved views, and the way to one person's newest undos."""
    op.create_table(
        "saved_view",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("saved_at", Utc(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("filter_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_saved_view_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index(op.f("ix_saved_view_owner_id"), "saved_view", ["owner_id"])
    shared = sa.text("shared")
    op.create_index("ix_saved_view_shared", "saved_view", ["position"], sqlite_where=shared, postgresql_where=shared)
    op.create_index(op.f("ix_undo_staff_id_at"), "undo", ["staff_id", "at"])
    op.create_index(op.f("ix_undo_batch_id"), "undo", ["batch_id"])
    op.drop_index(op.f("ix_undo_staff_id"), "undo")
