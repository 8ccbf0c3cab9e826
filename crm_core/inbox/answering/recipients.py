"""Where an answer goes: the way the patient wrote, or the best way this patient can be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from crm_core.channels.gate import Gate
from crm_core.inbox.record import Current
from crm_core.patients.preferences import preferences, preferred_points
from crm_core.patients.roots import present
from crm_core.patients.tables import ContactPoint, Patient, PatientContact
from crm_core.vault.sealed import Shown
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

_CARRIES = {Channel.SMS: "phone", Channel.EMAIL: "email"}
"""The kind of contact point each channel needs on which a patient can be reached unasked."""

_ANSWERS = frozenset({*_CARRIES, Channel.WHATSAPP})
"""The channels on which whoever wrote there is answered; a number that takes texts need not have WhatsApp."""


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """A channel, a number or address of this patient and nobody else's, and the patient's first name."""

    channel: Channel
    contact_point_id: int | None
    first_name: Shown | None


def recipient(unit: ReadUnit, gate: Gate, conversation: Current) -> Recipient:
    """Answer on the conversation's channel where a gateway carries it, else by the patient's ranked contacts.

    Never another person's number: with nothing of the patient's own, `contact_point_id` is
    None and the gate refuses.
    """
    row = conversation.row
    first_name = _first_name(unit, row["patient_id"])
    if conversation.channel in gate.gateways and conversation.channel in _ANSWERS:
        return Recipient(channel=conversation.channel, contact_point_id=row["contact_point_id"], first_name=first_name)
    for channel, point_id in _ways(unit, gate, row["patient_id"]):
        return Recipient(channel=channel, contact_point_id=point_id, first_name=first_name)
    return Recipient(channel=conversation.channel, contact_point_id=None, first_name=first_name)


def _ways(unit: ReadUnit, gate: Gate, patient_id: int | None) -> list[tuple[Channel, int]]:
    """The patient's ways that a gateway carries: in the patient's own order, else in that of the record."""
    if patient_id is None:
        return []
    points = unit.execute(
        select(ContactPoint.id, ContactPoint.kind)
        .join(PatientContact, PatientContact.contact_point_id == ContactPoint.id)
        .where(
            PatientContact.patient_id == patient_id,
            ContactPoint.invalid_at.is_(None),
            ContactPoint.opted_out_at.is_(None),
        )
        .order_by(PatientContact.rank, ContactPoint.id)
    ).all()
    root = present(unit, patient_id)
    channels, numbers = preferences(unit, [root]).get(root, ()), preferred_points(unit, [root]).get(root, ())
    ways = [
        (channel, point.id)
        for point in points
        for channel, kind in _CARRIES.items()
        if point.kind == kind and channel in gate.gateways
    ]
    return sorted(ways, key=lambda way: (_place(channels, way[0]), _place(numbers, way[1])))


def _place(order: Sequence[object], one: object) -> int:
    """Where it stands in an order; what does not comes last."""
    return order.index(one) if one in order else len(order)


def _first_name(unit: ReadUnit, patient_id: int | None) -> Shown | None:
    if patient_id is None:
        return None
    given = unit.scalar(select(Patient.given).where(Patient.id == patient_id))
    shown = unit.open(given) if given is not None else None
    return Shown(shown.split()[0]) if shown and shown.split() else None
