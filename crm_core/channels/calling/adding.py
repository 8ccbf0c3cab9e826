"""Adding a patient to the call list, for every room that wants one called."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Table

from crm_core.access.model import Role
from crm_core.channels.calling.model import CallState, NewCall
from crm_core.channels.calling.tables import CallItem
from crm_core.channels.contact_section import ContactSection
from crm_core.hours.arithmetic import next_open
from crm_core.playbook.calendars import ALWAYS, CalendarsSection
from crm_core.playbook.service import in_force
from crm_core.store.dialect import insert_or_ignore
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.work.units import ReadUnit, WriteUnit

_TABLE = cast("Table", CallItem.__table__)


def add_call(unit: WriteUnit, call: NewCall) -> int:
    """Add a call list item and return its task's id; where one of the same `dedup_key` is kept, that one's.

    As with a task, no permission is asked.
    """
    new = NewTask(
        kind=TaskKind.CALL,
        title=call.title,
        details=call.say,
        patient_id=call.patient_id,
        role=Role.AGENT,
        due_at=in_clinic_hours(unit, call.due_at),
        dedup_key=call.dedup_key,
    )
    task_id = add_task(unit, new)
    row = {
        "task_id": task_id,
        "patient_id": call.patient_id,
        "contact_point_id": call.contact_point_id,
        "purpose": call.purpose,
        "notice_id": call.notice_id,
        "state": CallState.WAITING,
        "max_attempts": in_force(unit).section(ContactSection).calls.max_attempts,
    }
    unit.execute(insert_or_ignore(unit.dialect, _TABLE, ["task_id"]).values(row))
    return task_id


def in_clinic_hours(unit: ReadUnit, at: datetime) -> datetime:
    """`at`, or when the clinic next opens: by the first calendar of the playbook's that ever closes."""
    calendars = in_force(unit).section(CalendarsSection)
    name = next((one for one in calendars.calendar if one != ALWAYS), ALWAYS)
    return next_open(calendars.named(name), at)
