"""What a provider says after it took a message: that it arrived, or that it did not, and why.

A message moves from sent to delivered to failed and never back, so that reports may come twice and
in any order and the outcome is the same: one that failed after it was said to be delivered has
failed. A failed one comes back to its conversation as if it had never left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update

from crm_core.access.model import Permission
from crm_core.access.needs import needs
from crm_core.audit.tags import Outcome, Tag
from crm_core.channels.letters import our_letter
from crm_core.channels.model import FOUND_SENT, Delivery, Report
from crm_core.channels.outbox import LONGEST_FAILURE, SendObserver, suppress_queued
from crm_core.channels.tables import Message, Outbox
from crm_core.patients.service import mark_invalid, opt_out
from crm_core.store.feed import Topic
from crm_core.work.units import ReadUnit, WriteUnit

_LONGEST_CODE = 40
_LEFT = frozenset({Delivery.SENDING, Delivery.SENT, Delivery.UNKNOWN})
"""Of what did not leave, by our own knowledge, nothing is believed."""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One report. `source` is the gateway's name; the message is known by the provider's id or by `attempt`.

    `attempt` is the part of our Message-ID before the @ (letters.letter_name). `permanent` says that
    nothing ever reaches the number or address, `opted_out` that its user told the carrier to stop.
    `code` and `reason` are the provider's, never a patient's data. `at` is when it happened, aware.
    """

    source: str
    fate: Report
    at: datetime
    provider_id: str | None = None
    attempt: str | None = None
    permanent: bool = False
    opted_out: bool = False
    code: str | None = None
    reason: str | None = None


@needs(Permission.OUTBOX_DELIVER)
def report(unit: WriteUnit, reported: Reported, observers: Sequence[SendObserver] = ()) -> bool:
    """Take one report in; whether it is of a message of ours. Twice, late or out of order, it does no harm.

    A webhook can overtake the settling of the very send that it is about: where this says False,
    ask again a little later before the report is put away.
    """
    row = _row(unit, reported)
    if row is None:
        return False
    left = row.state in _LEFT and row.gateway is not None
    if not left or row.reported in (reported.fate, Report.FAILED):
        return True
    failed = reported.fate is Report.FAILED
    failure = f"not delivered: {_reason(reported)}"[:LONGEST_FAILURE] if failed else None
    values: dict[str, Any] = {
        "state": Delivery.FAILED if failed else Delivery.SENT,
        "reported": reported.fate,
        "reported_at": min(reported.at, unit.now),
        "report_code": reported.code[:_LONGEST_CODE] if reported.code else None,
        "failure": failure,
        "settled_at": row.settled_at or unit.now,
        "lease_until": None,
        # A sender that still waits for the provider's answer has no say in it any more.
        "fence": row.fence + 1,
    }
    unit.execute(update(Outbox).where(Outbox.id == row.id).values(values))
    tag, outcome = (Tag.MESSAGE_FAILED, Outcome.FAILED) if failed else (Tag.MESSAGE_DELIVERED, Outcome.DONE)
    unit.audit(tag, row.message_id, why=values["report_code"], outcome=outcome)
    unit.changed(Topic.OUTBOX)
    unit.changed(Topic.INBOX)
    if row.contact_point_id is not None:
        mark_number(
            unit,
            row.contact_point_id,
            said=f"{reported.source} {reported.code or 'report'}",
            of_message=row.message_id,
            bad_number=failed and reported.permanent,
            opted_out=failed and reported.opted_out,
            observers=observers,
        )
    if failed or row.state != Delivery.SENT:
        told = failure if failed else FOUND_SENT if row.state == Delivery.UNKNOWN else None
        conversation_id = unit.scalar(select(Message.conversation_id).where(Message.id == row.message_id))
        for observer in observers:
            observer.settled(unit, conversation_id, values["state"], told, (row.message_id,))
    return True


@needs(Permission.OUTBOX_DELIVER)
def mark_number(
    unit: WriteUnit,
    contact_point_id: int,
    *,
    said: str,
    of_message: int,
    bad_number: bool = False,
    opted_out: bool = False,
    observers: Sequence[SendObserver] = (),
) -> None:
    """Keep what a refusal or a report says of the number itself: that it is dead, or that its user wants no more.

    `said` is by whom and with which code ("twilio 21610").
    """
    if bad_number:
        mark_invalid(unit, contact_point_id, said[:_LONGEST_CODE])
    if opted_out and opt_out(unit, contact_point_id, f"{said[:_LONGEST_CODE]} of M-{of_message}"):
        suppress_queued(unit, contact_point_id, "opted out", observers)


def _row(unit: ReadUnit, reported: Reported) -> Any:
    """The outbox's row, held until this unit ends; by the provider's id, else by our own of the attempt."""
    known: list[ColumnElement[bool]] = []
    if reported.provider_id is not None:
        known.append((Outbox.gateway == reported.source) & (Outbox.provider_id == reported.provider_id))
    message_id = our_letter(unit, reported.attempt) if reported.attempt is not None else None
    if message_id is not None:
        known.append(Outbox.message_id == message_id)
    for one in known:
        row = unit.execute(
            select(
                Outbox.id, Outbox.message_id, Outbox.contact_point_id, Outbox.gateway, Outbox.state, Outbox.fence,
                Outbox.settled_at, Outbox.reported,
            )
            .where(one)
            .with_for_update()
        ).one_or_none()  # fmt: skip
        if row is not None:
            return row
    return None


def _reason(reported: Reported) -> str:
    said = " ".join(part for part in (reported.code, reported.reason) if part)
    return said or "no reason given"
