"""What a death, a merge and a change of number do to what is on its way to a patient.

Nothing is redirected: not to family, not to who has the number now. What may not go is stopped
with the reason, and a person hears of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from crm_core.access.model import Role
from crm_core.channels.outbox import NOT_YET_LEAVING, SendObserver, suppress_where
from crm_core.channels.tables import Message, Outbox
from crm_core.dedup import number_gone_key
from crm_core.patients.roots import records_of
from crm_core.patients.tables import LINK, POINT
from crm_core.tasks.adding import add_task
from crm_core.tasks.ending import CONTACT, cancel_about
from crm_core.tasks.model import NewTask, TaskKind
from crm_core.work.units import ReadUnit, WriteUnit

DIED = "the patient has died"
NOT_THEIRS = "the number is not the patient's any more"
TWICE = "the same goes to this patient already, by another record"


@dataclass(frozen=True, kw_only=True)
class StopsContact:
    """Stops what is queued, held or planned for a patient; `observers` hear of it as of an opt-out."""

    observers: Sequence[SendObserver] = ()

    def died(self, unit: WriteUnit, patient_id: int) -> None:
        """Everything to the patient is cancelled, then every task to reach them, also what that just left."""
        suppress_where(unit, _to(patient_id), DIED, self.observers)
        cancel_about(unit, patient_id, CONTACT, DIED)

    def merged(self, unit: WriteUnit, kept_id: int, gone_id: int) -> None:  # noqa: ARG002 - a PatientObserver's
        """Of automatic messages about the same to what is one patient now, all but the first are cancelled.

        Two are about the same where they have one purpose, one template, one time to go and one to
        be stale: two visits of one day differ in their times.
        """
        seen: set[tuple[Any, ...]] = set()
        twice: list[int] = []
        waiting = (_to(kept_id), Outbox.automatic, Outbox.state.in_(NOT_YET_LEAVING))
        said = (Outbox.purpose, Message.template_version_id, Outbox.due_at, Outbox.send_by)
        rows = select(Outbox.id, *said).join(Message, Message.id == Outbox.message_id).where(*waiting)
        for row in unit.execute(rows.order_by(Outbox.id)):
            same = (row.purpose, row.template_version_id, row.due_at, row.send_by)
            if same in seen:
                twice.append(row.id)
            seen.add(same)
        if twice:
            suppress_where(unit, Outbox.id.in_(twice), TWICE, self.observers)

    def number_changed(
        self, unit: WriteUnit, patient_id: int, old_point_id: int | None, new_point_id: int | None
    ) -> None:
        """What is queued to the old number is cancelled, and a task says so; nothing goes to the new one by itself."""
        if old_point_id is None or _still_uses(unit, patient_id, old_point_id):
            return
        to_old = and_(_to(patient_id), Outbox.contact_point_id == old_point_id)
        stopped = suppress_where(unit, to_old, NOT_THEIRS, self.observers)
        if stopped:
            _leave_task(unit, patient_id, max(stopped), reachable=new_point_id is not None)


def leave_without_number(unit: WriteUnit, patient_id: int, message_id: int) -> int:
    """The task that somebody finds a number for a patient to whom nothing can go; returns its id."""
    return _leave_task(unit, patient_id, message_id, reachable=False)


def _leave_task(unit: WriteUnit, patient_id: int, message_id: int, *, reachable: bool) -> int:
    reachable = reachable or _has_a_number(unit, patient_id)
    title = (
        "A message did not go: the number is not the patient's any more. Write to the number they have now"
        if reachable
        else "There is no number for the patient: find one"
    )
    return add_task(
        unit,
        NewTask(
            kind=TaskKind.DELIVERY_FAILED if reachable else TaskKind.FIND_NUMBER,
            title=title,
            details=f"M-{message_id}: {NOT_THEIRS}",
            patient_id=patient_id,
            role=Role.AGENT,
            dedup_key=number_gone_key(patient_id, message_id),
        ),
    )


def _to(patient_id: int) -> Any:
    return Outbox.patient_id.in_(records_of(patient_id))


def _still_uses(unit: ReadUnit, patient_id: int, point_id: int) -> bool:
    """Whether another of the patient's records has the number."""
    theirs = (LINK.c.patient_id.in_(records_of(patient_id)), LINK.c.contact_point_id == point_id)
    return unit.scalar(select(LINK.c.contact_point_id).where(*theirs).limit(1)) is not None


def _has_a_number(unit: ReadUnit, patient_id: int) -> bool:
    usable = (POINT.c.invalid_at.is_(None), POINT.c.opted_out_at.is_(None))
    theirs = LINK.c.patient_id.in_(records_of(patient_id))
    found = select(POINT.c.id).join(LINK, LINK.c.contact_point_id == POINT.c.id).where(theirs, *usable)
    return unit.scalar(found.limit(1)) is not None
