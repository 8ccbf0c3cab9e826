"""Who does not answer: three unanswered contacts in a row raise a coordinator's task (domain.md, Low response)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Table, func, select, union_all

from crm_core.access.model import Role
from crm_core.channels.calling.tables import CallTry
from crm_core.channels.model import Direction, MessageKind
from crm_core.channels.prompts.model import PromptState
from crm_core.channels.prompts.tables import Prompt
from crm_core.channels.tables import Message
from crm_core.dedup import low_response_key
from crm_core.patients.tables import LINK, PATIENT
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.work.units import ReadUnit, WriteUnit

UNANSWERED = 3
TITLE = "Three contacts in a row went unanswered: find out how to reach this patient"

_PROMPT, _TRY, _MESSAGE = (cast("Table", each.__table__) for each in (Prompt, CallTry, Message))


def raise_low_response(unit: WriteUnit, patient_ids: Sequence[int]) -> None:
    """Leave a coordinator's task for each of these patients who did not answer three times in a row; once a run.

    A contact is a question that expired, or a call that did not reach. A text of the patient's, or a
    call that reached, begins a new run.
    """
    for patient_id in sorted(set(patient_ids)):
        run = unanswered_since(unit, patient_id)
        if len(run) < UNANSWERED:
            continue
        task = NewTask(
            kind=TaskKind.FOLLOW_UP,
            title=TITLE,
            patient_id=patient_id,
            role=Role.COORDINATOR,
            dedup_key=low_response_key(patient_id, run[0]),
        )
        add_task(unit, task)


def unanswered_since(unit: ReadUnit, patient_id: int) -> list[datetime]:
    """When the contacts were made that nobody has answered since, the first one first; two statements."""
    records = select(PATIENT.c.id).where((PATIENT.c.id == patient_id) | (PATIENT.c.merged_into_id == patient_id))
    points = select(LINK.c.contact_point_id).where(LINK.c.patient_id.in_(records))
    spoke = (
        select(func.max(_MESSAGE.c.at).label("at"))
        .where(
            _MESSAGE.c.contact_point_id.in_(points),
            _MESSAGE.c.direction == Direction.IN,
            _MESSAGE.c.kind != MessageKind.AUTOMATIC,
        )
        .union_all(select(func.max(_TRY.c.at)).where(_TRY.c.patient_id.in_(records), _TRY.c.reached))
    )
    last = max((at for at in unit.scalars(spoke) if at is not None), default=None)
    expired = select(_PROMPT.c.asked_at.label("at")).where(
        _PROMPT.c.patient_id.in_(records), _PROMPT.c.state == PromptState.EXPIRED
    )
    missed = select(_TRY.c.at.label("at")).where(_TRY.c.patient_id.in_(records), _TRY.c.reached.is_(False))
    return sorted(at for at in unit.scalars(union_all(expired, missed)) if last is None or at > last)
