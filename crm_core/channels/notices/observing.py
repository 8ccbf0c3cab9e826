"""What happens to notices, questions and calls when a delivery ends or a patient changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Table, select, update

from crm_core.channels.calling.cancelling import ITEM, cancel_calls
from crm_core.channels.model import Delivery
from crm_core.channels.notices.cancelling import NOTICE, cancel
from crm_core.channels.notices.model import Became, NoticeObserver, NoticeState
from crm_core.channels.notices.settling import find_number
from crm_core.channels.prompts.voiding import PROMPT, withdraw, withdraw_unsent
from crm_core.patients.roots import records_of
from crm_core.patients.tables import LINK, PATIENT, ROOT, ContactPoint
from crm_core.work.units import ReadUnit, WriteUnit

DECEASED = "the patient has died"
MERGED = "a record merged into this patient's had the same"
NUMBER_CHANGED = "the number is not the patient's any more"

_DID_NOT_ARRIVE = (Delivery.FAILED, Delivery.SUPPRESSED, Delivery.EXPIRED, Delivery.TAKEN_BACK)
_POINT = cast("Table", ContactPoint.__table__)


class NoticeSendObserver:
    """A notice that did not leave asks nobody anything, and its planner hears of it."""

    def __init__(self, observers: Sequence[NoticeObserver] = ()) -> None:
        self._observers = observers

    def settled(
        self,
        unit: WriteUnit,
        conversation_id: int | None,  # noqa: ARG002 - SendObserver's signature; a notice lies in no conversation
        state: Delivery,
        failure: str | None,
        message_ids: Sequence[int] = (),
    ) -> None:
        """Withdraw the question; where a number turned out not to work and there is no other, ask for one."""
        if state not in _DID_NOT_ARRIVE or not message_ids:
            return
        rows = unit.execute(
            select(NOTICE.c.id, ROOT.label("patient_id"), NOTICE.c.occasion, NOTICE.c.step, NOTICE.c.source)
            .join(PATIENT, PATIENT.c.id == NOTICE.c.patient_id)
            .where(NOTICE.c.message_id.in_(message_ids), NOTICE.c.state == NoticeState.HANDED_OVER)
            .order_by(NOTICE.c.id)
        ).all()
        if not rows:
            return
        withdraw_unsent(unit, message_ids)
        if state is Delivery.FAILED:
            without = _without_a_number(unit, [row.patient_id for row in rows])
            find_number(unit, {row.patient_id: row.id for row in rows if row.patient_id in without})
        because = failure or state.value
        told = [
            Became(
                notice_id=row.id,
                patient_id=row.patient_id,
                occasion=row.occasion,
                step=row.step,
                source=row.source,
                state=NoticeState.EXPIRED if state is Delivery.EXPIRED else NoticeState.REFUSED,
                because=because,
            )
            for row in rows
        ]
        for observer in self._observers:
            observer.became(unit, told)


class ContactFollower:
    """The patients' observer: nothing goes on to the dead, nothing goes twice, nothing goes to a number left behind."""

    def died(self, unit: WriteUnit, patient_id: int) -> None:
        """Cancel what is planned, asked and to be called, with the reason; it is never redirected."""
        records = records_of(patient_id)
        cancel(unit, NOTICE.c.patient_id.in_(records), DECEASED)
        withdraw(unit, PROMPT.c.patient_id.in_(records))
        cancel_calls(unit, ITEM.c.patient_id.in_(records), DECEASED)

    def merged(self, unit: WriteUnit, kept_id: int, gone_id: int) -> None:
        """Keep one notice of an occasion's step: the kept record's, or what has gone already."""
        twin = NOTICE.alias("twin")
        gone = select(PATIENT.c.id).where((PATIENT.c.id == gone_id) | (PATIENT.c.merged_into_id == gone_id))
        again = (
            select(twin.c.id)
            .where(
                twin.c.patient_id.in_(records_of(kept_id)),
                twin.c.id != NOTICE.c.id,
                twin.c.occasion == NOTICE.c.occasion,
                twin.c.step == NOTICE.c.step,
                twin.c.state.in_([NoticeState.PLANNED, NoticeState.HANDED_OVER, NoticeState.CALLING]),
            )
            .exists()
        )
        of_kept = NOTICE.c.patient_id == kept_id
        gone_before = NOTICE.alias("gone_before")
        sent_before = (
            select(gone_before.c.id)
            .where(
                gone_before.c.patient_id.in_(gone),
                gone_before.c.occasion == NOTICE.c.occasion,
                gone_before.c.step == NOTICE.c.step,
                gone_before.c.state.in_([NoticeState.HANDED_OVER, NoticeState.CALLING]),
            )
            .exists()
        )
        planned = NOTICE.c.state == NoticeState.PLANNED
        cancel(unit, planned & of_kept & sent_before, MERGED)
        cancel(unit, planned & NOTICE.c.patient_id.in_(gone) & again, MERGED)

    def number_changed(
        self,
        unit: WriteUnit,
        patient_id: int,
        old_point_id: int | None,
        new_point_id: int | None,
    ) -> None:
        """A question and a call to the old number are over; the call is made at the new one where there is one."""
        if old_point_id is None:
            return
        records = records_of(patient_id)
        withdraw(unit, PROMPT.c.patient_id.in_(records) & (PROMPT.c.contact_point_id == old_point_id))
        theirs = ITEM.c.patient_id.in_(records) & (ITEM.c.contact_point_id == old_point_id)
        new_phone = select(_POINT.c.id).where(_POINT.c.id == new_point_id, _POINT.c.kind == "phone")
        if new_point_id is not None and unit.scalar(new_phone) is not None:
            unit.execute(update(ITEM).where(theirs, ITEM.c.state == "waiting").values(contact_point_id=new_point_id))
        else:
            cancel_calls(unit, theirs, NUMBER_CHANGED)


def _without_a_number(unit: ReadUnit, patient_ids: Sequence[int]) -> set[int]:
    """Those of these patients who have no number or address that works."""
    usable = (
        select(LINK.c.patient_id)
        .join(_POINT, _POINT.c.id == LINK.c.contact_point_id)
        .where(LINK.c.patient_id.in_(patient_ids), _POINT.c.invalid_at.is_(None))
    )
    return set(patient_ids) - set(unit.scalars(usable))
