"""Tasks, and what a complaint's end must say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import one_of

revision = "2026_11_25_tasks"
down_revision = "2026_11_25_channels"
branch_labels = None
depends_on = None

_KINDS = (
    "delivery_failed", "call_back", "may_want_to_cancel", "follow_up", "find_number", "hand_over", "review", "other",
)  # fmt: skip
_ROLES = ("agent", "nurse", "physician", "coordinator", "supervisor", "approver", "privacy", "admin")


def upgrade() -> None:
    """Add what this feature keeps."""
    _task()
    _complaint()


def _complaint() -> None:
    op.create_table(
        "complaint",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("step_id", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("came_at", Utc(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("grievance", sa.Boolean(), nullable=False),
        sa.Column("reply_id", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("void_at", Utc(), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "grievance = (reply_id IS NOT NULL)", name=op.f("ck_complaint_grievance_is_answered_in_writing")
        ),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_complaint_conversation_id")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_complaint_step_id")),
        sa.ForeignKeyConstraint(["reply_id"], ["message.id"], name=op.f("fk_complaint_reply_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
    )
    stands = sa.text("void_at IS NULL")
    op.create_index(op.f("ix_complaint_conversation_id"), "complaint", ["conversation_id"])
    op.create_index(op.f("ix_complaint_reply_id"), "complaint", ["reply_id"])
    op.create_index(
        "uq_complaint_conversation_id", "complaint", ["conversation_id"], unique=True,
        sqlite_where=stands, postgresql_where=stands,
    )  # fmt: skip


def _task() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=True),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.String(length=32), nullable=True),
        sa.Column("lane", sa.String(length=40), nullable=True),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("required", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("dedup_key", sa.String(length=120), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("title_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("details_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("filled_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("outcome_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(one_of("kind", *_KINDS), name=op.f("ck_task_kind")),
        sa.CheckConstraint(one_of("state", "open", "done", "cancelled"), name=op.f("ck_task_state")),
        sa.CheckConstraint(one_of("role", *_ROLES), name=op.f("ck_task_role")),
        sa.CheckConstraint(
            "state <> 'open' OR owner_id IS NOT NULL OR role IS NOT NULL OR lane IS NOT NULL",
            name=op.f("ck_task_open_is_someones"),
        ),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name=op.f("ck_task_ended_has_a_time")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_task_ended_by_someone")),
        sa.CheckConstraint(
            "state <> 'cancelled' OR outcome_sealed IS NOT NULL", name=op.f("ck_task_cancelled_says_why")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_task_patient_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_task_conversation_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_task_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_task_dedup_key")),
    )
    still_open = sa.text("state = 'open'")
    op.create_index(op.f("ix_task_patient_id"), "task", ["patient_id"])
    op.create_index(op.f("ix_task_conversation_id"), "task", ["conversation_id"])
    op.create_index(
        "ix_task_open", "task", ["due_at", "id"], sqlite_where=still_open, postgresql_where=still_open
    )  # fmt: skip
    op.create_index(
        "ix_task_open_owner", "task", ["owner_id", "due_at"], sqlite_where=still_open, postgresql_where=still_open
    )
