"""Short ways for the tests of this room to let something be said, and to look at what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.channels.consent.book import ConsentBook, consent_book
from crm_core.channels.consent.model import About, Decision, How, Standing
from crm_core.channels.consent.service import record
from crm_core.channels.gate import Candidate
from crm_core.channels.outbox import Posting, post
from crm_core.patients.tables import POINT
from crm_core.tasks.tables import Task
from crm_core.words import Channel, Purpose
from tests.inbox.conftest import Clinic

GRANTED, WITHDRAWN = Decision.GRANTED, Decision.WITHDRAWN


def say(clinic: Clinic, who: str, decision: Decision, about: About = About.OUTREACH, **more: Any) -> int:
    """One entry about texts, a minute after whatever was before."""
    clinic.at(clinic.crm.clock.now() + timedelta(minutes=1))
    given = {"channel": Channel.SMS, "how": How.PHONE, "evidence": "said so to Ann", **more}
    entry: int = clinic.do(clinic.agent, record, clinic.patients[who], about=about, decision=decision, **given)
    return entry


def point_of(clinic: Clinic, number: int) -> int:
    """The id of the n-th number that was ever told to us, from 0: Ana's, then Bo's."""
    with clinic.crm.read(SYSTEM) as unit:
        return int(unit.scalars(select(POINT.c.id).order_by(POINT.c.id))[number])


def book(clinic: Clinic) -> ConsentBook:
    """What stands of everybody."""
    with clinic.crm.read(SYSTEM) as unit:
        points = unit.scalars(select(POINT.c.id))
        return consent_book(unit, sorted(clinic.patients.values()), points)


def standing(clinic: Clinic, who: str, point: int | None = None, purpose: Purpose = Purpose.OUTREACH) -> Standing:
    """What stands of one of them, for texts."""
    return book(clinic).standing(clinic.patients[who], point, Channel.SMS, purpose)


def queue(clinic: Clinic, who: str, point: int, key: str, **more: Any) -> int:
    """One automatic reminder to one of them, by the gate."""
    facts = {"purpose": Purpose.REMINDER, **more}
    candidate = Candidate(
        channel=Channel.SMS,
        contact_point_id=point,
        patient_id=clinic.patients[who],
        text=f"{who}, see you tomorrow at ten.",
        first_name=who,
        automatic=True,
        **facts,
    )
    posting = Posting(conversation_id=None, candidate=candidate, author_id=None, dedup_key=key)
    number: int = clinic.do(SYSTEM, post, clinic.crm.gate, posting)
    return number


def tasks(clinic: Clinic) -> list[tuple[str, str, int | None]]:
    """Every task's kind, state and patient, by id."""
    table = Task.__table__
    with clinic.crm.read(SYSTEM) as unit:
        rows = unit.execute(select(table.c.kind, table.c.state, table.c.patient_id).order_by(table.c.id))
        return [(row.kind.value, row.state.value, row.patient_id) for row in rows]
