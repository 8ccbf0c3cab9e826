"""The questions that a number may answer now, and what each is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, select, text

from crm_core.channels.model import Delivery
from crm_core.channels.prompts.model import Answer, PromptKind
from crm_core.channels.prompts.voiding import PROMPT, SUBJECT
from crm_core.channels.tables import Outbox
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.work.units import ReadUnit

_OUTBOX = cast("Table", Outbox.__table__)
_PENDING = text("prompt.state = 'pending'")
"""To the letter, so that SQLite sees the index of what may be answered."""
_LEFT = (Delivery.SENDING, Delivery.SENT, Delivery.UNKNOWN)
"""Where a message is once its patient may have read it."""


@dataclass(frozen=True, kw_only=True)
class Open:
    """An open question. `patient_id` is who the patient is now; `codes` are what it may confirm, `changed` what not.

    One of kind `which` has no patient: `options` are those it asks of, in the order of their numbers.
    """

    id: int
    kind: PromptKind
    patient_id: int | None
    options: tuple[int, ...]
    meant: Answer | None
    codes: tuple[str, ...]
    changed: tuple[str, ...]


def open_prompts(unit: ReadUnit, contact_point_id: int, at: datetime) -> list[Open]:
    """What the number was asked before `at` and has not answered, the latest first; two statements."""
    rows = unit.execute(
        select(PROMPT.c.id, PROMPT.c.kind, ROOT.label("patient_id"), PROMPT.c.options, PROMPT.c.meant)
        .join_from(PROMPT, _OUTBOX, _OUTBOX.c.message_id == PROMPT.c.message_id)
        .outerjoin(PATIENT, PATIENT.c.id == PROMPT.c.patient_id)
        .where(
            _PENDING,
            PROMPT.c.contact_point_id == contact_point_id,
            PROMPT.c.asked_at <= at,
            PROMPT.c.expires_at > unit.now,
            _OUTBOX.c.state.in_(_LEFT),
        )
        .order_by(PROMPT.c.id.desc())
    ).all()
    subjects: dict[int, list[tuple[str, bool]]] = {}
    if rows:
        about = select(SUBJECT.c.prompt_id, SUBJECT.c.code, SUBJECT.c.changed_at).order_by(SUBJECT.c.position)
        for one in unit.execute(about.where(SUBJECT.c.prompt_id.in_([row.id for row in rows]))):
            subjects.setdefault(one.prompt_id, []).append((one.code, one.changed_at is not None))
    return [
        Open(
            id=row.id,
            kind=row.kind,
            patient_id=row.patient_id,
            options=tuple(int(each) for each in row.options.split()),
            meant=row.meant,
            codes=tuple(code for code, changed in subjects.get(row.id, []) if not changed),
            changed=tuple(code for code, changed in subjects.get(row.id, []) if changed),
        )
        for row in rows
    ]
