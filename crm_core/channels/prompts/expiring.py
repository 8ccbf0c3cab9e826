"""Questions that nobody answered in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Table, case, select, update

from crm_core.channels.calling.low_response import raise_low_response
from crm_core.channels.model import Delivery
from crm_core.channels.prompts.model import KIND, PromptKind, PromptObserver, PromptState
from crm_core.channels.prompts.voiding import PROMPT, SUBJECT
from crm_core.channels.tables import Outbox
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.timers.model import Timer
from crm_core.work.units import WriteUnit

_OUTBOX = cast("Table", Outbox.__table__)


class PromptExpiry:
    """The timers' handler of questions whose time is over: what was asked and not answered counts as unanswered."""

    kind = KIND

    def __init__(self, observers: Sequence[PromptObserver] = ()) -> None:
        self._observers = observers

    def fire(self, unit: WriteUnit, timers: Sequence[Timer]) -> Mapping[int, datetime]:
        """Close those that are still open; one whose message never left was asked of nobody."""
        rows = unit.execute(
            select(PROMPT.c.id, ROOT.label("patient_id"), PROMPT.c.kind, _OUTBOX.c.state)
            .join_from(PROMPT, _OUTBOX, _OUTBOX.c.message_id == PROMPT.c.message_id)
            .outerjoin(PATIENT, PATIENT.c.id == PROMPT.c.patient_id)
            .where(PROMPT.c.id.in_([timer.subject_id for timer in timers]), PROMPT.c.state == PromptState.PENDING)
            .order_by(PROMPT.c.id)
            .with_for_update(of=PROMPT)
        ).all()
        if not rows:
            return {}
        asked = {row.id: row.patient_id for row in rows if row.state in (Delivery.SENT, Delivery.UNKNOWN)}
        ended = case((PROMPT.c.id.in_(asked), PromptState.EXPIRED.value), else_=PromptState.WITHDRAWN.value)
        unit.execute(
            update(PROMPT).where(PROMPT.c.id.in_([row.id for row in rows])).values(state=ended, settled_at=unit.now)
        )
        self._tell(unit, asked)
        raise_low_response(unit, [row.patient_id for row in rows if row.id in asked and row.kind != PromptKind.WHICH])
        return {}

    def _tell(self, unit: WriteUnit, asked: Mapping[int, int | None]) -> None:
        codes: dict[int, list[str]] = {}
        for row in unit.execute(
            select(SUBJECT.c.prompt_id, SUBJECT.c.code)
            .where(SUBJECT.c.prompt_id.in_(asked), SUBJECT.c.changed_at.is_(None))
            .order_by(SUBJECT.c.prompt_id, SUBJECT.c.position)
        ):
            codes.setdefault(row.prompt_id, []).append(row.code)
        for number, about in codes.items():
            patient_id = asked[number]
            if patient_id is None:
                continue
            for observer in self._observers:
                observer.unanswered(unit, patient_id, about)
