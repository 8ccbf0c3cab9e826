"""Planning a notice, and taking one back; what is done when its time has come is in firing.py."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, select

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Tag
from crm_core.channels.notices.cancelling import Cancelled, cancel
from crm_core.channels.notices.model import BY_STAFF, KIND, About, Asks, NewNotice, NoticeState
from crm_core.channels.notices.tables import Notice
from crm_core.channels.notices.texts import GIVEN, KNOWN
from crm_core.dedup import notice_key, notice_timer_key
from crm_core.errors import NotFound, UsageError
from crm_core.library.merge import MergeField, MissingField, usable
from crm_core.library.picker import best_variant
from crm_core.library.queries import show
from crm_core.patients.tables import PATIENT, ROOT
from crm_core.playbook.clinic import ClinicSection
from crm_core.playbook.service import in_force
from crm_core.store.dialect import insert_or_ignore
from crm_core.store.feed import Topic
from crm_core.timers.service import NewTimer, set_timers
from crm_core.vault.fields import Field
from crm_core.work.units import ReadUnit, WriteUnit

LONGEST_AHEAD = timedelta(days=550)
"""Beyond it a date is a slip."""

_JUST_NOW = timedelta(minutes=5)
"""How long ago a time may lie that somebody means as now."""

_TABLE = cast("Table", Notice.__table__)


@needs(Permission.NOTICE_PLAN)
def plan_notice(unit: WriteUnit, notice: NewNotice) -> int | None:
    """Plan it with its timer in this unit; its id, or None where that occasion and step has one already.

    A patient's old id is filed under who they are now. UsageError for times that cannot be,
    NotFound for an unknown patient or template.
    """
    return _plan(unit, notice, unit.new_id("notice"))


@needs(Permission.NOTICE_PLAN)
def plan_by_hand(unit: WriteUnit, notice: NewNotice) -> int:
    """Plan what a person wants sent: an occasion of its own, where a question is about the notice itself.

    It is stale at `send_by`, else once what it is about has begun. UsageError, also for a time that
    has passed, or that comes after what it is about.
    """
    number = unit.new_id("notice")
    about = About(code=f"notice-{number}", at=notice.about.at if notice.about else None)
    send_by = notice.send_by or about.at
    own = replace(notice, occasion=f"by-hand-{number}", step="once", source=BY_STAFF, about=about, send_by=send_by)
    _can_still_be_meant(unit, own)
    _has_its_fields(unit, own)
    _plan(unit, own, number)
    return number


@needs(Permission.NOTICE_PLAN)
def cancel_notices(unit: WriteUnit, occasion: str, why: str, *, steps: Sequence[str] | None = None) -> Cancelled:
    """Take back what is planned for an occasion, of these steps or all, with the reason, a code or a few words.

    What was sent already stays sent, but its open question is void: a "C" no longer confirms it.
    """
    which = _TABLE.c.occasion == occasion
    return cancel(unit, which if steps is None else which & _TABLE.c.step.in_(steps), why)


@needs(Permission.NOTICE_PLAN)
def cancel_notice(unit: WriteUnit, notice_id: int, why: str) -> None:
    """Take one notice back, or void the question of one already sent; NotFound, UsageError where neither is left."""
    state = unit.scalar(select(_TABLE.c.state).where(_TABLE.c.id == notice_id))
    if state is None:
        raise NotFound(kind="notice", id=f"N-{notice_id}")
    if not why.strip():
        raise UsageError(problem="A notice is cancelled for a reason", remedy="say why it need not go")
    done = cancel(unit, _TABLE.c.id == notice_id, " ".join(why.split()))
    if not done.notices and not done.questions:
        words = state.replace("_", " ")
        raise UsageError(
            problem=f"N-{notice_id} is {words} already, with no open question", remedy="see `crm notice show`"
        )


def _plan(unit: WriteUnit, notice: NewNotice, number: int) -> int | None:
    _check(unit, notice)
    patient_id = unit.scalar(select(ROOT).where(PATIENT.c.id == notice.patient_id))
    if patient_id is None:
        raise NotFound(kind="patient", id=f"P-{notice.patient_id}")
    show(unit, notice.template_key)
    return _insert(unit, patient_id, notice, number)


def _can_still_be_meant(unit: ReadUnit, notice: NewNotice) -> None:
    if notice.due_at < unit.now - _JUST_NOW:
        raise UsageError(problem="That time has passed", remedy="give one to come, or 0m for at once")
    about_at = notice.about.at if notice.about is not None else None
    if about_at is not None and about_at <= notice.due_at:
        raise UsageError(problem="It would go after what it is about", remedy="plan it for before that")


def _has_its_fields(unit: ReadUnit, notice: NewNotice) -> None:
    """Refuse what could not be filled in when its time comes, while the person who plans it is there to mend it."""
    odd = next((key for key in notice.fields if key not in GIVEN), None)
    if odd is not None:
        raise UsageError(
            problem=f"{odd} is no field that is given by hand", remedy=f"give one of {', '.join(sorted(GIVEN))}"
        )
    language = in_force(unit).section(ClinicSection).language
    version = best_variant(show(unit, notice.template_key), language)
    known = KNOWN | {key for key, text in notice.fields.items() if usable(text)}
    if notice.about is not None and notice.about.at is not None:
        known |= {MergeField.ABOUT_WHEN}
    missing = next((name for name in version.fields if name not in known), None)
    if missing is not None:
        raise MissingField(template=notice.template_key, field=missing)


def _check(unit: ReadUnit, notice: NewNotice) -> None:
    if notice.send_by is not None and notice.send_by <= notice.due_at:
        raise UsageError(problem="It would be stale before it is due", remedy="give --send-by a time after --at")
    if notice.due_at - unit.now > LONGEST_AHEAD:
        raise UsageError(problem="That is more than a year and a half away", remedy="plan it for a nearer time")


def _send_by(notice: NewNotice) -> datetime | None:
    """Nobody is asked to confirm what has begun: a question without a `send_by` of its own is stale by then."""
    about = notice.about
    if notice.send_by is None and notice.asks is Asks.CONFIRMATION and about is not None and about.at is not None:
        return about.at if about.at > notice.due_at else None
    return notice.send_by


def _insert(unit: WriteUnit, patient_id: int, notice: NewNotice, number: int) -> int | None:
    about = notice.about
    fields = json.dumps(dict(notice.fields), ensure_ascii=False) if notice.fields else None
    row: dict[str, Any] = {
        "id": number,
        "patient_id": patient_id,
        "occasion": notice.occasion,
        "step": notice.step,
        "dedup_key": notice_key(patient_id, notice.occasion, notice.step),
        "source": notice.source,
        "purpose": notice.purpose,
        "template_key": notice.template_key,
        "due_at": notice.due_at,
        "send_by": _send_by(notice),
        "asks": notice.asks,
        "about": about.code if about else None,
        "about_at": about.at if about else None,
        "state": NoticeState.PLANNED,
        "planned_by": unit.actor.staff_id,
        "planned_at": unit.now,
        "fields_sealed": unit.seal(Field.NOTICE_FIELDS, number, fields),
    }
    if unit.scalar(insert_or_ignore(unit.dialect, _TABLE).values(row).returning(_TABLE.c.id)) is None:
        return None
    key = notice_timer_key(number)
    set_timers(unit, [NewTimer(kind=KIND, subject_id=number, run_at=notice.due_at, dedup_key=key)])
    unit.audit(Tag.NOTICE_PLANNED, number, why=notice.source)
    unit.changed(Topic.PATIENTS)
    return number
