"""Reading the notices that are due, and those that are asked about together with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Select, Table, or_, select

from crm_core.channels.notices.model import Asks, NoticeState
from crm_core.channels.notices.tables import STILL_PLANNED, Notice
from crm_core.channels.notices.texts import given_fields
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.words import Purpose
from crm_core.work.units import WriteUnit

TOGETHER = timedelta(minutes=30)
"""Two things of one patient that take place less than this apart share one question (domain.md, Prompt scope)."""

_TABLE = cast("Table", Notice.__table__)


@dataclass(frozen=True, kw_only=True)
class Due:
    """A notice whose time has come. `patient_id` is who the patient is now; `with_it` shares its text and question.

    `timer_id` is the timer in whose turn it is looked at; None for what only goes along.
    """

    id: int
    patient_id: int
    occasion: str
    step: str
    source: str
    purpose: Purpose
    template_key: str
    due_at: datetime
    send_by: datetime | None
    asks: Asks
    about: str | None
    about_at: datetime | None
    fields: dict[str, str] = field(repr=False)
    timer_id: int | None
    with_it: tuple[Due, ...] = ()

    @property
    def all(self) -> tuple[Due, ...]:
        """Itself and what goes with it."""
        return (self, *self.with_it)


def due_notices(unit: WriteUnit, timer_of: Mapping[int, int]) -> list[Due]:
    """Those of these notices that are still planned, locked, each with its timer; what was settled is left out."""
    due = _planned().where(unit.among(_TABLE.c.id, timer_of)).order_by(_TABLE.c.id)
    return [_due(unit, row, timer_of[row.id]) for row in unit.execute(due.with_for_update(of=_TABLE))]


def with_what_goes_along(unit: WriteUnit, due: Sequence[Due]) -> list[Due]:
    """Each with those of the same patient and template that ask about something less than half an hour away.

    What goes along is taken out of its own turn, in this batch or to come; one that another poller
    holds is left to it. One statement.
    """
    asking = [one for one in due if one.asks is Asks.CONFIRMATION and one.about_at is not None]
    if not asking:
        return list(due)
    others = _planned().where(
        STILL_PLANNED,
        _TABLE.c.asks == Asks.CONFIRMATION,
        _TABLE.c.about_at.is_not(None),
        _TABLE.c.due_at < unit.now + TOGETHER,
        or_(_TABLE.c.send_by.is_(None), _TABLE.c.send_by > unit.now),
        ROOT.in_({one.patient_id for one in asking}),
        _TABLE.c.id.not_in([one.id for one in due]),
    )
    rows = unit.execute(others.order_by(_TABLE.c.id).with_for_update(of=_TABLE, skip_locked=True))
    near = [*due, *(_due(unit, row, None) for row in rows)]
    taken: set[int] = set()
    joined = []
    for one in due:
        if one.id in taken:
            continue
        along = [other for other in near if other.id not in taken and _goes_along(one, other)]
        taken |= {other.id for other in along}
        joined.append(replace(one, with_it=tuple(along)))
    return joined


def _goes_along(one: Due, other: Due) -> bool:
    if one.id == other.id or one.asks is not Asks.CONFIRMATION or other.asks is not Asks.CONFIRMATION:
        return False
    if (one.patient_id, one.template_key) != (other.patient_id, other.template_key):
        return False
    return one.about_at is not None and other.about_at is not None and abs(one.about_at - other.about_at) < TOGETHER


def _planned() -> Select[Any]:
    columns: tuple[Any, ...] = (
        Notice.id, ROOT.label("patient_id"), Notice.occasion, Notice.step, Notice.source, Notice.purpose,
        Notice.template_key, Notice.due_at, Notice.send_by, Notice.asks, Notice.about, Notice.about_at,
        Notice.fields,
    )  # fmt: skip
    to_patient = PATIENT.c.id == Notice.patient_id
    return select(*columns).join(PATIENT, to_patient).where(_TABLE.c.state == NoticeState.PLANNED)


def _due(unit: WriteUnit, row: Any, timer_id: int | None) -> Due:
    facts = dict(row._mapping)  # noqa: SLF001 - Row's public API
    return Due(**{**facts, "fields": given_fields(unit.open(row.fields)), "timer_id": timer_id})
