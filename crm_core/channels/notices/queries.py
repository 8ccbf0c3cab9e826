"""What is planned for patients, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, func, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.access.tables import Staff
from crm_core.channels.model import Delivery
from crm_core.channels.notices.model import NoticeLine, NoticeState, NoticeView
from crm_core.channels.notices.tables import Notice
from crm_core.channels.notices.texts import given_fields
from crm_core.channels.outbox import why_sentences
from crm_core.channels.prompts.model import PromptState
from crm_core.channels.prompts.tables import Prompt, PromptSubject
from crm_core.channels.tables import Message, Outbox
from crm_core.errors import NotFound
from crm_core.patients.briefs import full_name
from crm_core.patients.tables import PATIENT, Patient
from crm_core.vault.sealed import Shown
from crm_core.work.units import ReadUnit

_NOTICE, _OUTBOX = cast("Table", Notice.__table__), cast("Table", Outbox.__table__)
_FILED = PATIENT.alias("filed")
_ANSWER = (
    select(Prompt.state)
    .join(PromptSubject, PromptSubject.prompt_id == Prompt.id)
    .where(PromptSubject.notice_id == Notice.id)
    .order_by(Prompt.id.desc())
    .limit(1)
    .correlate(_NOTICE)
    .scalar_subquery()
)
_CHANGED = (
    select(PromptSubject.changed_at)
    .where(PromptSubject.notice_id == Notice.id)
    .order_by(PromptSubject.prompt_id.desc())
    .limit(1)
    .correlate(_NOTICE)
    .scalar_subquery()
)
"""Whether what it asks about has changed since."""

_REPLY = (
    select(Message.body, Message.at)
    .join(Prompt, Prompt.answered_by == Message.id)
    .join(PromptSubject, PromptSubject.prompt_id == Prompt.id)
    .order_by(Prompt.id.desc())
    .limit(1)
)
"""The text that answered a notice's question, which as a rule lies in no conversation."""


@needs(Permission.NOTICE_READ)
def notices(
    unit: ReadUnit, *, patient_id: int | None = None, planned: bool = False, limit: int = 200
) -> list[NoticeLine]:
    """Notices, of one patient or all: what is still to go first, the next one on top, then the newest of the rest."""
    wanted: list[ColumnElement[bool]] = []
    if patient_id is not None:
        root = select(PATIENT.c.merged_into_id).where(PATIENT.c.id == patient_id).scalar_subquery()
        records = select(PATIENT.c.id).where(
            (PATIENT.c.id == patient_id)
            | (PATIENT.c.merged_into_id == patient_id)
            | (PATIENT.c.id == root)
            | (PATIENT.c.merged_into_id == root)
        )
        wanted.append(_NOTICE.c.patient_id.in_(records))
    still = _NOTICE.c.state == NoticeState.PLANNED
    coming = unit.execute(_lines().where(still, *wanted).order_by(Notice.due_at, Notice.id).limit(limit)).all()
    rest: Sequence[Any] = ()
    if not planned and len(coming) < limit:
        over = _lines().where(_NOTICE.c.state != NoticeState.PLANNED, *wanted)
        rest = unit.execute(over.order_by(Notice.settled_at.desc(), Notice.id.desc()).limit(limit - len(coming))).all()
    filters = [name for name, asked in (("patient", patient_id is not None), ("state", planned)) if asked]
    with unit.listing("notices", *filters):
        return [NoticeLine(**_line(unit, row)) for row in (*coming, *rest)]


@needs(Permission.NOTICE_READ)
def notice(unit: ReadUnit, notice_id: int) -> NoticeView:
    """One notice, opened, with the reasons why it did or did not go; NotFound."""
    more = (
        Notice.fields, Notice.source, Staff.name.label("planner"), Notice.planned_at, Notice.settled_at,
        Notice.message_id, Notice.task_id, Notice.about_at, Notice.why, Outbox.why.label("sent_why"),
    )  # fmt: skip
    statement = _lines(*more).outerjoin(Staff, Staff.id == Notice.planned_by).where(Notice.id == notice_id)
    row = unit.execute(statement).one_or_none()
    if row is None:
        raise NotFound(kind="notice", id=f"N-{notice_id}")
    line = _line(unit, row)
    fate = row.failure
    if row.message_id is None and row.state in (NoticeState.CANCELLED, NoticeState.EXPIRED):
        fate = row.because
    reply = unit.execute(_REPLY.where(PromptSubject.notice_id == notice_id)).one_or_none()
    return NoticeView(
        **line,
        fields={key: Shown(text) for key, text in given_fields(unit.open(row.fields)).items()},
        source=row.source,
        planned_by=row.planner,
        planned_at=row.planned_at,
        settled_at=row.settled_at,
        message_id=row.message_id,
        task_id=row.task_id,
        about_at=row.about_at,
        why=(*_passed_over(row), *why_sentences(row.sent_why or row.why, fate)),
        replied=unit.open(reply.body) if reply is not None else None,
        replied_at=reply.at if reply is not None else None,
    )


def _lines(*more: Any) -> Select[Any]:
    columns: tuple[Any, ...] = (
        Notice.id, Patient.id.label("patient_id"), Patient.family, Patient.given, Notice.occasion, Notice.step,
        Notice.purpose, Notice.template_key, Notice.due_at, Notice.send_by, Notice.asks, Notice.state,
        Notice.because, Notice.channel, Notice.next_at, Outbox.state.label("delivery"), Outbox.failure,
        _ANSWER.label("answer"), _CHANGED.label("changed_at"),
    )  # fmt: skip
    return (
        select(*columns, *more)
        .select_from(Notice)
        .join(_FILED, _FILED.c.id == Notice.patient_id)
        .join(Patient, Patient.id == func.coalesce(_FILED.c.merged_into_id, _FILED.c.id))
        .outerjoin(Outbox, Outbox.message_id == Notice.message_id)
    )


def _line(unit: ReadUnit, row: Any) -> dict[str, Any]:
    return {
        "notice_id": row.id,
        "patient_id": row.patient_id,
        "patient_name": full_name(unit.open(row.family), unit.open(row.given)),
        "occasion": row.occasion,
        "step": row.step,
        "purpose": row.purpose,
        "template_key": row.template_key,
        "due_at": row.due_at,
        "send_by": row.send_by,
        "asks": row.asks,
        "state": row.state,
        "fate": _fate(row),
        "because": row.failure if row.state == NoticeState.HANDED_OVER else row.because,
        "channel": row.channel,
        "next_at": row.next_at,
        "answer": _answer(row),
    }


def _passed_over(row: Any) -> tuple[str, ...]:
    """Why what was handed over did not go by the ways before the one that it took."""
    if row.sent_why is None:
        return ()
    return why_sentences(json.dumps([reason for reason in json.loads(row.why) if not reason[1]]), None)


def _fate(row: Any) -> str:
    """One word for how it stands: of what was handed over the outbox's."""
    if row.state == NoticeState.HANDED_OVER and row.delivery is not None:
        return Delivery(row.delivery).value
    return NoticeState(row.state).value


def _answer(row: Any) -> str | None:
    """How its question stands: an open one whose thing has changed is void."""
    if row.answer == PromptState.PENDING and row.changed_at is not None:
        return "void"
    return PromptState(row.answer).value if row.answer is not None else None
