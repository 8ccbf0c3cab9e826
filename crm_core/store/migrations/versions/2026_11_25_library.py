"""Templates written in the console, macros, remarks, use counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.migrations.rules import add_check, one_of

revision = "2026_11_25_library"
down_revision = "2026_11_25_views"
branch_labels = None
depends_on = None

_TABLE = "template_version"
_NEW = (
    ("then_close", sa.String(length=40)),
    ("then_snooze", sa.String(length=8)),
    ("then_task", sa.String(length=120)),
    ("then_task_due", sa.String(length=8)),
    ("remark", sa.Text()),
    ("remark_by", sa.BigInteger()),
)


def upgrade() -> None:
    """Add what this feature keeps: every version so far came from a file."""
    origin = sa.Column("origin", sa.String(length=32), server_default=sa.text("'file'"), nullable=False)
    op.add_column(_TABLE, origin)
    for name, kind in _NEW:
        op.add_column(_TABLE, sa.Column(name, kind, nullable=True))
    add_check(_TABLE, "origin", one_of("origin", "file", "written"))
    add_check(_TABLE, "closes_or_snoozes", "then_close IS NULL OR then_snooze IS NULL")
    add_check(_TABLE, "task_has_a_date", "(then_task IS NULL) = (then_task_due IS NULL)")
    add_check(_TABLE, "remark_is_signed", "(remark IS NULL) = (remark_by IS NULL)")
    used = sa.text("template_version_id IS NOT NULL")
    op.create_index(
        "ix_message_template_version_id", "message", ["template_version_id", "at"],
        sqlite_where=used, postgresql_where=used,
    )  # fmt: skip
