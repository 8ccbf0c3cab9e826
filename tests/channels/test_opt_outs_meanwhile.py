"""Opt-outs between claim and send, on real stores: of 160 texts none reaches a number that said STOP."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.channels.gate import Candidate
from crm_core.channels.gateways.base import Accepted, Outgoing
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import Posting, post_all
from crm_core.patients.model import ContactKind, DraftContact, DraftIdentifier, PatientDraft
from crm_core.patients.saving import save_many
from crm_core.patients.service import opt_out
from crm_core.patients.tables import LINK
from crm_core.words import Channel, Purpose
from tests.channels.conftest import Line
from tests.channels.provider import ProviderGateway
from tests.inbox.looking import outbox_rows

PEOPLE, DAYS = 40, 4


@dataclass
class Busy(ProviderGateway):
    """While one text leaves, one in four times the number of somebody else says STOP."""

    line: Line | None = None
    points: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - can be repeated

    def send(self, outgoing: Outgoing) -> Accepted:
        """Send, and let another opt out meanwhile."""
        assert self.line is not None
        if outgoing.to in self.silent:
            self.broken.append(outgoing.attempt_id)
        if self.chance.random() < 0.25:
            number = self.chance.choice(sorted(self.points))
            with self.line.clinic.crm.write(SYSTEM) as unit:
                opt_out(unit, self.points[number])
            self.silent.add(number)
        return super().send(outgoing)


def people(line: Line) -> dict[str, tuple[int, int]]:
    """Patients with a number each: patient and contact point by number."""
    numbers = [f"+1212555{1000 + each}" for each in range(PEOPLE)]
    drafts = [
        PatientDraft(
            given="Ana",
            family="Lopez",
            birth_date="1970-01-31",
            language="en",
            identifiers=(DraftIdentifier(system="urn:test", value=number, kind="MR"),),
            contacts=(DraftContact(kind=ContactKind.PHONE, value=number),),
        )
        for number in numbers
    ]
    with line.clinic.crm.write(SYSTEM) as unit:
        saved = [each.patient_id for each in save_many(unit, drafts)]
        links = unit.execute(select(LINK.c.patient_id, LINK.c.contact_point_id)).all()
        points: dict[int, int] = {link.patient_id: link.contact_point_id for link in links}
    return {number: (each, points[each]) for number, each in zip(numbers, saved, strict=True) if each is not None}


def test_no_text_reaches_a_number_that_opted_out_while_it_was_on_its_way(line: Line) -> None:
    known = people(line)
    gateway = Busy(line.provider.port, line=line, points={number: point for number, (_, point) in known.items()})
    line.use(gateway)
    start = line.clinic.crm.clock.now()
    for day in range(DAYS):
        # Three in seven days is all that one gets: every third day is the fastest that keeps it.
        line.clinic.at(start + timedelta(days=3 * day))
        postings = [
            Posting(
                conversation_id=None,
                candidate=Candidate(
                    channel=Channel.SMS,
                    contact_point_id=point,
                    patient_id=patient,
                    text="Please call us.",
                    first_name="Ana",
                    purpose=Purpose.REMINDER,
                    automatic=True,
                ),
                author_id=None,
                dedup_key=f"reminder-{day}-{patient}",
            )
            for patient, point in known.values()
        ]
        line.clinic.do(SYSTEM, post_all, line.gate, postings)
        line.courier.run_once()
    states = [row["state"] for row in outbox_rows(line.clinic.crm)]
    assert set(states) == {Delivery.SENT, Delivery.SUPPRESSED}
    assert states.count(Delivery.SENT) == len(line.provider.accepted) == len(gateway.handed_over)
    assert len(gateway.silent) > PEOPLE // 4
    assert gateway.broken == []
