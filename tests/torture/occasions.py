"""What a sending campaign has happen: patients with a number each, timers for them, one message a timer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.channels.gate import Candidate, Gate
from crm_core.channels.outbox import Posting, post_all
from crm_core.patients.model import ContactKind, DraftContact, DraftIdentifier, PatientDraft
from crm_core.patients.saving import save_many
from crm_core.patients.tables import LINK
from crm_core.timers.model import Timer
from crm_core.timers.service import NewTimer, set_timers
from crm_core.words import Channel
from crm_core.work.units import WriteUnit

KIND = "occasion"
TEXT = "Thank you for your message. Please call us."


class PostsOne:
    """Fires a timer by posting one message to the patient that is its subject."""

    kind = KIND

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def fire(self, unit: WriteUnit, timers: Sequence[Timer]) -> Mapping[int, datetime]:
        """Post them together."""
        patients = [timer.subject_id for timer in timers]
        links = unit.execute(select(LINK.c.patient_id, LINK.c.contact_point_id).where(LINK.c.patient_id.in_(patients)))
        points = {link.patient_id: link.contact_point_id for link in links}
        post_all(unit, self._gate, [_posting(timer, points[timer.subject_id]) for timer in timers])
        return {}


def _posting(timer: Timer, point_id: int) -> Posting:
    """The key names the try, too: a timer that fires twice must be seen to have, and not be saved by its key."""
    return Posting(
        conversation_id=None,
        candidate=message_to(timer.subject_id, point_id),
        author_id=None,
        dedup_key=f"{KIND}-{timer.id}-{timer.token}",
    )


def message_to(patient_id: int, point_id: int) -> Candidate:
    """A text that any gate lets go."""
    return Candidate(channel=Channel.SMS, contact_point_id=point_id, patient_id=patient_id, text=TEXT, first_name=None)


def timer_of(dedup_key: str) -> int:
    """The timer whose firing posted the message of that key."""
    return int(dedup_key.split("-")[1])


def people(crm: Crm, count: int) -> list[tuple[int, int]]:
    """So many new patients, each with the contact point of a number of their own."""
    drafts = [
        PatientDraft(
            given=f"Given{number}",
            family=f"Family{number}",
            birth_date="1970-01-31",
            identifiers=(DraftIdentifier(system="urn:torture", value=f"T{number}", kind="MR"),),
            contacts=(DraftContact(kind=ContactKind.PHONE, value=f"+1212555{1000 + number}"),),
        )
        for number in range(count)
    ]
    with crm.write(SYSTEM) as unit:
        saved = save_many(unit, drafts)
        links = unit.execute(select(LINK.c.patient_id, LINK.c.contact_point_id))
        points = {int(link.patient_id): int(link.contact_point_id) for link in links}
    return [(one.patient_id, points[one.patient_id]) for one in saved if one.patient_id is not None]


def set_due(crm: Crm, patients: Sequence[int], first: int) -> None:
    """A timer for each of these patients, due now; `first` numbers the occasions."""
    now = crm.clock.now()
    timers = [
        NewTimer(kind=KIND, subject_id=patient_id, run_at=now, dedup_key=f"{KIND}-{number}")
        for number, patient_id in enumerate(patients, first)
    ]
    with crm.write(SYSTEM) as unit:
        set_timers(unit, timers)
