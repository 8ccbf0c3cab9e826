"""Threads as the console sees them: merged, split, moved to another patient, answered at a time to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.inbox import classifying, handling
from crm_core.inbox.answering import scheduling
from crm_core.inbox.rules import inbox_rules
from crm_core.inbox.threads import duplicates, merging, relinking, splitting
from crm_core.inbox.threads.duplicates import AlsoOpen
from crm_core.patients.model import IdentityView
from crm_core.patients.queries import identity
from crm_core.words import Priority

__all__ = ["AlsoOpen", "ThreadChoices", "ThreadDesk"]


@dataclass(frozen=True, kw_only=True)
class ThreadChoices:
    """What a person picks from, as (code, title) in the playbook's order."""

    categories: tuple[tuple[str, str], ...]
    priorities: tuple[str, ...]
    relink_reasons: tuple[tuple[str, str], ...]


class ThreadDesk:
    """What the verbs on threads ask of the core, for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self.actor = actor

    def choices(self) -> ThreadChoices:
        """Categories, priorities, and reasons for another patient."""
        with self._crm.read(self.actor) as unit:
            rules = inbox_rules(unit)
            return ThreadChoices(
                categories=tuple((key, one.title) for key, one in rules.categories.category.items()),
                priorities=tuple(priority.value for priority in Priority),
                relink_reasons=tuple((key, one.title) for key, one in rules.outcomes.relink.items()),
            )

    def duplicates(self, conversation_id: int) -> list[AlsoOpen]:
        """What else is open of the same person, or says the same."""
        with self._crm.read(self.actor) as unit:
            return duplicates.duplicates(unit, conversation_id)

    def merge(self, conversation_id: int, other_id: int) -> None:
        """Bring another conversation into this one."""
        with self._crm.write(self.actor) as unit:
            merging.merge(unit, conversation_id, other_id)

    def split(self, conversation_id: int, from_message: int, lane: str | None) -> int:
        """Make a conversation of its own out of a message and what came after it; returns its id."""
        with self._crm.write(self.actor) as unit:
            return splitting.split(unit, conversation_id, from_message=from_message, lane=lane)

    def who(self, patient_id: int) -> IdentityView:
        """Whose it shall be, opened and so audited."""
        with self._crm.read(self.actor) as unit:
            return identity(unit, patient_id)

    def relink(self, conversation_id: int, patient_id: int, reason: str, *, with_number: bool) -> None:
        """Say that it is another patient's."""
        with self._crm.write(self.actor) as unit:
            relinking.relink(unit, conversation_id, patient_id, reason=reason, with_number=with_number)

    def classify(self, conversation_id: int, category: str | None, priority: str | None) -> None:
        """Give it another category or priority."""
        with self._crm.write(self.actor) as unit:
            classifying.classify(
                unit, conversation_id, category=category, priority=Priority(priority) if priority else None
            )

    def snooze(self, conversation_id: int, until: datetime | None, *, even_if_reply: bool) -> None:
        """Put it off until a time or a reply, until a reply, or until a time even if they reply."""
        with self._crm.write(self.actor) as unit:
            handling.snooze(unit, conversation_id, until=until, even_if_reply=even_if_reply)

    def send_later(
        self,
        conversation_id: int,
        text: str,
        at: datetime,
        *,
        seen_message_id: int | None,
        seen_patient_id: int | None,
        template_version_id: int | None = None,
    ) -> int:
        """Set an answer to go at a time to come."""
        with self._crm.write(self.actor) as unit:
            return scheduling.send_later(
                unit,
                self._crm.gate,
                conversation_id,
                text,
                at=at,
                template_version_id=template_version_id,
                seen_message_id=seen_message_id,
                seen_patient_id=seen_patient_id,
            )

    def send_at_another_time(self, conversation_id: int, at: datetime) -> None:
        """Change when it goes."""
        with self._crm.write(self.actor) as unit:
            scheduling.send_at_another_time(unit, conversation_id, at)

    def send_no_more(self, conversation_id: int) -> None:
        """Take back what is set to go; its text is its author's draft."""
        with self._crm.write(self.actor) as unit:
            scheduling.send_no_more(unit, conversation_id)
