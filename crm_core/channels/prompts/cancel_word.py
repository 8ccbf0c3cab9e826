"""CANCEL while a visit is asked about: it opts out, and it may mean the visit; only a person can tell."""

from __future__ import annotations

from crm_core.access.model import Role
from crm_core.channels.inbound import Arrival
from crm_core.channels.keywords import says_cancel
from crm_core.channels.prompts.model import PromptKind
from crm_core.channels.prompts.pending import open_prompts
from crm_core.dedup import prompt_task_key
from crm_core.tasks.adding import add_task
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.work.units import WriteUnit

TITLE = "May want to cancel what they were asked to confirm: call and ask"
DETAILS = "The patient answered with the word CANCEL, which ends our texts to the number. Nothing else was changed."


def may_want_to_cancel(unit: WriteUnit, arrival: Arrival) -> tuple[str, ...]:
    """Leave a telephone task for each patient whom the number was asked about; the things asked about stay.

    Returns what there is to say about it.
    """
    point = arrival.contact.contact_point_id
    if point is None or not says_cancel(arrival.said):
        return ()
    asked = [one for one in open_prompts(unit, point, arrival.at) if one.kind is PromptKind.CONFIRMATION]
    for patient_id in sorted({one.patient_id for one in asked if one.patient_id is not None}):
        task = NewTask(
            kind=TaskKind.MAY_WANT_TO_CANCEL,
            title=TITLE,
            details=DETAILS,
            patient_id=patient_id,
            role=Role.AGENT,
            dedup_key=prompt_task_key(arrival.message_id, patient_id),
        )
        add_task(unit, task)
    return ("it may also mean what they were asked to confirm: a task asks to call",) if asked else ()
