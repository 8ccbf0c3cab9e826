"""Playing the demo's plan through the real services, at the times at which it happened."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from crm_core.access.model import SYSTEM, Actor, Role
from crm_core.access.service import create_staff
from crm_core.app import Crm
from crm_core.channels.inbound import receive
from crm_core.channels.model import Inbound
from crm_core.clock import ShiftedClock
from crm_core.demo import events as did
from crm_core.demo.for_a_person import leave_for_a_person
from crm_core.demo.notices import plan_notices
from crm_core.demo.plan import DemoPlan
from crm_core.errors import CrmError, NotFound
from crm_core.exchange.importer import import_fhir
from crm_core.inbox import alarms, handling, take
from crm_core.inbox.answering import answers, calls, filling
from crm_core.inbox.complaints import ComplaintEnd, ComplaintUnsettled, is_complaint
from crm_core.inbox.record import HeldForClinicians, current
from crm_core.inbox.tables import Conversation
from crm_core.library.queries import templates
from crm_core.library.service import approve
from crm_core.patients.search import find
from crm_core.patients.tables import Patient
from crm_core.work.units import WriteUnit

COURIER_EVERY = timedelta(minutes=30)
"""How often the poller of the past came by."""

_COMPLAINT = "communication"
_IN_WRITING = "Thank you for telling us. We have looked into it, and what went wrong has been put right with the team."
"""What a complaint that took longer than a day is answered with in writing."""

OnPlayed = Callable[[int, int], None]


class Player:
    """Plays one plan into a new store whose clock is `clock`.

    Patients come through the FHIR importer, messages through `receive`, everything staff did
    through the use cases they would have used; templates are approved by the plan's approver.
    """

    def __init__(self, crm: Crm, clock: ShiftedClock, plan: DemoPlan, os_user: str) -> None:
        self._crm = crm
        self._clock = clock
        self._plan = plan
        self._os_user = os_user
        self._actors: dict[str, Actor] = {}
        self._conversations: dict[str, int] = {}
        self._last_round = plan.begins
        self._busy = False
        self.left_out: list[str] = []
        """What the plan meant and the services refused, as kinds; a test keeps this short."""

    def play(self, progress: OnPlayed | None = None) -> None:
        """Everything, from the first account to this minute; `progress` hears (done, of how many)."""
        self._clock.set(self._plan.begins)
        self._staff()
        self._templates()
        self._people()
        for done, event in enumerate(self._plan.events, start=1):
            self._until(event)
            self._act(event)
            if progress is not None:
                progress(done, len(self._plan.events))
        self._clock.set(self._plan.now)
        self._round()
        agent = next(actor for actor in self._actors.values() if Role.AGENT in actor.roles)
        plan_notices(self._crm, agent)
        leave_for_a_person(self._crm, agent)

    def _staff(self) -> None:
        for person in self._plan.staff:
            lanes = frozenset(person.lanes) if person.lanes is not None else None
            with self._crm.write(SYSTEM) as unit:
                staff_id = create_staff(
                    unit,
                    login=person.login,
                    name=person.name,
                    roles=person.roles,
                    lanes=lanes,
                    os_user=self._os_user if person.visitor else None,
                )
            self._actors[person.login] = Actor.with_roles(staff_id, person.name, frozenset(person.roles), lanes)

    def _templates(self) -> None:
        """The demo comes approved; a clinic's own approver has to read first."""
        approver = next(actor for actor in self._actors.values() if Role.APPROVER in actor.roles)
        with self._crm.write(approver) as unit:
            for template in templates(unit):
                approve(unit, template.key, language=template.language)

    def _people(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            import_fhir(self._crm, SYSTEM, [self._plan.write_people(Path(folder))])

    def _until(self, event: did.Event) -> None:
        """Let time pass until the event, with the poller's rounds on the way."""
        while event.at - self._last_round > COURIER_EVERY:
            self._last_round += COURIER_EVERY
            if self._busy:
                self._clock.set(self._last_round)
                self._round()
            else:
                # Nothing was queued since: rounds that would find nothing are not played.
                self._last_round = event.at
        self._clock.set(max(event.at, self._clock.now()))

    def _round(self) -> None:
        self._crm.courier.run_once()
        with self._crm.write(SYSTEM) as unit:
            take.settle_time(unit)
        self._busy = False

    def _act(self, event: did.Event) -> None:
        if isinstance(event, did.Arrival):
            self._receive(event)
            return
        assert isinstance(event, did.Deed)
        for actor in self._who_can(event):
            try:
                self._do(event, actor)
            except (NotFound, HeldForClinicians):
                continue
            except CrmError as error:
                self.left_out.append(f"{type(event).__name__}: {type(error).__name__}")
            return
        self.left_out.append(f"{type(event).__name__}: nobody may")

    def _who_can(self, event: did.Deed) -> list[Actor]:
        """The plan's person first; where the playbook put the text elsewhere, a colleague of that lane."""
        first = self._actors[event.by]
        return [first, *(actor for actor in self._actors.values() if actor is not first)]

    def _do(self, event: did.Deed, actor: Actor) -> None:
        number = self._conversations[event.thread]
        with self._crm.write(actor) as unit:
            match event:
                case did.Replied() | did.Called() | did.Noted():
                    self._answer(unit, number, event)
                case did.Moved() | did.Escalated() | did.Snoozed():
                    _hand_on(unit, number, event)
                case did.Closed():
                    self._close(unit, number, event)
                case did.Linked():
                    handling.link(unit, number, find(unit, event.mrn).patients[0].patient_id)
                case did.Claimed():
                    take.claim(unit, number)
                case did.Acknowledged():
                    alarms.acknowledge(unit, number)

    def _answer(self, unit: WriteUnit, number: int, event: did.Replied | did.Called | did.Noted) -> None:
        match event:
            case did.Replied():
                made = filling.filled(unit, self._crm.gate, number, event.template, personal=event.personal)
                answers.reply(unit, self._crm.gate, number, made.text, template_version_id=made.version_id)
                self._busy = True
            case did.Called():
                calls.log_call(unit, number, outcome=event.outcome, words=event.words)
            case did.Noted():
                answers.note(unit, number, event.words)

    def _close(self, unit: WriteUnit, number: int, event: did.Closed) -> None:
        """A complaint is closed as one: in writing, where it took longer than its day."""
        found = current(unit, number, lock=False)
        if not is_complaint(found.row["category"], found.lane):
            handling.close(unit, number, outcome=event.outcome)
            return
        end = ComplaintEnd(category=_COMPLAINT, answered_on=unit.now.astimezone(found.rules.clinic.zone).date())
        try:
            handling.close(unit, number, outcome=event.outcome, complaint=end)
        except ComplaintUnsettled:
            answers.reply(unit, self._crm.gate, number, _IN_WRITING)
            self._busy = True
            handling.close(unit, number, outcome=event.outcome, complaint=end)

    def _receive(self, event: did.Arrival) -> None:
        inbound = Inbound(
            channel=event.channel,
            sender=event.sender,
            text=event.text,
            at=event.at,
            provider_id=event.id,
            subject=event.subject,
        )
        with self._crm.write(SYSTEM) as unit:
            received = receive(unit, self._crm.receiver, inbound)
        if received.conversation_id is not None:
            self._conversations.setdefault(event.thread, received.conversation_id)


def _hand_on(unit: WriteUnit, number: int, event: did.Moved | did.Escalated | did.Snoozed) -> None:
    match event:
        case did.Moved():
            handling.move(unit, number, lane=event.lane, reason=event.reason, words=event.words)
        case did.Escalated():
            handling.escalate(unit, number, to=event.to, reason=event.reason, question=event.words)
        case did.Snoozed():
            handling.snooze(unit, number, until=event.until, action=event.words)


def counts(crm: Crm) -> dict[str, int]:
    """What a demo store holds; appointments and referrals join with the work that builds them."""
    with crm.read(SYSTEM) as unit:
        return {
            "patients": unit.scalar(select(func.count()).select_from(Patient)),
            "conversations": unit.scalar(select(func.count()).select_from(Conversation)),
            "appointments": 0,
            "referrals": 0,
        }
