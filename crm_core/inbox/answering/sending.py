"""Before a text is written: where it would go, and what already speaks against it."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.channels.gate import Candidate, Gate
from crm_core.inbox.answering.recipients import recipient
from crm_core.inbox.record import current
from crm_core.patients.contact_points import users_of
from crm_core.patients.queries import identity
from crm_core.words import Channel
from crm_core.work.units import ReadUnit


@dataclass(frozen=True, kw_only=True)
class ComposerLine:
    """The composer's fixed line: the way an answer goes. A shared or lately changed number is named as such.

    `refusal` says why nothing could be sent now, whatever the text; None where it could.
    """

    channel: Channel
    last_four: str | None
    shared_by: int
    changed_days: int | None
    refusal: str | None

    @property
    def needs_confirmation(self) -> bool:
        """Whether the number is named above the text and needs a `y`."""
        return self.shared_by > 1 or self.changed_days is not None


@needs(Permission.CONVERSATION_READ)
def composer_line(unit: ReadUnit, gate: Gate, conversation_id: int) -> ComposerLine:
    """Where an answer in this conversation would go."""
    conversation = current(unit, conversation_id, lock=False)
    to = recipient(unit, gate, conversation)
    patient_id = conversation.row["patient_id"]
    candidate = Candidate(
        channel=to.channel,
        contact_point_id=to.contact_point_id,
        patient_id=patient_id,
        text=to.first_name or "",
        first_name=to.first_name,
    )
    refusal = gate.judge(unit, candidate).refusal
    known = None
    if patient_id is not None:
        contacts = identity(unit, patient_id).contacts
        known = next((each for each in contacts if each.contact_point_id == to.contact_point_id), None)
    return ComposerLine(
        channel=to.channel,
        last_four=known.last_four if known else None,
        shared_by=known.shared_by if known else len(users_of(unit, to.contact_point_id)) if to.contact_point_id else 0,
        changed_days=known.changed_days if known else None,
        refusal=refusal.saw if refusal else None,
    )
