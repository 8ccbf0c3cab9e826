"""A few notices of the demo's: planned, asked and waiting for an answer, refused for a call instead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from crm_core.access.model import Actor
from crm_core.app import Crm
from crm_core.channels.notices.model import About, Asks, NewNotice
from crm_core.channels.notices.service import plan_by_hand
from crm_core.patients.model import ContactKind
from crm_core.patients.preferences import prefer
from crm_core.patients.tables import LINK, PATIENT, POINT
from crm_core.timers.chore import TimersChore
from crm_core.words import Channel, Purpose
from crm_core.work.units import ReadUnit, WriteUnit

HOW_MANY = 5


def plan_notices(crm: Crm, actor: Actor) -> None:
    """Plan them as `actor`, and let the poller look at what is due."""
    with crm.write(actor) as unit:
        patients = reachable(unit, HOW_MANY)
        if len(patients) < HOW_MANY:
            return
        _plan(unit, patients)
    TimersChore(crm.units, crm.timer_handlers).run(lambda: False)
    crm.courier.run_once()


def _plan(unit: WriteUnit, patients: Sequence[int]) -> None:
    asked, tomorrow, later, told, caller = patients
    prefer(unit, caller, [Channel.VOICE])
    hour, day = timedelta(hours=1), timedelta(days=1)
    visits = ((asked, timedelta(0), day), (tomorrow, 20 * hour, 2 * day), (later, 3 * day, 4 * day))
    for patient_id, due, visit in visits:
        about = About(code="", at=_on_the_half_hour(unit, visit))
        _add(unit, patient_id, "visit_confirm", due, asks=Asks.CONFIRMATION, about=about)
    _add(unit, told, "please_call_us", 2 * hour)
    _add(unit, caller, "please_call_us", timedelta(0))


def _add(
    unit: WriteUnit,
    patient_id: int,
    template: str,
    after: timedelta,
    *,
    asks: Asks = Asks.NOTHING,
    about: About | None = None,
) -> None:
    plan_by_hand(
        unit,
        NewNotice(
            patient_id=patient_id,
            occasion="",
            step="",
            source="",
            purpose=Purpose.NOTICE if about is None else Purpose.REMINDER,
            template_key=template,
            due_at=unit.now + after,
            send_by=about.at if about is not None else None,
            asks=asks,
            about=about,
        ),
    )


def _on_the_half_hour(unit: ReadUnit, after: timedelta) -> datetime:
    return (unit.now + after).replace(minute=30, second=0, microsecond=0)


def reachable(unit: ReadUnit, many: int) -> list[int]:
    """The first patients whom a text may reach at a number that is theirs alone."""
    alone = select(LINK.c.contact_point_id).group_by(LINK.c.contact_point_id).having(func.count() == 1)
    found = (
        select(PATIENT.c.id)
        .join(LINK, LINK.c.patient_id == PATIENT.c.id)
        .join(POINT, POINT.c.id == LINK.c.contact_point_id)
        .where(
            POINT.c.kind == ContactKind.PHONE,
            POINT.c.opted_out_at.is_(None),
            POINT.c.invalid_at.is_(None),
            POINT.c.id.in_(alone),
            PATIENT.c.merged_into_id.is_(None),
            PATIENT.c.deceased.is_(False),
            PATIENT.c.active,
        )
        .distinct()
        .order_by(PATIENT.c.id)
        .limit(many)
    )
    return unit.scalars(found)
