"""A small clinic to test with: a nurse, an agent, two patients, and texts that come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.app import Crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Attached, Inbound, Received
from crm_core.inbox.model import ConversationView
from crm_core.inbox.thread import conversation
from crm_core.patients.model import ContactKind, DraftContact, DraftIdentifier, PatientDraft
from crm_core.patients.saving import save_many
from crm_core.words import Channel
from tests.conftest import StaffFactory

ANA, BO = "+1 212 555 0101", "+1 212 555 0102"


@dataclass
class Clinic:
    """One store with people in it, and short ways to let things happen."""

    crm: Crm
    agent: Actor
    nurse: Actor
    supervisor: Actor
    patients: dict[str, int] = field(default_factory=dict)
    _texts: int = 0

    def text(self, body: str, sender: str = ANA, **more: Any) -> Received:
        """One text arrives now; `attachments` may be their number, of which nothing else is known."""
        self._texts += 1
        if isinstance(more.get("attachments"), int):
            more["attachments"] = (Attached(),) * more["attachments"]
        inbound = Inbound(
            **{
                "channel": Channel.SMS,
                "sender": sender,
                "text": body,
                "at": self.crm.clock.now(),
                "provider_id": f"text-{self._texts}",
                **more,
            }
        )
        with self.crm.write(SYSTEM) as unit:
            return receive(unit, self.crm.receiver, inbound)

    def do(self, actor: Actor, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """One write of one person."""
        with self.crm.write(actor) as unit:
            return function(unit, *args, **more)

    def see(self, actor: Actor, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """One read of one person."""
        with self.crm.read(actor) as unit:
            return function(unit, *args, **more)

    def now_at(self, conversation_id: int | None, actor: Actor | None = None) -> ConversationView:
        """The conversation as it is."""
        assert conversation_id is not None
        found: ConversationView = self.see(actor or self.supervisor, conversation, conversation_id)
        return found

    def at(self, moment: datetime) -> None:
        """Let it be that time."""
        self.crm.clock.set(moment)  # type: ignore[attr-defined]

    def patient(self, given: str, family: str, phone: str, mrn: str) -> int:
        """One more patient."""
        draft = PatientDraft(
            given=given,
            family=family,
            birth_date="1970-01-31",
            language="en",
            identifiers=(DraftIdentifier(system="urn:test", value=mrn, kind="MR"),),
            contacts=(DraftContact(kind=ContactKind.PHONE, value=phone),),
        )
        with self.crm.write(SYSTEM) as unit:
            saved = save_many(unit, [draft])[0]
        assert saved.patient_id is not None
        self.patients[given] = saved.patient_id
        return saved.patient_id


_READ = ("playbook.loaded", "inbox.rules", "channels.danger")
"""What a process reads of a playbook once. Every store of the tests holds the same one as version 1."""


@pytest.fixture(scope="session")
def read_once() -> dict[str, Any]:
    """What the first test read of the playbook, so that the others need not: a second of each."""
    return {}


@pytest.fixture
def clinic(crm: Crm, staff: StaffFactory, read_once: dict[str, Any]) -> Iterator[Clinic]:
    """Ana and Bo, each with a number of their own; an agent, a nurse, a supervisor."""
    crm.units.shared.update(read_once)
    made = Clinic(crm=crm, agent=staff(Role.AGENT), nurse=staff(Role.NURSE), supervisor=staff(Role.SUPERVISOR))
    made.patient("Ana", "Lopez", ANA, "1001")
    made.patient("Bo", "Iversen", BO, "1002")
    yield made
    if len(read_once) < len(_READ):
        read_once.update({name: crm.units.shared[name] for name in _READ if name in crm.units.shared})
