"""The consent ledger, to which rows are only added, and the requests for confidential communication."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Connection, ForeignKey, LargeBinary, String, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from crm_core.channels.consent.model import About, Decision, How, SaidBy
from crm_core.store.base import Base, Id, Utc, sealed, word
from crm_core.vault.fields import Field
from crm_core.vault.sealed import Sealed
from crm_core.words import Channel


class Consent(Base):
    """One decision of a patient, or about a number that several may share; the newest entry wins.

    `evidence` says in words what it rests on, `message_id` the text that said it, and
    `wording_version` which wording was shown. `recorded_by` is 0 for the system.
    """

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("(patient_id IS NULL) <> (contact_point_id IS NULL)", name="a_patient_or_a_number"),
        CheckConstraint("(said_by = 'proxy') = (proxy_id IS NOT NULL)", name="which_proxy"),
        CheckConstraint("evidence_sealed IS NOT NULL OR message_id IS NOT NULL", name="has_evidence"),
        CheckConstraint(
            "about <> 'plain_content' OR decision = 'withdrawn' OR wording_version IS NOT NULL",
            name="warned_by_a_wording",
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"), index=True)
    channel: Mapped[Channel] = mapped_column(word(Channel, "channel"))
    about: Mapped[About] = mapped_column(word(About, "about"))
    decision: Mapped[Decision] = mapped_column(word(Decision, "decision"))
    said_by: Mapped[SaidBy] = mapped_column(word(SaidBy, "said_by"))
    proxy_id: Mapped[int | None] = mapped_column(ForeignKey("proxy.id"))
    how: Mapped[How] = mapped_column(word(How, "how"))
    wording_version: Mapped[str | None] = mapped_column(String(40))
    message_id: Mapped[int | None] = mapped_column(
        # Checked at the commit: an opt-out word is acted on before its own text is written.
        ForeignKey("message.id", deferrable=True, initially="DEFERRED")
    )
    recorded_by: Mapped[int] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(Utc)
    evidence_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    evidence: Mapped[Sealed] = sealed(Field.CONSENT_EVIDENCE, "id", "evidence_sealed")


class Confidential(Base):
    """A request to be reached one way only, in the patient's words. The one that began last is in force.

    A request that is taken back or replaced ends; it is not changed.
    """

    __tablename__ = "confidential_request"
    __table_args__ = (
        CheckConstraint("until_at IS NULL OR until_at > from_at", name="order"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_someone"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    channel: Mapped[Channel] = mapped_column(word(Channel, "channel"))
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    from_at: Mapped[datetime] = mapped_column(Utc)
    until_at: Mapped[datetime | None] = mapped_column(Utc)
    recorded_by: Mapped[int] = mapped_column(Id)
    recorded_at: Mapped[datetime] = mapped_column(Utc)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)
    ended_by: Mapped[int | None] = mapped_column(Id)
    words_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    words: Mapped[Sealed] = sealed(Field.CONFIDENTIAL_WORDS, "id", "words_sealed")


_REFUSE = "BEGIN SELECT RAISE(ABORT, 'consent is append-only'); END"

TRIGGERS: dict[str, list[str]] = {
    "sqlite": [
        f"CREATE TRIGGER consent_no_update BEFORE UPDATE ON consent {_REFUSE}",
        f"CREATE TRIGGER consent_no_delete BEFORE DELETE ON consent {_REFUSE}",
        # REPLACE deletes without firing a delete trigger unless recursive_triggers is on.
        f"""CREATE TRIGGER consent_no_replace BEFORE INSERT ON consent
        WHEN EXISTS (SELECT 1 FROM consent WHERE id = NEW.id) {_REFUSE}""",
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION consent_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'consent is append-only' USING ERRCODE = 'restrict_violation'; END $$""",
        """CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent
        FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()""",
    ],
}
"""By dialect, the statements that refuse UPDATE, DELETE, TRUNCATE and REPLACE; a migration issues them too."""


@event.listens_for(Consent.__table__, "after_create")
def _guard(_table: Table, connection: Connection, **_: Any) -> None:
    """A table made from the metadata is guarded like a migrated one."""
    for statement in TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
