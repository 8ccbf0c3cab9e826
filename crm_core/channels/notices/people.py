"""Whom notices are for, and the ways to reach each of them: a fixed number of statements for any number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from crm_core.channels.consent.book import preferences
from crm_core.channels.gate import Gate
from crm_core.patients.briefs import full_name
from crm_core.patients.model import ContactKind
from crm_core.patients.preferences import preferred_points
from crm_core.patients.tables import LINK, POINT, Patient
from crm_core.vault.sealed import Shown
from crm_core.words import Channel
from crm_core.work.units import ReadUnit

CARRIES: Mapping[Channel, ContactKind] = {
    Channel.SMS: ContactKind.PHONE,
    Channel.WHATSAPP: ContactKind.PHONE,
    Channel.EMAIL: ContactKind.EMAIL,
    Channel.VOICE: ContactKind.PHONE,
}
"""The kind of contact point that each channel needs on which a notice can go."""

_UNASKED = (Channel.SMS, Channel.EMAIL)
"""The ways that are tried though the patient named no channel; a call is the last of all."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to reach a patient: a channel, and a number or address of the patient's own."""

    channel: Channel
    contact_point_id: int

    @property
    def is_call(self) -> bool:
        """Whether a person is to call, which nothing automatic does."""
        return self.channel is Channel.VOICE


@dataclass(frozen=True, kw_only=True)
class Person:
    """A patient as far as a notice needs them; `language` is None where it is not known."""

    patient_id: int
    first_name: Shown | None = field(repr=False)
    full_name: Shown | None = field(repr=False)
    language: str | None


def people(unit: ReadUnit, patient_ids: Sequence[int]) -> dict[int, Person]:
    """These patients by the ids they have now, opened; one statement."""
    rows = unit.execute(
        select(Patient.id, Patient.family, Patient.given, Patient.language).where(unit.among(Patient.id, patient_ids))
    )
    found = {}
    for row in rows:
        given, family = unit.open(row.given), unit.open(row.family)
        found[row.id] = Person(
            patient_id=row.id,
            first_name=Shown(given.split()[0]) if given and given.split() else None,
            full_name=full_name(family, given) if given or family else None,
            language=row.language,
        )
    return found


def ways(unit: ReadUnit, gate: Gate, patient_ids: Sequence[int]) -> dict[int, tuple[Way, ...]]:
    """How each of these patients may be reached, the first choice first; three statements.

    The patient's own channels in their order, then what is usual, a call last; within a channel
    the patient's numbers or addresses in theirs. Never another person's: no way means nobody.
    """
    ranked = preferences(unit, patient_ids)
    first = preferred_points(unit, patient_ids)
    points: dict[int, list[tuple[int, ContactKind]]] = {}
    rows = unit.execute(
        select(LINK.c.patient_id, POINT.c.id, POINT.c.kind)
        .join(POINT, POINT.c.id == LINK.c.contact_point_id)
        .where(unit.among(LINK.c.patient_id, patient_ids))
        .order_by(LINK.c.patient_id, LINK.c.rank, POINT.c.id)
    )
    for row in rows:
        points.setdefault(row.patient_id, []).append((row.id, row.kind))
    return {
        patient_id: _in_order(gate, ranked.get(patient_id, ()), first.get(patient_id, ()), points.get(patient_id, []))
        for patient_id in patient_ids
    }


def _in_order(
    gate: Gate, wanted: Sequence[Channel], first: Sequence[int], points: Sequence[tuple[int, ContactKind]]
) -> tuple[Way, ...]:
    own = sorted(points, key=lambda point: first.index(point[0]) if point[0] in first else len(first))
    usual = [channel for channel in _UNASKED if channel in gate.gateways]
    channels = dict.fromkeys([channel for channel in wanted if channel in CARRIES] + [*usual, Channel.VOICE])
    if wanted:
        return tuple(_by_channel(list(channels), own))
    # Who ranked no channel is reached by the first number or address that there is, in its usual way.
    usual_ways = [
        Way(channel=channel, contact_point_id=point)
        for point, kind in own
        for channel in usual
        if CARRIES[channel] is kind
    ]
    return (*usual_ways, *_by_channel([Channel.VOICE], own))


def _by_channel(channels: Sequence[Channel], points: Sequence[tuple[int, ContactKind]]) -> list[Way]:
    return [
        Way(channel=channel, contact_point_id=point)
        for channel in channels
        for point, kind in points
        if CARRIES[channel] is kind
    ]
