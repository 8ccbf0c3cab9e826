"""Capacity, absence, hand-overs, presence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import add_check

revision = "2026_11_25_ownership"
down_revision = "2026_11_25_clocks"
branch_labels = None
depends_on = None

_ENDS_ONCE = (
    "(accepted_at IS NULL AND declined_at IS NULL) OR (accepted_at IS NULL AND withdrawn_at IS NULL)"
    " OR (declined_at IS NULL AND withdrawn_at IS NULL)"
)


def upgrade() -> None:
    """Add what this feature keeps."""
    op.add_column("staff", sa.Column("capacity", sa.Integer(), nullable=True))
    add_check("staff", "capacity_counted", "capacity >= 0")
    op.create_table(
        "staff_absence",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.Column("substitute_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_staff_absence_ends_after_it_starts")),
        sa.CheckConstraint("substitute_id <> staff_id", name=op.f("ck_staff_absence_substitute_is_another")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_absence_staff_id")),
        sa.ForeignKeyConstraint(["substitute_id"], ["staff.id"], name=op.f("fk_staff_absence_substitute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_absence")),
    )
    op.create_index(op.f("ix_staff_absence_ends_at"), "staff_absence", ["ends_at"])
    still_open = sa.text("state <> 'closed'")
    op.create_index(
        "ix_conversation_owner_open", "conversation", ["owner_id"], sqlite_where=still_open, postgresql_where=still_open
    )
    raised = sa.text("escalated_by IS NOT NULL AND accepted_at IS NULL AND state <> 'closed'")
    op.create_index(
        "ix_conversation_raised", "conversation", ["escalated_by"], sqlite_where=raised, postgresql_where=raised
    )
    _handover()
    op.create_table(
        "presence",
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.Column("writing", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_presence_conversation_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_presence_staff_id")),
        sa.PrimaryKeyConstraint("conversation_id", "staff_id", name=op.f("pk_presence")),
    )


def _handover() -> None:
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("from_id", sa.BigInteger(), nullable=False),
        sa.Column("to_id", sa.BigInteger(), nullable=False),
        sa.Column("offered_at", Utc(), nullable=False),
        sa.Column("accepted_at", Utc(), nullable=True),
        sa.Column("declined_at", Utc(), nullable=True),
        sa.Column("withdrawn_at", Utc(), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("from_id <> to_id", name=op.f("ck_handover_to_another")),
        sa.CheckConstraint(_ENDS_ONCE, name=op.f("ck_handover_ends_once")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_handover_conversation_id")),
        sa.ForeignKeyConstraint(["from_id"], ["staff.id"], name=op.f("fk_handover_from_id")),
        sa.ForeignKeyConstraint(["to_id"], ["staff.id"], name=op.f("fk_handover_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    on_offer = sa.text("accepted_at IS NULL AND declined_at IS NULL AND withdrawn_at IS NULL")
    op.create_index(
        "uq_handover_conversation_id_on_offer", "handover", ["conversation_id"], unique=True,
        sqlite_where=on_offer, postgresql_where=on_offer,
    )  # fmt: skip
    op.create_index(
        "ix_handover_to_id_on_offer", "handover", ["to_id"], sqlite_where=on_offer, postgresql_where=on_offer
    )
