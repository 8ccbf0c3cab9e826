"""Templates, vendors, conversations with their history, notes and drafts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc

revision = "2026_11_23_conversations"
down_revision = "2026_11_23_people_and_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, each after those it points to."""
    _template()
    _vendor()
    _conversation()
    _template_version()
    _draft()
    _note()
    _step()


def _template() -> None:
    op.create_table(
        "template",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=48), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
        sa.UniqueConstraint("key", name=op.f("uq_template_key")),
    )


def _vendor() -> None:
    op.create_table(
        "vendor",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("baa_from", sa.Date(), nullable=False),
        sa.Column("baa_until", sa.Date(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.CheckConstraint("baa_until >= baa_from", name=op.f("ck_vendor_baa_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor")),
        sa.UniqueConstraint("name", "gateway", "baa_from", name=op.f("uq_vendor_name_gateway_baa_from")),
    )


def _conversation() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.Column("follows_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "channel",
            sa.Enum(
                "sms",
                "email",
                "whatsapp",
                "voice",
                "portal",
                "webform",
                "chat",
                "social",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column(
            "priority",
            sa.Enum(
                "stat",
                "asap",
                "urgent",
                "routine",
                name="priority",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", Utc(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "new",
                "open",
                "waiting_patient",
                "waiting_other",
                "snoozed",
                "closed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("danger", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unscreened", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("waiting_since", Utc(), nullable=False),
        sa.Column("due_at", Utc(), nullable=True),
        sa.Column("due_order", Utc(), nullable=False),
        sa.Column("late_at", Utc(), nullable=True),
        sa.Column("first_response_at", Utc(), nullable=True),
        sa.Column("last_message_at", Utc(), nullable=False),
        sa.Column("snoozed_until", Utc(), nullable=True),
        sa.Column("follow_up_at", Utc(), nullable=True),
        sa.Column("escalated_by", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("closed_at", Utc(), nullable=True),
        sa.Column("playbook_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("trace_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("next_action_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(state = 'closed') = (outcome IS NOT NULL AND closed_at IS NOT NULL)",
            name=op.f("ck_conversation_closed_has_outcome"),
        ),
        sa.CheckConstraint("NOT danger OR state IN ('new', 'open')", name=op.f("ck_conversation_danger_is_open")),
        sa.CheckConstraint("state <> 'snoozed' OR snoozed_until IS NOT NULL", name=op.f("ck_conversation_snooze_ends")),
        sa.CheckConstraint(
            "state = 'closed' OR next_action_sealed IS NOT NULL", name=op.f("ck_conversation_open_has_next_action")
        ),
        sa.CheckConstraint("urgency BETWEEN 0 AND 4", name=op.f("ck_conversation_urgency")),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_point.id"], name=op.f("fk_conversation_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["escalated_by"], ["staff.id"], name=op.f("fk_conversation_escalated_by")),
        sa.ForeignKeyConstraint(["follows_id"], ["conversation.id"], name=op.f("fk_conversation_follows_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_conversation_owner_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_conversation_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
    )
    op.create_index(op.f("ix_conversation_contact_point_id"), "conversation", ["contact_point_id"], unique=False)
    op.create_index(
        "ix_conversation_lane_open",
        "conversation",
        ["lane", "urgency", "due_order", "waiting_since", "id", "owner_id"],
        unique=False,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index(
        "ix_conversation_late",
        "conversation",
        ["late_at"],
        unique=False,
        sqlite_where=sa.text("late_at IS NOT NULL AND urgency > 1 AND state IN ('new', 'open')"),
        postgresql_where=sa.text("late_at IS NOT NULL AND urgency > 1 AND state IN ('new', 'open')"),
    )
    op.create_index(op.f("ix_conversation_patient_id"), "conversation", ["patient_id"], unique=False)
    op.create_index(
        "ix_conversation_snoozed",
        "conversation",
        ["snoozed_until"],
        unique=False,
        sqlite_where=sa.text("state = 'snoozed'"),
        postgresql_where=sa.text("state = 'snoozed'"),
    )
    op.create_index(
        "ix_conversation_takeable",
        "conversation",
        ["urgency", "due_order", "waiting_since", "id"],
        unique=False,
        sqlite_where=sa.text("taken_at IS NULL AND state IN ('new', 'open')"),
        postgresql_where=sa.text("taken_at IS NULL AND state IN ('new', 'open')"),
    )
    op.create_index(
        "ix_conversation_takeable_lane",
        "conversation",
        ["lane", "urgency", "due_order", "waiting_since", "id"],
        unique=False,
        sqlite_where=sa.text("taken_at IS NULL AND state IN ('new', 'open')"),
        postgresql_where=sa.text("taken_at IS NULL AND state IN ('new', 'open')"),
    )
    op.create_index(
        "ix_conversation_waiting",
        "conversation",
        ["follow_up_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting_patient', 'waiting_other')"),
        postgresql_where=sa.text("state IN ('waiting_patient', 'waiting_other')"),
    )


def _template_version() -> None:
    op.create_table(
        "template_version",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "in_review",
                "approved",
                "retired",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("purpose", sa.String(length=120), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("needs_personal", sa.Boolean(create_constraint=True, name="needs_personal"), nullable=False),
        sa.Column("review_months", sa.Integer(), nullable=True),
        sa.Column("review_due", sa.Date(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", Utc(), nullable=True),
        sa.Column(
            "retired_because",
            sa.Enum(
                "superseded",
                "withdrawn",
                "dropped",
                name="retired_because",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(state = 'retired') = (retired_because IS NOT NULL)", name=op.f("ck_template_version_retired_has_reason")
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR (approved_by IS NOT NULL AND approved_at IS NOT NULL AND review_due IS NOT NULL)",
            name=op.f("ck_template_version_approved_is_signed"),
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_template_version_number_positive")),
        sa.CheckConstraint(
            "review_months IS NOT NULL OR review_due IS NOT NULL", name=op.f("ck_template_version_review_given")
        ),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_template_version_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_version")),
        sa.UniqueConstraint(
            "template_id", "number", "language", name=op.f("uq_template_version_template_id_number_language")
        ),
    )
    op.create_index(
        "uq_template_version_approved",
        "template_version",
        ["template_id", "language"],
        unique=True,
        sqlite_where=sa.text("state = 'approved'"),
        postgresql_where=sa.text("state = 'approved'"),
    )


def _draft() -> None:
    op.create_table(
        "draft",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("internal", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("template_key", sa.String(length=80), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_draft_author_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_draft_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
    )
    op.create_index("uq_draft_conversation_id_author_id", "draft", ["conversation_id", "author_id"], unique=True)


def _note() -> None:
    op.create_table(
        "note",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_note_author_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_note_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(op.f("ix_note_conversation_id"), "note", ["conversation_id"], unique=False)


def _step() -> None:
    op.create_table(
        "step",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "verb",
            sa.Enum(
                "arrived",
                "received",
                "reopened",
                "alarmed",
                "acknowledged",
                "taken",
                "released",
                "assigned",
                "replied",
                "called",
                "noted",
                "linked",
                "moved",
                "escalated",
                "snoozed",
                "woken",
                "closed",
                "undone",
                name="verb",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "from_state",
            sa.Enum(
                "new",
                "open",
                "waiting_patient",
                "waiting_other",
                "snoozed",
                "closed",
                name="from_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "new",
                "open",
                "waiting_patient",
                "waiting_other",
                "snoozed",
                "closed",
                name="to_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("from_lane", sa.String(length=40), nullable=True),
        sa.Column("to_lane", sa.String(length=40), nullable=False),
        sa.Column("from_owner", sa.BigInteger(), nullable=True),
        sa.Column("to_owner", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_step_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
    )
    op.create_index(op.f("ix_step_conversation_id"), "step", ["conversation_id"], unique=False)
