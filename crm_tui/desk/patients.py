"""Finding a patient, and the record that is pushed on top."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.access.model import Actor, Permission
from crm_core.app import Crm
from crm_core.channels.consent.queries import card as consent_card
from crm_core.inbox.queries import of_patient
from crm_core.patients.model import ContactKind, ContactView, Found, PatientBrief, PatientView
from crm_core.patients.proxies import proxies
from crm_core.patients.queries import patient
from crm_core.patients.search import find
from crm_tui.desk.consent import Consents

__all__ = [
    "ContactKind",
    "ContactView",
    "Found",
    "PastConversation",
    "PatientBrief",
    "PatientCard",
    "PatientDesk",
    "PatientView",
]


@dataclass(frozen=True, kw_only=True)
class PastConversation:
    """One of a patient's conversations; of lanes not mine only lane and state may be opened."""

    conversation_id: int
    lane: str
    state: str
    at: datetime
    mine_to_open: bool


@dataclass(frozen=True, kw_only=True)
class PatientCard:
    """A patient as the record screen shows them; `consents` is None for who may not see them."""

    patient: PatientView
    conversations: tuple[PastConversation, ...]
    consents: Consents | None


class PatientDesk:
    """What the console asks about patients."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    def find(self, text: str, limit: int = 20) -> Found:
        """Patients by name, phone digits, MRN or birth date, in any order."""
        with self._crm.read(self._actor) as unit:
            return find(unit, text, limit)

    def card(self, patient_id: int) -> PatientCard:
        """One patient's record; audited."""
        with self._crm.read(self._actor) as unit:
            past = of_patient(unit, patient_id)
            return PatientCard(
                patient=patient(unit, patient_id),
                conversations=tuple(
                    PastConversation(conversation_id=number, lane=lane, state=state.value, at=at, mine_to_open=mine)
                    for number, lane, state, at, mine in past
                ),
                consents=Consents(card=consent_card(unit, patient_id), proxies=proxies(unit, patient_id))
                if self._actor.may(Permission.CONSENT_READ)
                else None,
            )
