"""Keys, ids, the audit chains, staff, the playbook, patients and imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.store.base import Utc

revision = "2026_11_23_people_and_audit"
down_revision = None
branch_labels = None
depends_on = None

_SEARCH_INDEX = {
    "sqlite": [
        """CREATE VIRTUAL TABLE IF NOT EXISTS patient_token USING fts5(tokens, content='', contentless_delete=1, detail=none, tokenize='ascii')""",
    ],
    "postgresql": [
        """CREATE TABLE IF NOT EXISTS patient_token (patient_id bigint PRIMARY KEY REFERENCES patient (id) ON DELETE CASCADE, tokens bigint[] NOT NULL)""",
        """CREATE INDEX IF NOT EXISTS ix_patient_token_tokens ON patient_token USING gin (tokens) WITH (fastupdate = off)""",
    ],
}

_APPEND_ONLY = {
    "sqlite": [
        """CREATE TRIGGER audit_row_no_update BEFORE UPDATE ON audit_row BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END""",
        """CREATE TRIGGER audit_row_no_delete BEFORE DELETE ON audit_row BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END""",
        """CREATE TRIGGER audit_row_no_replace BEFORE INSERT ON audit_row WHEN EXISTS (SELECT 1 FROM audit_row WHERE chain = NEW.chain AND seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END""",
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION audit_row_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'restrict_violation'; END $$""",
        """CREATE TRIGGER audit_row_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_row FOR EACH STATEMENT EXECUTE FUNCTION audit_row_refuse()""",
    ],
}


def upgrade() -> None:
    """Make the tables, the patients' search index, and the triggers that keep the audit append-only."""
    _audit_row()
    _contact_point()
    _id_block()
    _import_batch()
    _patient()
    _playbook_version()
    _staff()
    _topic_version()
    _vault_key()
    _external_ref()
    _import_progress()
    _patient_contact()
    _patient_identifier()
    _staff_lane()
    _staff_role()
    dialect = op.get_bind().dialect.name
    for statement in (*_SEARCH_INDEX[dialect], *_APPEND_ONLY[dialect]):
        op.get_bind().exec_driver_sql(statement)


def _audit_row() -> None:
    op.create_table(
        "audit_row",
        sa.Column("chain", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("ids", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "done",
                "denied",
                "failed",
                "suppressed",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("chain >= 0 AND chain < 64", name=op.f("ck_audit_row_chain")),
        sa.CheckConstraint("length(mac) = 32", name=op.f("ck_audit_row_mac")),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_audit_row_seq")),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_audit_row")),
    )


def _contact_point() -> None:
    op.create_table(
        "contact_point",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("phone", "email", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("value_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("value_token", sa.BigInteger(), nullable=False),
        sa.Column("last_four_token", sa.BigInteger(), nullable=True),
        sa.Column("opted_out_at", Utc(), nullable=True),
        sa.Column("opted_in_at", Utc(), nullable=True),
        sa.Column("invalid_at", Utc(), nullable=True),
        sa.Column("invalid_reason", sa.String(length=40), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.CheckConstraint(
            "(invalid_at IS NULL) = (invalid_reason IS NULL)", name=op.f("ck_contact_point_invalid_has_a_reason")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_point")),
        sa.UniqueConstraint("value_token", "kind", name=op.f("uq_contact_point_value_token_kind")),
    )


def _id_block() -> None:
    op.create_table(
        "id_block",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("next_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_id_block")),
    )


def _import_batch() -> None:
    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column(
            "state",
            sa.Enum("running", "done", name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("input_print", sa.LargeBinary(length=16), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("finished_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    op.create_index(
        "uq_import_batch_running",
        "import_batch",
        ["input_print"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )


def _patient() -> None:
    op.create_table(
        "patient",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("family_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("given_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("birth_date_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("family_mark", sa.Integer(), nullable=True),
        sa.Column("birth_mark", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("deceased", sa.Boolean(), nullable=False),
        sa.Column("deceased_at", Utc(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("merged_into_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("deceased OR deceased_at IS NULL", name=op.f("ck_patient_deceased_at_only_if_deceased")),
        sa.CheckConstraint("merged_into_id <> id", name=op.f("ck_patient_not_merged_into_itself")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["patient.id"], name=op.f("fk_patient_merged_into_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
    )
    op.create_index("ix_patient_merged_into_id", "patient", ["merged_into_id"], unique=False)


def _playbook_version() -> None:
    op.create_table(
        "playbook_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("applied_at", Utc(), nullable=False),
        sa.Column("applied_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_playbook_version_digest")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_playbook_version_version")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_playbook_version")),
    )


def _staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("os_user", sa.String(length=64), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", Utc(), nullable=True),
        sa.Column("last_signed_in_at", Utc(), nullable=True),
        sa.CheckConstraint("login <> ''", name=op.f("ck_staff_login_given")),
        sa.CheckConstraint("failed_attempts = 0 OR next_attempt_at IS NOT NULL", name=op.f("ck_staff_failure_delays")),
        sa.CheckConstraint("failed_attempts >= 0", name=op.f("ck_staff_attempts_counted")),
        sa.CheckConstraint("id > 0", name=op.f("ck_staff_id_is_a_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_login")),
        sa.UniqueConstraint("os_user", name=op.f("uq_staff_os_user")),
    )


def _topic_version() -> None:
    op.create_table(
        "topic_version",
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_topic_version")),
    )


def _vault_key() -> None:
    op.create_table(
        "vault_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "data",
                "token",
                "audit",
                "signing",
                "file",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("retired_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_key")),
    )


def _external_ref() -> None:
    op.create_table(
        "external_ref",
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("last_updated", Utc(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("replaced_by_token", sa.BigInteger(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_external_ref_batch_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_external_ref_patient_id")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_external_ref")),
    )
    op.create_index(op.f("ix_external_ref_patient_id"), "external_ref", ["patient_id"], unique=False)
    op.create_index(
        "ix_external_ref_replaced_by_token",
        "external_ref",
        ["replaced_by_token"],
        unique=False,
        sqlite_where=sa.text("replaced_by_token IS NOT NULL"),
        postgresql_where=sa.text("replaced_by_token IS NOT NULL"),
    )


def _import_progress() -> None:
    op.create_table(
        "import_progress",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("file_index", sa.Integer(), nullable=False),
        sa.Column("items_done", sa.BigInteger(), nullable=False),
        sa.Column("rejects_size", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_progress_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_import_progress")),
    )


def _patient_contact() -> None:
    op.create_table(
        "patient_contact",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "use",
            sa.Enum(
                "home", "work", "mobile", "other", name="use", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum("import", "staff", name="origin", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("since", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_point.id"], name=op.f("fk_patient_contact_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_contact_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", "contact_point_id", name=op.f("pk_patient_contact")),
    )
    op.create_index(op.f("ix_patient_contact_contact_point_id"), "patient_contact", ["contact_point_id"], unique=False)


def _patient_identifier() -> None:
    op.create_table(
        "patient_identifier",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("old", sa.Boolean(), nullable=False),
        sa.Column("value_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("value_token", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_identifier_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_identifier")),
        sa.UniqueConstraint("value_token", "system", name=op.f("uq_patient_identifier_value_token_system")),
    )
    op.create_index(op.f("ix_patient_identifier_patient_id"), "patient_identifier", ["patient_id"], unique=False)


def _staff_lane() -> None:
    op.create_table(
        "staff_lane",
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_lane_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", "lane", name=op.f("pk_staff_lane")),
    )


def _staff_role() -> None:
    op.create_table(
        "staff_role",
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "agent",
                "nurse",
                "physician",
                "coordinator",
                "supervisor",
                "approver",
                "privacy",
                "admin",
                name="role_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_role_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", "role", name=op.f("pk_staff_role")),
    )
