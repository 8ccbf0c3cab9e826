"""May we send this, and why: one function answers, with every reason in the order asked.

It is asked when a message is queued and again when it is claimed for sending, so that an
opt-out, a death or a lapsed agreement in between still stops it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import select

from crm_core.channels.contents import what_does_not_belong
from crm_core.channels.gateways.base import Gateway
from crm_core.channels.model import Reason, Verdict
from crm_core.channels.vendors import agreement_until
from crm_core.patients.contact_points import users_of
from crm_core.patients.tables import ContactPoint, Patient
from crm_core.words import Channel, Purpose
from crm_core.work.units import ReadUnit


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A message that wants to go.

    `message_id` is its own once it is written and about to leave. `automatic`: no person writes
    it. `answers`: the patient's own text asks for it now (opt-out notice, HELP, confirmation,
    which-one, red-flag text), whatever the hour. After `send_by` it is stale and does not go.
    """

    channel: Channel
    contact_point_id: int | None
    patient_id: int | None
    text: str = field(repr=False)
    first_name: str | None = field(repr=False)
    subject: str | None = field(default=None, repr=False)
    message_id: int | None = None
    purpose: Purpose = Purpose.ANSWER
    automatic: bool = False
    answers: bool = False
    send_by: datetime | None = None
    template_version_id: int | None = None


class GateCheck(Protocol):
    """A reason not to contact that a higher room knows; None where it has no objection."""

    def __call__(self, unit: ReadUnit, candidate: Candidate, shared_by: int, /) -> Reason | None: ...


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The gateways at hand and the further checks, wired once in app.py."""

    gateways: Mapping[Channel, Gateway]
    checks: Sequence[GateCheck] = ()

    def judge(self, unit: ReadUnit, candidate: Candidate) -> Verdict:
        """Ask every check in order; the first refusal ends the asking, since later ones build on it."""
        reasons: list[Reason] = []
        for reason in self._asked(unit, candidate):
            reasons.append(reason)
            if not reason.passed:
                break
        return Verdict(allowed=all(reason.passed for reason in reasons), reasons=tuple(reasons))

    def judge_all(self, unit: ReadUnit, candidates: Sequence[Candidate]) -> list[Verdict]:
        """What `judge` says of each, in their order."""
        return [self.judge(unit, candidate) for candidate in candidates]

    def _asked(self, unit: ReadUnit, candidate: Candidate) -> Iterator[Reason]:
        yield from self._gateway(unit, candidate.channel)
        if candidate.contact_point_id is None:
            yield _no("recipient", "no number or address to send to")
            return
        point = unit.execute(
            select(ContactPoint.invalid_at, ContactPoint.opted_out_at).where(
                ContactPoint.id == candidate.contact_point_id
            )
        ).one()
        yield _no("number", "marked invalid") if point.invalid_at else _yes("number", "not known to be invalid")
        if candidate.answers and candidate.patient_id is None:
            yield _yes("opt-out", "answers the keyword itself")
            return
        yield _no("opt-out", "opted out") if point.opted_out_at else _yes("opt-out", "not opted out")
        unfit = what_does_not_belong(candidate.text) or what_does_not_belong(candidate.subject or "", "the subject")
        yield _no("content", unfit) if unfit else _yes("content", "nothing that does not belong in a message")
        yield from self._patient(unit, candidate)

    def _gateway(self, unit: ReadUnit, channel: Channel) -> Iterator[Reason]:
        gateway = self.gateways.get(channel)
        if gateway is None:
            yield _no("gateway", f"none is set up for {channel}")
            return
        yield _yes("gateway", gateway.name)
        if not gateway.real:
            yield _yes("agreement", "stays in this house")
            return
        until = agreement_until(unit, gateway.vendor, channel)
        if until is None:
            yield _no("agreement", f"vendor {gateway.vendor} has no BAA in date for {channel}")
        else:
            yield _yes("agreement", f"BAA until {until.isoformat()}")

    def _patient(self, unit: ReadUnit, candidate: Candidate) -> Iterator[Reason]:
        if candidate.patient_id is None:
            yield _no("patient", "the sender is not linked to a patient")
            return
        patient = unit.execute(select(Patient.deceased, Patient.active).where(Patient.id == candidate.patient_id)).one()
        yield _no("patient", "deceased") if patient.deceased else _yes("patient", "linked")
        assert candidate.contact_point_id is not None
        sharers = users_of(unit, candidate.contact_point_id)
        if candidate.patient_id not in sharers:
            yield _no("whose", "this number is not on the patient's record")
            return
        if len(sharers) > 1:
            yield (
                _yes("shared", f"shared by {len(sharers)}, and the text names the patient")
                if _names(candidate.text, candidate.first_name)
                else _no("shared", f"shared by {len(sharers)}, and the text does not name the patient")
            )
            if _has_a_namesake(unit, candidate, sharers):
                yield _no("shared", "two who share it have that first name; call instead")
                return
        for check in self.checks:
            reason = check(unit, candidate, len(sharers))
            if reason is not None:
                yield reason


def _has_a_namesake(unit: ReadUnit, candidate: Candidate, sharers: Sequence[int]) -> bool:
    """Whether a first name does not say which of those who share the number is meant."""
    others = [patient_id for patient_id in sharers if patient_id != candidate.patient_id]
    with unit.listing("gate", "shared"):
        given = [unit.open(sealed) for sealed in unit.scalars(select(Patient.given).where(Patient.id.in_(others)))]
    first_names = {name.split()[0].casefold() for name in given if name and name.split()}
    return candidate.first_name is not None and candidate.first_name.casefold() in first_names


def _names(text: str, name: str | None) -> bool:
    """Whether `name` stands in the text as a word of its own: "Al" is not in "also"."""
    return name is not None and re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", text.casefold()) is not None


def _yes(check: str, saw: str) -> Reason:
    return Reason(check=check, passed=True, saw=saw)


def _no(check: str, saw: str) -> Reason:
    return Reason(check=check, passed=False, saw=saw)
