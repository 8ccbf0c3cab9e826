"""What the house is to send to a patient by itself, and the calls that a person makes instead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.channels.calling.model import CallLine, Tried
from crm_core.channels.calling.queries import call
from crm_core.channels.notices.model import About, Asks, NewNotice, NoticeLine, NoticeView
from crm_core.channels.notices.queries import notice, notices
from crm_core.channels.notices.service import cancel_notice, plan_by_hand
from crm_core.inbox.answering.call_list import log_listed_call
from crm_core.library.merge import MergeField
from crm_core.library.queries import approved
from crm_core.words import Purpose

__all__ = ["CallLine", "NoticeDesk", "NoticeLine", "NoticeView", "Plannable", "Tried"]

_BY_ITSELF = frozenset({
    MergeField.PATIENT_FIRST_NAME, MergeField.PATIENT_FULL_NAME, MergeField.CLINIC_NAME, MergeField.CLINIC_PHONE,
    MergeField.TODAY, MergeField.ABOUT_WHEN, MergeField.PERSONAL,
})  # fmt: skip
"""The fields that a notice planned at the console can fill."""


@dataclass(frozen=True, kw_only=True)
class Plannable:
    """An approved template that can go by itself; `wants_when` and `wants_words` are what a person must say."""

    key: str
    title: str
    purpose: str
    wants_when: bool
    wants_words: bool


class NoticeDesk:
    """Notices and calls, for one signed-in person."""

    def __init__(self, crm: Crm, actor: Actor) -> None:
        self._crm = crm
        self._actor = actor

    def plannable(self) -> list[Plannable]:
        """The templates that may be planned, by title."""
        with self._crm.read(self._actor) as unit:
            found = approved(unit)
        return [
            Plannable(
                key=one.key,
                title=one.title,
                purpose=one.purpose,
                wants_when=MergeField.ABOUT_WHEN in one.fields,
                wants_words=MergeField.PERSONAL in one.fields,
            )
            for one in found
            if _BY_ITSELF.issuperset(one.fields)
        ]

    def plan(
        self, patient_id: int, key: str, at: datetime, *, asks: bool, about_at: datetime | None, words: str | None
    ) -> int:
        """Plan a notice; it goes at `at`, if the gate lets it."""
        new = NewNotice(
            patient_id=patient_id,
            occasion="",
            step="",
            source="",
            purpose=Purpose.REMINDER if about_at is not None else Purpose.NOTICE,
            template_key=key,
            due_at=at,
            send_by=about_at if about_at is not None and about_at > at else None,
            asks=Asks.CONFIRMATION if asks else Asks.NOTHING,
            about=About(code="", at=about_at),
            fields={MergeField.PERSONAL: words} if words else {},
        )
        with self._crm.write(self._actor) as unit:
            return plan_by_hand(unit, new)

    def of_patient(self, patient_id: int) -> list[NoticeLine]:
        """What is planned for a patient and what became of the rest, the newest twenty."""
        with self._crm.read(self._actor) as unit:
            return notices(unit, patient_id=patient_id, limit=20)

    def notice(self, notice_id: int) -> NoticeView:
        """One notice, with the reasons why it did or did not go; audited."""
        with self._crm.read(self._actor) as unit:
            return notice(unit, notice_id)

    def cancel(self, notice_id: int, why: str) -> None:
        """Take a notice back, or void what it asks."""
        with self._crm.write(self._actor) as unit:
            cancel_notice(unit, notice_id, why)

    def call(self, task_id: int) -> CallLine:
        """One call to make, with the number to dial; audited."""
        with self._crm.read(self._actor) as unit:
            return call(unit, self._crm.gate, task_id)

    def log_call(self, task_id: int, outcome: str, words: str | None, next_call_at: datetime | None) -> Tried:
        """Log a call of the call list."""
        with self._crm.write(self._actor) as unit:
            return log_listed_call(
                unit, self._crm.gate, task_id, outcome=outcome, words=words, next_call_at=next_call_at
            )
