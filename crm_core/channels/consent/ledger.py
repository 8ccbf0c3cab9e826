"""Adding to the ledger, for every room that learns of a decision. Nothing here is ever changed or taken away."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import insert

from crm_core.audit.tags import Tag
from crm_core.channels.consent.book import CONSENT
from crm_core.channels.consent.model import About, Decision, How, SaidBy
from crm_core.store.feed import Topic
from crm_core.vault.fields import Field
from crm_core.words import Channel
from crm_core.work.units import WriteUnit

_TAGS = {Decision.GRANTED: Tag.CONSENT_GRANTED, Decision.WITHDRAWN: Tag.CONSENT_WITHDRAWN}


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """A decision as it is written down: a patient's, or one about a number.

    It rests on `evidence` in words, or on the text `message_id`. `wording_version` is which
    wording was shown.
    """

    channel: Channel
    about: About
    decision: Decision
    said_by: SaidBy
    how: How
    patient_id: int | None = None
    contact_point_id: int | None = None
    proxy_id: int | None = None
    wording_version: str | None = None
    message_id: int | None = None
    evidence: str | None = field(default=None, repr=False)


def append(unit: WriteUnit, entry: NewEntry) -> int:
    """Write it down as said now; returns its id.

    No permission is asked: a text that opts out is written whoever takes it in. A person's own
    record goes through `service.record`.
    """
    number = unit.new_id("consent")
    unit.execute(
        insert(CONSENT).values(
            id=number,
            patient_id=entry.patient_id,
            contact_point_id=entry.contact_point_id,
            channel=entry.channel,
            about=entry.about,
            decision=entry.decision,
            said_by=entry.said_by,
            proxy_id=entry.proxy_id,
            how=entry.how,
            wording_version=entry.wording_version,
            message_id=entry.message_id,
            recorded_by=unit.actor.staff_id,
            at=unit.now,
            evidence_sealed=unit.seal(Field.CONSENT_EVIDENCE, number, entry.evidence),
        )
    )
    whose = entry.patient_id or entry.contact_point_id
    assert whose is not None
    kind = "patient" if entry.patient_id else "contact point"
    unit.audit(_TAGS[entry.decision], number, why=f"{kind} {whose} {entry.channel} {entry.about}")
    unit.changed(Topic.PATIENTS)
    return number
