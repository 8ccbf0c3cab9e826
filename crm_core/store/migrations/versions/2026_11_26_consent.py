"""The consent ledger, proxies, preferences, requests for confidential communication, and numbers that are held."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc
from crm_core.store.migrations.rules import one_of

revision = "2026_11_26_consent"
down_revision = "2026_11_26_gate"
branch_labels = None
depends_on = None

_CHANNELS = one_of("channel", "sms", "email", "whatsapp", "voice", "portal", "webform", "chat", "social")
_REFUSE = "BEGIN SELECT RAISE(ABORT, 'consent is append-only'); END"
_APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER consent_no_update BEFORE UPDATE ON consent {_REFUSE}",
        f"CREATE TRIGGER consent_no_delete BEFORE DELETE ON consent {_REFUSE}",
        f"CREATE TRIGGER consent_no_replace BEFORE INSERT ON consent WHEN EXISTS (SELECT 1 FROM consent WHERE id = NEW.id) {_REFUSE}",
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION consent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'consent is append-only' USING ERRCODE = 'restrict_violation'; END $$""",
        """CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()""",
    ],
}


def upgrade() -> None:
    """Add what patients agreed to and asked for, and who speaks for them."""
    op.add_column("patient", sa.Column("merged_at", Utc(), nullable=True))
    op.add_column("patient", sa.Column("deceased_by", sa.BigInteger(), nullable=True))
    op.add_column("contact_point", sa.Column("held_at", Utc(), nullable=True))
    held = sa.text("held_at IS NOT NULL")
    op.create_index("ix_contact_point_held", "contact_point", ["held_at"], sqlite_where=held, postgresql_where=held)
    _proxy()
    _preferences()
    _patient_merge()
    _consent()
    _confidential_request()
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)


def _proxy() -> None:
    relations = ("parent", "guardian", "spouse", "child", "carer", "attorney", "other")
    op.create_table(
        "proxy",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("may_speak", sa.Boolean(), nullable=False),
        sa.Column("may_receive", sa.Boolean(), nullable=False),
        sa.Column("from_at", Utc(), nullable=False),
        sa.Column("until_at", Utc(), nullable=True),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(one_of("relation", *relations), name=op.f("ck_proxy_relation")),
        sa.CheckConstraint("may_speak OR may_receive", name=op.f("ck_proxy_may_something")),
        sa.CheckConstraint("until_at IS NULL OR until_at > from_at", name=op.f("ck_proxy_order")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_proxy_ended_by_someone")),
        _to("proxy", "patient_id", "patient"),
        _to("proxy", "contact_point_id", "contact_point"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proxy")),
    )
    op.create_index(op.f("ix_proxy_patient_id"), "proxy", ["patient_id"])
    op.create_index(op.f("ix_proxy_contact_point_id"), "proxy", ["contact_point_id"])


def _preferences() -> None:
    op.create_table(
        "channel_preference",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(_CHANNELS, name=op.f("ck_channel_preference_channel")),
        _to("channel_preference", "patient_id", "patient"),
        sa.PrimaryKeyConstraint("patient_id", "channel", name=op.f("pk_channel_preference")),
    )
    op.create_table(
        "contact_preference",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        _to("contact_preference", "patient_id", "patient"),
        _to("contact_preference", "contact_point_id", "contact_point"),
        sa.PrimaryKeyConstraint("patient_id", "contact_point_id", name=op.f("pk_contact_preference")),
    )


def _patient_merge() -> None:
    op.create_table(
        "patient_merge",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("gone_id", sa.BigInteger(), nullable=False),
        sa.Column("kept_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("undone_at", Utc(), nullable=True),
        _to("patient_merge", "record_id", "patient"),
        _to("patient_merge", "gone_id", "patient"),
        _to("patient_merge", "kept_id", "patient"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_merge")),
    )
    op.create_index(op.f("ix_patient_merge_record_id"), "patient_merge", ["record_id"])
    op.create_index(op.f("ix_patient_merge_gone_id"), "patient_merge", ["gone_id"])


def _consent() -> None:
    abouts = ("answer", "care", "reminder", "notice", "outreach", "plain_content", "everything")
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=32), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("said_by", sa.String(length=32), nullable=False),
        sa.Column("proxy_id", sa.BigInteger(), nullable=True),
        sa.Column("how", sa.String(length=32), nullable=False),
        sa.Column("wording_version", sa.String(length=40), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(_CHANNELS, name=op.f("ck_consent_channel")),
        sa.CheckConstraint(one_of("about", *abouts), name=op.f("ck_consent_about")),
        sa.CheckConstraint(one_of("decision", "granted", "withdrawn"), name=op.f("ck_consent_decision")),
        sa.CheckConstraint(one_of("said_by", "patient", "proxy", "staff"), name=op.f("ck_consent_said_by")),
        sa.CheckConstraint(one_of("how", "in_person", "phone", "form", "text", "import"), name=op.f("ck_consent_how")),
        sa.CheckConstraint(
            "(patient_id IS NULL) <> (contact_point_id IS NULL)", name=op.f("ck_consent_a_patient_or_a_number")
        ),
        sa.CheckConstraint("(said_by = 'proxy') = (proxy_id IS NOT NULL)", name=op.f("ck_consent_which_proxy")),
        sa.CheckConstraint(
            "evidence_sealed IS NOT NULL OR message_id IS NOT NULL", name=op.f("ck_consent_has_evidence")
        ),
        sa.CheckConstraint(
            "about <> 'plain_content' OR decision = 'withdrawn' OR wording_version IS NOT NULL",
            name=op.f("ck_consent_warned_by_a_wording"),
        ),
        _to("consent", "patient_id", "patient"),
        _to("consent", "contact_point_id", "contact_point"),
        _to("consent", "proxy_id", "proxy"),
        _to("consent", "message_id", "message", deferrable=True, initially="DEFERRED"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_patient_id"), "consent", ["patient_id"])
    op.create_index(op.f("ix_consent_contact_point_id"), "consent", ["contact_point_id"])


def _confidential_request() -> None:
    table = "confidential_request"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.Column("from_at", Utc(), nullable=False),
        sa.Column("until_at", Utc(), nullable=True),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(_CHANNELS, name=op.f(f"ck_{table}_channel")),
        sa.CheckConstraint("until_at IS NULL OR until_at > from_at", name=op.f(f"ck_{table}_order")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f(f"ck_{table}_ended_by_someone")),
        _to(table, "patient_id", "patient"),
        _to(table, "contact_point_id", "contact_point"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_patient_id"), table, ["patient_id"])


def _to(table: str, column: str, other: str, **when: Any) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"), **when)
