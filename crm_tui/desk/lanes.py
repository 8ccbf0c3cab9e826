"""Mode 1 as the console sees it: lanes, a queue by pages, one conversation, its verbs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from crm_core.access.model import Actor, Permission, Role
from crm_core.access.queries import staff
from crm_core.app import Crm
from crm_core.channels.attachments import AttachmentView
from crm_core.errors import CrmError
from crm_core.inbox import alarms, handling, queries, record, take, thread
from crm_core.inbox.answering import answers, calls, drafts, filling, macros
from crm_core.inbox.answering.answers import AnotherPatient, NotThisTemplate, SomethingNewer
from crm_core.inbox.answering.drafts import DraftView
from crm_core.inbox.answering.filling import Filled, Offer
from crm_core.inbox.answering.macros import Answered
from crm_core.inbox.answering.sending import ComposerLine, composer_line
from crm_core.inbox.complaints import ComplaintEnd, complaint_sentences, is_complaint
from crm_core.inbox.model import AlarmView, ConversationView, LaneCount, MessageView, QueueItem, State, Verb
from crm_core.inbox.queries import QueuePage
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.threads.duplicates import AlsoOpen, duplicates
from crm_core.inbox.timing.passing import let_time_pass
from crm_core.patients.model import IdentityView
from crm_core.patients.queries import contact_value, identity
from crm_core.store.feed import Topic
from crm_core.vault.sealed import Shown
from crm_tui.desk.clocks import ClockLedger, counted
from crm_tui.desk.consent import only_of, proxy_of

__all__ = [
    "AlarmView",
    "AnotherPatient",
    "Answered",
    "AttachmentView",
    "Choices",
    "ComplaintEnd",
    "ComposerLine",
    "ConversationView",
    "CrmError",
    "DraftView",
    "Filled",
    "IdentityView",
    "LaneCount",
    "LanesDesk",
    "MessageView",
    "NotThisTemplate",
    "Offer",
    "OpenConversation",
    "QueueItem",
    "QueuePage",
    "SomethingNewer",
    "State",
    "Topic",
    "Verb",
    "is_complaint",
]  # fmt: skip

HOLD = timedelta(seconds=15)
"""How long a sent text may be taken back (domain.md, Wrong patient)."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a person picks from, as (code, title) in the playbook's order. `staff` are (id, name).
    `modules` are the parts of the program that this clinic uses.

    `zone` is the clinic's: times are shown and typed in it.
    """

    zone: ZoneInfo
    lanes: tuple[tuple[str, str], ...]
    outcomes: tuple[tuple[str, str], ...]
    move_reasons: tuple[tuple[str, str], ...]
    escalate_reasons: tuple[tuple[str, str], ...]
    skip_reasons: tuple[tuple[str, str], ...]
    call_outcomes: tuple[tuple[str, str], ...]
    calls_that_reach: frozenset[str]
    call_reasons: tuple[tuple[str, str], ...]
    staff: tuple[tuple[int, str], ...]
    modules: frozenset[str]
    complaints: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class OpenConversation:
    """A conversation on screen: with whom, its thread, my draft, and where an answer would go.

    `identity` is None for an unknown sender; then `sender` is the number or address that wrote.
    `seen_message_id` is given back when sending; `also_open` is what somebody might answer twice.
    `proxy` is who is at that number in the patient's place, `only` the one way in which the
    patient is to be reached, where they asked for that.
    """

    conversation: ConversationView
    identity: IdentityView | None
    sender: Shown | None
    draft: DraftView | None
    to: ComposerLine
    seen_message_id: int | None
    also_open: tuple[AlsoOpen, ...] = ()
    proxy: str = ""
    only: str = ""


class LanesDesk:
    """Everything mode 1 asks of the core, for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self.actor = actor

    def may(self, permission: str) -> bool:
        """Whether this person holds a permission, by its word."""
        return self.actor.may(Permission(permission))

    def now(self) -> datetime:
        """The core's time, aware UTC: ages and clocks are counted from it."""
        return self._crm.clock.now()

    def listen(self, listener: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        """Call `listener` from a thread when something changes; returns how to stop that."""
        return self._crm.store.feed.listen(listener)

    def lanes(self) -> list[LaneCount]:
        """Every lane I may see with its figures."""
        with self._crm.read(self.actor) as unit:
            return queries.lanes(unit)

    def page(self, lane: str, *, limit: int, offset: int = 0, after: QueueItem | None = None) -> QueuePage:
        """A page of a lane in working order."""
        let_time_pass(self._crm.units)
        with self._crm.read(self.actor) as unit:
            return queries.queue(unit, lane, limit=limit, offset=offset, after=after)

    def choices(self) -> Choices:
        """What the pickers offer."""
        with self._crm.read(self.actor) as unit:
            rules = inbox_rules(unit)
            outcomes = rules.outcomes
            accounts = staff(unit) if self.may("staff:read") else []
            return Choices(
                zone=rules.clinic.zone,
                lanes=tuple((key, lane.title) for key, lane in rules.lanes.lane.items()),
                outcomes=tuple((key, coded.title) for key, coded in outcomes.close.items()),
                move_reasons=tuple((key, coded.title) for key, coded in outcomes.move.items()),
                escalate_reasons=tuple((key, coded.title) for key, coded in outcomes.escalate.items()),
                skip_reasons=tuple((key, coded.title) for key, coded in outcomes.skip.items()),
                call_outcomes=tuple((key, coded.title) for key, coded in outcomes.call.items()),
                calls_that_reach=frozenset(key for key, coded in outcomes.call.items() if coded.reached),
                call_reasons=tuple((key, coded.title) for key, coded in outcomes.call_reason.items()),
                staff=tuple((account.id, account.name) for account in accounts if account.active),
                modules=frozenset(rules.clinic.modules),
                complaints=tuple((key, coded.title) for key, coded in outcomes.complaint.items()),
            )

    def open(self, conversation_id: int) -> OpenConversation:
        """Open a conversation with all that a person needs to answer it; audited."""
        with self._crm.read(self.actor) as unit:
            conversation_id = record.resolved(unit, conversation_id)
            shown = thread.conversation(unit, conversation_id)
            return OpenConversation(
                conversation=shown,
                identity=identity(unit, shown.patient_id) if shown.patient_id is not None else None,
                sender=contact_value(unit, shown.contact_point_id) if shown.patient_id is None else None,
                draft=drafts.my_draft(unit, conversation_id) if self.may("conversation:work") else None,
                to=composer_line(unit, self._crm.gate, conversation_id),
                seen_message_id=shown.newest_message_id,
                also_open=tuple(duplicates(unit, conversation_id)),
                proxy=proxy_of(unit, shown.patient_id, shown.contact_point_id),
                only=only_of(unit, shown.patient_id),
            )

    def clocks(self, conversation_id: int) -> list[ClockLedger]:
        """How its clocks were counted."""
        return counted(self._crm, self.actor, conversation_id)

    def why(self, conversation_id: int, zone: tzinfo) -> list[str]:
        """Why it is here, and what happened to it, as sentences with times in `zone`."""
        with self._crm.read(self.actor) as unit:
            return [*thread.why_here(unit, conversation_id, zone), *complaint_sentences(unit, conversation_id)]

    def take_next(self, lane: str | None = None, *, skipped: Collection[int] = ()) -> int | None:
        """Claim the most urgent conversation I may work, but for those I have skipped."""
        with self._crm.write(self.actor) as unit:
            return take.take_next(unit, lane, skipped=skipped)

    def skip(self, conversation_id: int, reason: str) -> None:
        """Give it back to its lane with the reason why I do not work it."""
        with self._crm.write(self.actor) as unit:
            take.release(unit, conversation_id, reason=reason)

    def claim_or_release(self, conversation_id: int, *, mine: bool) -> None:
        """Release it where it is mine, else claim it."""
        with self._crm.write(self.actor) as unit:
            (take.release if mine else take.claim)(unit, conversation_id)

    def acknowledge(self, conversation_id: int) -> None:
        """Say that I have seen the danger and have it."""
        with self._crm.write(self.actor) as unit:
            alarms.acknowledge(unit, conversation_id)

    def offers(self, conversation_id: int) -> list[Offer]:
        """The templates that may be sent in this conversation, best first."""
        with self._crm.read(self.actor) as unit:
            return filling.offers(unit, self._crm.gate, conversation_id)

    def filled(self, conversation_id: int, key: str, personal: str | None) -> Filled:
        """A template's text for this patient; refused where a field is missing."""
        with self._crm.read(self.actor) as unit:
            return filling.filled(unit, self._crm.gate, conversation_id, key, personal=personal)

    def send(
        self,
        conversation_id: int,
        text: str,
        *,
        seen_message_id: int | None,
        seen_patient_id: int | None,
        subject: str | None = None,
        template_version_id: int | None = None,
    ) -> Answered:
        """Queue an answer, and do what its template says; it is held 15 seconds, in which `undo` takes it back."""
        with self._crm.write(self.actor) as unit:
            return macros.answer(
                unit,
                self._crm.gate,
                conversation_id,
                text,
                subject=subject,
                template_version_id=template_version_id,
                hold=HOLD,
                seen_message_id=seen_message_id,
                seen_patient_id=seen_patient_id,
            )

    def save_draft(self, conversation_id: int, body: str, *, internal: bool, template_key: str | None = None) -> None:
        """Keep what I have begun to write; an empty text drops it."""
        with self._crm.write(self.actor) as unit:
            drafts.save_draft(unit, conversation_id, body, internal=internal, template_key=template_key)

    def note(self, conversation_id: int, text: str) -> None:
        """Add an internal note."""
        with self._crm.write(self.actor) as unit:
            answers.note(unit, conversation_id, text)

    def log_call(
        self,
        conversation_id: int,
        outcome: str,
        words: str | None,
        *,
        reason: str | None = None,
        inbound: bool = False,
        next_call_at: datetime | None = None,
    ) -> None:
        """Log a call: how it ended, what it was about, when the next one is."""
        with self._crm.write(self.actor) as unit:
            calls.log_call(
                unit,
                conversation_id,
                outcome=outcome,
                words=words,
                reason=reason,
                inbound=inbound,
                next_call_at=next_call_at,
            )

    def link(self, conversation_id: int, patient_id: int) -> None:
        """Say which patient an unknown sender is."""
        with self._crm.write(self.actor) as unit:
            handling.link(unit, conversation_id, patient_id)

    def assign(self, conversation_id: int, staff_id: int, *, anyway: bool = False) -> None:
        """Give it to a person, `anyway` even to who is absent or full."""
        with self._crm.write(self.actor) as unit:
            handling.assign(unit, conversation_id, staff_id, anyway=anyway)

    def move(self, conversation_id: int, lane: str, reason: str, words: str | None) -> None:
        """Move it to another lane, with a reason; PassedToAndFro where a supervisor has it instead."""
        with self._crm.write(self.actor) as unit:
            moved = handling.move(unit, conversation_id, lane=lane, reason=reason, words=words)
        if not moved:
            raise handling.PassedToAndFro(conversation_id=conversation_id)

    def escalate(self, conversation_id: int, to: str, reason: str, question: str) -> None:
        """Raise it to a supervisor, a nurse or a physician, with one question."""
        with self._crm.write(self.actor) as unit:
            handling.escalate(unit, conversation_id, to=Role(to), reason=reason, question=question)

    def snooze(self, conversation_id: int, until: datetime, action: str | None) -> None:
        """Put it off until a time, or until the patient writes."""
        with self._crm.write(self.actor) as unit:
            handling.snooze(unit, conversation_id, until=until, action=action)

    def close(
        self, conversation_id: int, outcome: str, words: str | None, *, complaint: ComplaintEnd | None = None
    ) -> None:
        """End it with an outcome; a complaint also with its category and the date of the answer."""
        with self._crm.write(self.actor) as unit:
            handling.close(unit, conversation_id, outcome=outcome, words=words, complaint=complaint)
