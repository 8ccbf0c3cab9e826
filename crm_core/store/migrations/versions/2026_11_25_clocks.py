"""Clocks rebuilt from history: whose turn it was, what was undone, what was warned of and breached."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import add_check, add_reference, change_check, one_of

revision = "2026_11_25_clocks"
down_revision = "2026_11_23_messages"
branch_labels = None
depends_on = None

_VERBS = (
    "arrived", "received", "reopened", "alarmed", "acknowledged", "taken", "released", "assigned", "replied", "called",
    "noted", "linked", "moved", "escalated", "snoozed", "woken", "closed", "undone",
)  # fmt: skip
_NEW_VERBS = ("merged", "split", "relinked", "offered", "accepted", "scheduled", "reclassified")


def upgrade() -> None:
    """Add the columns, widen the words, tell from the old steps whose turn it was."""
    for table in ("step", "undo"):
        change_check(table, "verb", one_of("verb", *_VERBS), one_of("verb", *_VERBS, *_NEW_VERBS))
    _conversation()
    _step()
    op.add_column("undo", sa.Column("step_id", sa.BigInteger(), nullable=True))
    op.add_column("undo", sa.Column("batch_id", sa.BigInteger(), nullable=True))
    op.add_column("undo", sa.Column("also", sa.Text(), nullable=True))
    op.create_table(
        "clock_mark",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.String(length=32), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("marked_at", Utc(), nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            one_of("clock", "first_response", "next_response", "resolution"), name=op.f("ck_clock_mark_clock")
        ),
        sa.CheckConstraint(one_of("mark", "warned", "breached"), name=op.f("ck_clock_mark_mark")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_clock_mark_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_mark")),
        sa.UniqueConstraint(
            "conversation_id", "clock", "since", "mark", name=op.f("uq_clock_mark_conversation_id_clock_since_mark")
        ),
    )
    op.create_index(op.f("ix_clock_mark_marked_at"), "clock_mark", ["marked_at"])


def _conversation() -> None:
    op.add_column("conversation", sa.Column("due_clock", sa.String(length=32), nullable=True))
    op.add_column("conversation", sa.Column("mark_at", Utc(), nullable=True))
    op.add_column("conversation", sa.Column("accepted_at", Utc(), nullable=True))
    op.add_column(
        "conversation", sa.Column("snooze_holds", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    add_reference("conversation", "merged_into_id", "conversation")
    op.execute("UPDATE conversation SET due_clock = 'first_response' WHERE due_at IS NOT NULL")
    # Every open conversation is counted anew at the first look: nothing that is open may be without a date.
    op.execute("UPDATE conversation SET mark_at = last_message_at WHERE state <> 'closed'")
    op.execute(
        "UPDATE conversation SET follow_up_at = last_message_at"
        " WHERE follow_up_at IS NULL AND (state LIKE 'waiting%' OR (state IN ('new', 'open') AND due_at IS NULL))"
    )
    add_check("conversation", "due_clock", one_of("due_clock", "first_response", "next_response", "resolution"))
    add_check(
        "conversation", "open_has_a_date",
        "state = 'closed' OR due_at IS NOT NULL OR follow_up_at IS NOT NULL OR snoozed_until IS NOT NULL",
    )  # fmt: skip
    add_check("conversation", "not_merged_into_itself", "merged_into_id <> id")
    unmarked = sa.text("mark_at IS NOT NULL AND state <> 'closed'")
    op.create_index(
        "ix_conversation_unmarked", "conversation", ["mark_at"], sqlite_where=unmarked, postgresql_where=unmarked
    )
    merged = sa.text("merged_into_id IS NOT NULL")
    op.create_index(
        "ix_conversation_merged", "conversation", ["merged_into_id"], sqlite_where=merged, postgresql_where=merged
    )


def _step() -> None:
    op.add_column("step", sa.Column("turn", sa.String(length=32), nullable=True))
    op.add_column("step", sa.Column("turn_at", Utc(), nullable=True))
    add_reference("step", "undoes_id", "step")
    op.execute(
        "UPDATE step SET turn = 'asked', turn_at = at WHERE verb IN ('received', 'reopened', 'alarmed') AND reason IS NULL"
    )
    op.execute(
        "UPDATE step SET turn = 'answered', turn_at = at"
        " WHERE verb = 'replied' OR (verb = 'called' AND to_state = 'waiting_patient')"
    )
    add_check("step", "turn", one_of("turn", "asked", "answered"))
    add_check("step", "turn_has_a_time", "(turn IS NULL) = (turn_at IS NULL)")
    assigned = sa.text("verb = 'assigned'")
    op.create_index("ix_step_assigned", "step", ["to_owner", "at"], sqlite_where=assigned, postgresql_where=assigned)
