"""What waits for a person in the demo: a number to decide about, a text that did not arrive; and a consent."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from crm_core.access.model import SYSTEM, Actor
from crm_core.app import Crm
from crm_core.channels.consent.model import About, Decision, How
from crm_core.channels.consent.service import record
from crm_core.channels.inbound import receive
from crm_core.channels.model import Delivery, Inbound, Report
from crm_core.channels.reports import Reported, report
from crm_core.channels.tables import Message, Outbox
from crm_core.demo.notices import reachable
from crm_core.patients.queries import patient
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

_BEYOND_THE_NOTICES = 8


def leave_for_a_person(crm: Crm, actor: Actor) -> None:
    """Leave one of each, as `actor` and the house would have come by them."""
    with crm.write(actor) as unit:
        found = reachable(unit, _BEYOND_THE_NOTICES)
        if len(found) < _BEYOND_THE_NOTICES:
            return
        asking, consenting = found[-2:]
        number = patient(unit, asking).contacts[0].value
        record(
            unit,
            consenting,
            channel=Channel.SMS,
            about=About.OUTREACH,
            decision=Decision.GRANTED,
            how=How.PHONE,
            evidence="Said yes on the phone, when the visit was booked",
        )
    _ask_for_no_more(crm, number)
    _lose_a_text(crm)


def _ask_for_no_more(crm: Crm, number: str) -> None:
    with crm.write(SYSTEM) as unit:
        text = Inbound(
            channel=Channel.SMS,
            sender=number,
            text="Please stop texting me",
            at=unit.now - timedelta(minutes=20),
            provider_id="demo-no-more",
        )
        receive(unit, crm.receiver, text)


def _lose_a_text(crm: Crm) -> None:
    """The newest answer that went turns out not to have arrived."""
    with crm.write(SYSTEM) as unit:
        went = _newest(unit)
        if went is None:
            return
        source, provider_id = went
        failed = Reported(
            source=source,
            provider_id=provider_id,
            fate=Report.FAILED,
            at=unit.now,
            code="30003",
            reason="the phone could not be reached",
        )
        report(unit, failed, crm.observers)


def _newest(unit: ReadUnit) -> tuple[str, str] | None:
    rows = unit.execute(
        select(Outbox.gateway, Outbox.provider_id)
        .join(Message, Message.id == Outbox.message_id)
        .where(Outbox.state == Delivery.SENT, Outbox.provider_id.is_not(None), Message.conversation_id.is_not(None))
        .order_by(Outbox.id.desc())
        .limit(1)
    ).all()
    return next(((row.gateway, row.provider_id) for row in rows), None)
