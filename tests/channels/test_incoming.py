"""What is brought is written down once, sealed, and handled: a text, a ring; and nobody is looked at meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from crm_core.access.model import SYSTEM
from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Tag
from crm_core.channels.incoming.model import LISTENER
from crm_core.channels.incoming.payload import Payload, kind_of, read, written
from crm_core.channels.incoming.tables import Incoming
from crm_core.channels.incoming.taking import is_the_same, take_in
from crm_core.channels.incoming.waiting import waiting
from crm_core.channels.model import Attached, Inbound, Report
from crm_core.channels.reports import Reported
from crm_core.channels.ringing.model import Ringing, RingState
from crm_core.channels.ringing.tables import Ring
from crm_core.channels.tables import Message
from crm_core.errors import NotPermitted
from crm_core.patients.search import find
from crm_core.timers.tables import TimerRow
from crm_core.vault.sealing import Tampered
from crm_core.words import Channel
from tests.channels.incoming import count, handle
from tests.conftest import MONDAY
from tests.inbox.conftest import ANA, Clinic

TEXT = Inbound(channel=Channel.SMS, sender=ANA, text="May I come at four?", at=MONDAY, provider_id="SM1")
RING = Ringing(call_id="call-1", number=ANA, line="front desk", at=MONDAY)
DELIVERED = Reported(source="twilio", fate=Report.DELIVERED, at=MONDAY, provider_id="SM9", code="30003")


def brought(clinic: Clinic, *all_of_them: Payload, source: str = "twilio") -> list[int | None]:
    with clinic.crm.write(LISTENER) as unit:
        return [take_in(unit, source, each) for each in all_of_them]


@pytest.mark.parametrize(
    "each",
    [
        TEXT,
        replace(
            TEXT,
            channel=Channel.EMAIL,
            subject="Re: \ud83d lone",
            attachments=(Attached(name="a.jpg", media_type="image/jpeg", size=3, content=b"\x00\xff\x1b"), Attached()),
            references=("<a@b>", "<c@d>"),
            automatic=True,
            category_hint="Refill",
        ),
        replace(RING, state=RingState.ENDED),
        DELIVERED,
    ],
)
def test_what_is_written_down_is_read_as_it_was(each: Payload) -> None:
    assert read(kind_of(each), written(each)) == each


def test_a_text_waits_sealed_and_is_a_message_once_it_is_handled(clinic: Clinic) -> None:
    (row_id,) = brought(clinic, TEXT)
    with clinic.crm.read(SYSTEM) as unit:
        row = unit.execute(select(Incoming.payload_sealed, Incoming.handled_at)).one()
        assert b"four" not in row.payload_sealed
        timer = unit.execute(select(TimerRow.kind, TimerRow.subject_id, TimerRow.run_at)).one()
        assert (timer.kind, timer.subject_id, timer.run_at) == ("incoming", row_id, MONDAY)
    assert count(clinic.crm, Message) == 0
    handle(clinic.crm)
    handle(clinic.crm)
    assert count(clinic.crm, Message) == 1
    assert count(clinic.crm, Incoming, Incoming.payload_sealed.is_(None), Incoming.handled_at.is_not(None)) == 1


def test_the_same_thing_twice_is_one_row_before_and_after_it_is_handled(clinic: Clinic) -> None:
    assert brought(clinic, TEXT, TEXT)[1] is None
    handle(clinic.crm)
    assert brought(clinic, replace(TEXT, at=MONDAY + timedelta(seconds=9))) == [None]
    assert count(clinic.crm, Incoming) == count(clinic.crm, TimerRow) == 1
    # Another provider's id of the same spelling, another channel's, and one without any, are others.
    others = replace(TEXT, channel=Channel.WHATSAPP), replace(TEXT, provider_id=None), replace(TEXT, provider_id=None)
    assert None not in brought(clinic, *others) + brought(clinic, TEXT, source="other")


def test_another_text_under_a_known_id_is_told_from_the_same_one_brought_later(clinic: Clinic) -> None:
    brought(clinic, TEXT)
    handle(clinic.crm)
    with clinic.crm.read(LISTENER) as unit:
        assert is_the_same(unit, "twilio", replace(TEXT, at=MONDAY + timedelta(minutes=1)))
        assert not is_the_same(unit, "twilio", replace(TEXT, text="May I come at five?"))


def test_deliveries_of_one_thing_at_the_same_time_make_one_row(clinic: Clinic) -> None:
    def once(_: int) -> int | None:
        return brought(clinic, TEXT)[0]

    with ThreadPoolExecutor(8) as pool:
        taken = [row_id for row_id in pool.map(once, range(16)) if row_id is not None]
    assert len(taken) == count(clinic.crm, Incoming) == count(clinic.crm, TimerRow) == 1


def test_taking_in_opens_nobody_and_the_listener_may_do_nothing_else(clinic: Clinic) -> None:
    def tags() -> Counter[str]:
        with clinic.crm.read(SYSTEM) as unit:
            return Counter(unit.scalars(select(AuditRow.tag)))

    before = tags()
    brought(clinic, TEXT, RING, replace(RING, call_id="call-2", number="+1 212 555 0199"))
    assert tags() - before == {Tag.INCOMING_TAKEN: 3}
    with pytest.raises(NotPermitted), clinic.crm.read(LISTENER) as unit:
        find(unit, "Lopez")


def test_one_that_does_not_open_is_kept_and_undoes_its_own_unit_alone(clinic: Clinic) -> None:
    bad, good = brought(clinic, TEXT, replace(TEXT, provider_id="SM2", text="and one more"))
    with clinic.crm.write(SYSTEM) as unit:
        other = unit.scalar(select(Incoming.payload_sealed).where(Incoming.id == good))
        unit.execute(update(Incoming).where(Incoming.id == bad).values(payload_sealed=other))
    with pytest.raises(Tampered):
        handle(clinic.crm)
    assert count(clinic.crm, Message) == 0
    assert count(clinic.crm, Incoming, Incoming.payload_sealed.is_not(None)) == 2


def test_danger_in_a_text_that_was_brought_alarms(clinic: Clinic) -> None:
    brought(clinic, replace(TEXT, text="STOP, I have chest pain"))
    handle(clinic.crm)
    with clinic.crm.read(SYSTEM) as unit:
        assert unit.scalars(select(AuditRow.tag).where(AuditRow.tag == Tag.CONVERSATION_ALARMED)) != []


def ring_rows(clinic: Clinic) -> list[Any]:
    with clinic.crm.read(SYSTEM) as unit:
        return list(unit.execute(select(Ring.state, Ring.contact_point_id, Ring.number_sealed).order_by(Ring.id)))


@pytest.fixture
def tell(clinic: Clinic) -> Callable[..., None]:
    def told(*states: RingState, **more: Any) -> None:
        brought(clinic, *(replace(RING, state=state, **more) for state in states))
        handle(clinic.crm)

    return told


def test_a_call_moves_on_and_never_back(clinic: Clinic, tell: Callable[..., None]) -> None:
    tell(RingState.RINGING)
    assert [row.state for row in ring_rows(clinic)] == [RingState.RINGING]
    tell(RingState.ENDED, RingState.ANSWERED)
    tell(RingState.ENDED, RingState.RINGING, call_id="call-2")
    assert [row.state for row in ring_rows(clinic)] == [RingState.ENDED, RingState.ENDED]


@pytest.mark.parametrize("number", ["", "anonymous", "Restricted", "\u202e"])
def test_a_withheld_number_rings_without_one(clinic: Clinic, tell: Callable[..., None], number: str) -> None:
    tell(RingState.RINGING, number=number)
    assert [(row.contact_point_id, row.number_sealed) for row in ring_rows(clinic)] == [(None, None)]


def test_a_number_is_forgotten_a_day_after_it_rang(clinic: Clinic, tell: Callable[..., None]) -> None:
    tell(RingState.RINGING)
    clinic.at(MONDAY + timedelta(days=1, minutes=1))
    tell(RingState.RINGING, call_id="call-2", at=MONDAY + timedelta(days=1))
    assert [row.number_sealed is None for row in ring_rows(clinic)] == [True, False]


def test_a_report_that_overtakes_its_message_is_asked_about_again_and_put_away_at_last(clinic: Clinic) -> None:
    brought(clinic, DELIVERED)
    assert handle(clinic.crm) == 1
    assert count(clinic.crm, Incoming, Incoming.handled_at.is_(None)) == 1
    clinic.at(MONDAY + timedelta(minutes=11))
    assert handle(clinic.crm) == 0
    assert count(clinic.crm, Incoming, Incoming.handled_at.is_(None)) == 0


def test_a_report_of_what_is_not_ours_is_nobodys_danger(clinic: Clinic) -> None:
    brought(clinic, DELIVERED)
    handle(clinic.crm)
    clinic.at(MONDAY + timedelta(minutes=1))
    with clinic.crm.read(LISTENER) as unit:
        assert not waiting(unit).too_long


def test_what_nobody_handles_is_told(clinic: Clinic) -> None:
    def told() -> tuple[int, bool]:
        with clinic.crm.read(LISTENER) as unit:
            waits = waiting(unit)
        return waits.count, waits.too_long

    assert told() == (0, False)
    brought(clinic, TEXT, RING)
    assert told() == (2, False)
    clinic.at(MONDAY + timedelta(seconds=11))
    assert told() == (2, True)
    handle(clinic.crm)
    assert told() == (0, False)
