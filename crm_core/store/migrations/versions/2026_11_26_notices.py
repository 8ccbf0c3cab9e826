"""Notices planned for later, what they asked, and the call list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import change_check, one_of

revision = "2026_11_26_notices"
down_revision = "2026_11_26_reports"
branch_labels = None
depends_on = None

_TASK_KINDS = (
    "delivery_failed", "call_back", "may_want_to_cancel", "follow_up", "find_number", "hand_over", "review",
)  # fmt: skip
_PURPOSES = ("answer", "care", "reminder", "notice", "outreach")
_CHANNELS = ("sms", "email", "whatsapp", "voice", "portal", "webform", "chat", "social")


def upgrade() -> None:
    """Add what this feature keeps."""
    change_check(
        "task",
        "kind",
        before=one_of("kind", *_TASK_KINDS, "other"),
        after=one_of("kind", *_TASK_KINDS, "call", "other"),
    )
    _notice()
    _prompt()
    _calls()


def _notice() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("occasion", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("dedup_key", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("template_key", sa.String(length=48), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("send_by", Utc(), nullable=True),
        sa.Column("asks", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=60), nullable=True),
        sa.Column("about_at", Utc(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("because", sa.String(length=120), nullable=True),
        sa.Column("next_at", Utc(), nullable=True),
        sa.Column("planned_by", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", Utc(), nullable=False),
        sa.Column("settled_at", Utc(), nullable=True),
        sa.Column("fields_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(one_of("purpose", *_PURPOSES), name=op.f("ck_notice_purpose")),
        sa.CheckConstraint(one_of("asks", "nothing", "confirmation"), name=op.f("ck_notice_asks")),
        sa.CheckConstraint(
            one_of("state", "planned", "handed_over", "calling", "expired", "refused", "cancelled"),
            name=op.f("ck_notice_state"),
        ),
        sa.CheckConstraint(one_of("channel", *_CHANNELS), name=op.f("ck_notice_channel")),
        sa.CheckConstraint("(state = 'planned') = (settled_at IS NULL)", name=op.f("ck_notice_settled_has_a_time")),
        sa.CheckConstraint(
            "state <> 'handed_over' OR message_id IS NOT NULL", name=op.f("ck_notice_handed_over_as_a_message")
        ),
        sa.CheckConstraint("state <> 'calling' OR task_id IS NOT NULL", name=op.f("ck_notice_calling_has_a_task")),
        sa.CheckConstraint("asks = 'nothing' OR about IS NOT NULL", name=op.f("ck_notice_asks_about_something")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_notice_patient_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_notice_message_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_notice_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    stands, planned = sa.text("state <> 'cancelled'"), sa.text("state = 'planned'")
    for column in ("patient_id", "occasion", "message_id"):
        op.create_index(op.f(f"ix_notice_{column}"), "notice", [column])
    op.create_index(
        "uq_notice_occasion", "notice", ["dedup_key"], unique=True, sqlite_where=stands, postgresql_where=stands
    )
    op.create_index("ix_notice_planned", "notice", ["due_at", "id"], sqlite_where=planned, postgresql_where=planned)


def _prompt() -> None:
    op.create_table(
        "prompt",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("asked_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("options", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("meant", sa.String(length=32), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", Utc(), nullable=True),
        sa.CheckConstraint(one_of("kind", "confirmation", "which"), name=op.f("ck_prompt_kind")),
        sa.CheckConstraint(
            one_of("state", "pending", "confirmed", "declined", "answered", "superseded", "expired", "withdrawn"),
            name=op.f("ck_prompt_state"),
        ),
        sa.CheckConstraint(one_of("meant", "confirm", "decline"), name=op.f("ck_prompt_meant")),
        sa.CheckConstraint("(state = 'pending') = (settled_at IS NULL)", name=op.f("ck_prompt_settled_has_a_time")),
        sa.CheckConstraint("(kind = 'which') = (patient_id IS NULL)", name=op.f("ck_prompt_one_patients_or_which")),
        sa.CheckConstraint("(kind = 'which') = (meant IS NOT NULL)", name=op.f("ck_prompt_which_knows_what_was_meant")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_prompt_message_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_prompt_patient_id")),
        sa.ForeignKeyConstraint(["contact_point_id"], ["contact_point.id"], name=op.f("fk_prompt_contact_point_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt")),
    )
    pending = sa.text("state = 'pending'")
    for column in ("patient_id", "message_id"):
        op.create_index(op.f(f"ix_prompt_{column}"), "prompt", [column])
    op.create_index(
        "ix_prompt_pending", "prompt", ["contact_point_id", "id"], sqlite_where=pending, postgresql_where=pending
    )
    op.create_table(
        "prompt_subject",
        sa.Column("prompt_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("at", Utc(), nullable=True),
        sa.Column("notice_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompt.id"], name=op.f("fk_prompt_subject_prompt_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_prompt_subject_notice_id")),
        sa.PrimaryKeyConstraint("prompt_id", "position", name=op.f("pk_prompt_subject")),
    )
    for column in ("code", "notice_id"):
        op.create_index(op.f(f"ix_prompt_subject_{column}"), "prompt_subject", [column])


def _calls() -> None:
    op.create_table(
        "call_item",
        sa.Column("task_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("settled_at", Utc(), nullable=True),
        sa.CheckConstraint(one_of("purpose", *_PURPOSES), name=op.f("ck_call_item_purpose")),
        sa.CheckConstraint(
            one_of("state", "waiting", "reached", "given_up", "cancelled"), name=op.f("ck_call_item_state")
        ),
        sa.CheckConstraint("attempts <= max_attempts", name=op.f("ck_call_item_no_more_than_the_most")),
        sa.CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name=op.f("ck_call_item_settled_has_a_time")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_call_item_task_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_call_item_patient_id")),
        sa.ForeignKeyConstraint(["contact_point_id"], ["contact_point.id"], name=op.f("fk_call_item_contact_point_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_call_item_notice_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_call_item")),
    )
    to_call = sa.text("state = 'waiting'")
    for column in ("patient_id", "contact_point_id", "notice_id"):
        op.create_index(op.f(f"ix_call_item_{column}"), "call_item", [column])
    op.create_index("ix_call_item_waiting", "call_item", ["task_id"], sqlite_where=to_call, postgresql_where=to_call)
    op.create_table(
        "call_try",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_call_try_message_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_call_try_task_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_call_try_patient_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_call_try")),
    )
    for column in ("task_id", "patient_id"):
        op.create_index(op.f(f"ix_call_try_{column}"), "call_try", [column])
