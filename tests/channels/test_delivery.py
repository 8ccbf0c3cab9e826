"""Delivery: claimed, handed over once, settled by whoever still holds it (security.md, Sending; cases 13 to 16)."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from crm_core.access.model import SYSTEM
from crm_core.app import open_crm
from crm_core.channels.attempts import Fate
from crm_core.channels.claiming import LEASE, claim_due
from crm_core.channels.delivery import Courier, begin, settle
from crm_core.channels.gate import Gate
from crm_core.channels.gateways.base import Accepted, Outgoing
from crm_core.channels.model import Delivery
from crm_core.channels.outbox import outbox, resolve
from crm_core.channels.tables import Message
from crm_core.clock import ShiftedClock
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.answering.deliveries import InboxSendObserver
from crm_core.inbox.handling import close
from crm_core.inbox.model import State
from crm_core.patients.tables import Patient
from crm_core.settings import Settings
from crm_core.timers.model import Tally
from crm_core.timers.retrying import MOST_TRIES
from crm_core.words import Channel
from tests.channels.conftest import Line
from tests.channels.provider import ProviderGateway
from tests.conftest import MASTER, MONDAY
from tests.inbox.conftest import ANA, BO
from tests.inbox.looking import messages, outbox_rows, stored, tags

BILL = "How much is my bill?"
ANSWER = "It is 20 dollars."


def answered(line: Line, sender: str = ANA, text: str = ANSWER) -> int:
    """A conversation with an answer queued; its id."""
    number = line.clinic.text(BILL, sender).conversation_id
    assert number is not None
    line.clinic.do(line.clinic.agent, reply, line.gate, number, text)
    return number


def states(line: Line) -> list[Delivery]:
    """Where each row of the outbox is."""
    return [row["state"] for row in outbox_rows(line.clinic.crm)]


def later(line: Line, by: timedelta = LEASE + timedelta(seconds=1)) -> None:
    """Let that much time pass."""
    line.clinic.at(line.clinic.crm.clock.now() + by)


def test_what_is_due_is_handed_over_once_with_its_number_and_words(line: Line) -> None:
    number = answered(line)
    tally = line.courier.run_once()
    assert (tally.claimed, tally.done, tally.sent) == (1, 1, 1)
    (taken,) = line.provider.accepted
    assert (taken["to"], taken["body"]) == ("+12125550101", ANSWER)
    (row,) = outbox_rows(line.clinic.crm)
    assert (row["state"], row["provider_id"], row["lease_until"]) == (Delivery.SENT, f"p-{row['dedup_key']}", None)
    assert line.courier.run_once() == Tally()
    assert "message:outbound:sent" in tags(line.clinic.crm)
    assert line.clinic.now_at(number).messages[-1].delivery is Delivery.SENT


def test_what_is_held_does_not_go_before_its_time(line: Line) -> None:
    number = line.clinic.text(BILL).conversation_id
    line.clinic.do(line.clinic.agent, reply, line.gate, number, ANSWER, hold=timedelta(seconds=15))
    assert line.courier.run_once().claimed == 0
    later(line, timedelta(seconds=15))
    assert line.courier.run_once().sent == 1


def test_a_busy_provider_is_tried_eight_times_with_growing_pauses_and_then_it_comes_back(line: Line) -> None:
    number = answered(line)
    line.provider.mood = "busy"
    pauses = []
    for attempt in range(1, MOST_TRIES + 1):
        tally = line.courier.run_once()
        assert (tally.retried, tally.dead) == ((1, 0) if attempt < MOST_TRIES else (0, 1))
        (row,) = outbox_rows(line.clinic.crm)
        if attempt < MOST_TRIES:
            assert row["state"] is Delivery.QUEUED
            pauses.append((row["due_at"] - line.clinic.crm.clock.now()) / timedelta(seconds=30))
            line.clinic.at(row["due_at"])
    for pause, wanted in zip(pauses, (1, 2, 4, 8, 16, 32, 64), strict=True):
        assert 0.9 * wanted <= pause <= 1.1 * wanted
    assert row["state"] is Delivery.FAILED
    assert len(line.gateway.handed_over) == MOST_TRIES
    assert line.courier.run_once().claimed == 0
    after = stored(line.clinic.crm, number)
    assert (after["state"], after["owner_id"]) == (State.OPEN, line.clinic.agent.staff_id)
    assert after["due_at"] is not None


def test_a_refused_text_is_not_tried_again_and_a_closed_conversation_opens_for_it(line: Line) -> None:
    number = answered(line)
    line.clinic.do(line.clinic.agent, close, number, outcome="resolved")
    line.provider.mood = "stern"
    tally = line.courier.run_once()
    assert (tally.failed, tally.dead) == (1, 0)
    seen = line.clinic.now_at(number)
    assert (seen.state, seen.outcome) == (State.OPEN, None)
    assert "not delivered" in str(seen.next_action)


def test_a_failed_answer_does_not_put_off_the_clock_of_a_later_text(line: Line) -> None:
    number = answered(line)
    later(line, timedelta(minutes=5))
    line.clinic.text("and is it due today")
    due = stored(line.clinic.crm, number)["due_at"]
    line.provider.mood = "stern"
    later(line, timedelta(hours=1))
    line.courier.run_once()
    assert stored(line.clinic.crm, number)["due_at"] == due


def test_a_provider_that_takes_it_and_hangs_up_is_asked_and_nothing_goes_twice(line: Line) -> None:
    answered(line)
    line.provider.mood = "rude"
    assert line.courier.run_once().sent == 1
    assert list(line.provider.times().values()) == [1]


def test_a_provider_that_hangs_up_before_it_took_it_gets_it_later(line: Line) -> None:
    answered(line)
    line.provider.mood = "deaf"
    assert line.courier.run_once().retried == 1
    assert states(line) == [Delivery.SENDING]
    later(line)
    line.provider.mood = "kind"
    assert line.courier.run_once().sent == 1
    assert list(line.provider.times().values()) == [1]


def test_a_lost_connection_to_one_that_cannot_be_asked_is_unknown_and_not_sent_again_by_itself(line: Line) -> None:
    number = answered(line)
    line.provider.mood, line.provider.asked = "rude", "mute"
    assert line.courier.run_once().unknown == 1
    later(line, timedelta(days=1))
    line.provider.mood = "kind"
    assert line.courier.run_once().claimed == 0
    assert list(line.provider.times().values()) == [1]
    assert "Nobody knows" in str(line.clinic.now_at(number).next_action)


@pytest.mark.parametrize("sent", [True, False])
def test_a_person_settles_an_unknown_row_once_and_its_conversation_waits_again(line: Line, sent: bool) -> None:
    number = answered(line)
    line.provider.mood, line.provider.asked = "deaf", "mute"
    line.courier.run_once()
    (row,) = line.clinic.see(line.clinic.supervisor, outbox, state=Delivery.UNKNOWN)
    assert line.clinic.now_at(number).state is State.OPEN
    line.clinic.do(line.clinic.supervisor, resolve, row.id, sent=sent, observers=line.clinic.crm.observers)
    assert line.clinic.now_at(number).state is State.WAITING_PATIENT
    line.provider.mood = "kind"
    line.courier.run_once()
    assert states(line) == [Delivery.SENT]
    assert len(line.provider.accepted) == (0 if sent else 1)
    with pytest.raises(Exception, match="Only an unknown row"):
        line.clinic.do(line.clinic.supervisor, resolve, row.id, sent=sent)


@dataclass
class Dies(ProviderGateway):
    """Its process dies after the provider has it."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand it over and never come back."""
        super().send(outgoing)
        raise KeyboardInterrupt


def test_after_a_crash_the_provider_is_asked_and_nothing_goes_twice(line: Line) -> None:
    answered(line)
    alive = line.gateway
    line.use(Dies(line.provider.port))
    with pytest.raises(KeyboardInterrupt):
        line.courier.run_once()
    line.use(alive)
    assert line.courier.run_once().claimed == 0
    later(line)
    assert line.courier.run_once().sent == 1
    assert list(line.provider.times().values()) == [1]
    assert alive.handed_over == []


@pytest.mark.parametrize(
    ("asked", "state"),
    [("mute", Delivery.UNKNOWN), ("broken", Delivery.UNKNOWN), ("busy", Delivery.SENDING)],
)
def test_while_the_provider_cannot_be_asked_what_may_have_left_is_never_sent_again(
    line: Line, asked: str, state: Delivery
) -> None:
    answered(line)
    line.use(Dies(line.provider.port))
    with pytest.raises(KeyboardInterrupt):
        line.courier.run_once()
    line.use(ProviderGateway(line.provider.port))
    line.provider.asked = asked
    for _ in range(3):
        later(line, timedelta(hours=2))
        line.courier.run_once()
        assert states(line) == [state]
    assert list(line.provider.times().values()) == [1]
    line.provider.asked = "kind"
    later(line, timedelta(hours=2))
    line.courier.run_once()
    assert list(line.provider.times().values()) == [1]
    assert line.gateway.handed_over == []


def test_what_was_claimed_and_surely_not_handed_over_is_sent_though_the_provider_cannot_be_asked(line: Line) -> None:
    answered(line)
    with line.clinic.crm.write(SYSTEM) as unit:
        assert len(claim_due(unit, line.gate, (), Tally())) == 1
    line.provider.asked = "mute"
    later(line)
    assert line.courier.run_once().sent == 1


def test_a_sender_that_slept_through_its_lease_neither_sends_nor_settles(line: Line) -> None:
    answered(line)
    with line.clinic.crm.write(SYSTEM) as unit:
        (asleep,) = claim_due(unit, line.gate, (), Tally())
    later(line)
    assert line.courier.run_once().sent == 1
    with line.clinic.crm.write(SYSTEM) as unit:
        assert begin(unit, line.gate, asleep) is None
    tally = Tally()
    with line.clinic.crm.write(SYSTEM) as unit:
        settle(unit, asleep, Fate(state=Delivery.FAILED, failure="late"), (InboxSendObserver(),), tally)
    assert tally == Tally()
    assert states(line) == [Delivery.SENT]
    assert list(line.provider.times().values()) == [1]


@dataclass
class OptsOut(ProviderGateway):
    """While the first text leaves, the second's recipient says STOP."""

    line: Line | None = None

    def send(self, outgoing: Outgoing) -> Accepted:
        """Send, and let the other answer meanwhile."""
        assert self.line is not None
        self.line.clinic.text("STOP", BO)
        return super().send(outgoing)


def test_an_opt_out_between_claim_and_send_still_stops_the_text(line: Line) -> None:
    answered(line, ANA)
    second = answered(line, BO)
    line.use(OptsOut(line.provider.port, line=line))
    line.courier.deliver_batch()
    rows = {row["patient_id"]: row["state"] for row in outbox_rows(line.clinic.crm) if row["patient_id"]}
    patients = line.clinic.patients
    assert rows == {patients["Ana"]: Delivery.SENT, patients["Bo"]: Delivery.SUPPRESSED}
    assert [each["to"] for each in line.provider.accepted] == ["+12125550101"]
    assert "message:outbound:suppressed" in tags(line.clinic.crm)
    assert stored(line.clinic.crm, second)["state"] is State.OPEN


def test_an_opt_out_between_queue_and_claim_cancels_the_text_and_the_conversation_comes_back(line: Line) -> None:
    number = answered(line)
    line.clinic.text("STOP")
    row = next(row for row in outbox_rows(line.clinic.crm) if row["patient_id"])
    assert (row["state"], row["failure"]) == (Delivery.SUPPRESSED, "opted out")
    seen = line.clinic.now_at(number)
    assert (seen.state, seen.owner_id) == (State.OPEN, line.clinic.agent.staff_id)
    assert "may not be sent" in str(seen.next_action)
    line.courier.run_once()
    assert not any(each["body"] == ANSWER for each in line.provider.accepted)


def test_a_death_between_queue_and_claim_cancels_the_text(line: Line) -> None:
    answered(line)
    with line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Patient).where(Patient.id == line.clinic.patients["Ana"]).values(deceased=True))
    line.courier.run_once()
    (row,) = outbox_rows(line.clinic.crm)
    assert (row["state"], row["failure"]) == (Delivery.SUPPRESSED, "deceased")


def test_one_row_that_does_not_open_does_not_hold_up_the_others(line: Line) -> None:
    answered(line, ANA)
    answered(line, BO)
    with line.clinic.crm.write(SYSTEM) as unit:
        outgoing = [row["id"] for row in messages(line.clinic.crm) if row["direction"] == "out"]
        other = unit.scalar(select(Message.__table__.c.body_sealed).where(Message.__table__.c.id == outgoing[1]))
        table = Message.__table__
        unit.execute(update(table).where(table.c.id == outgoing[0]).values(body_sealed=other))  # type: ignore[arg-type]
    tally = line.courier.run_once()
    assert (tally.sent, tally.failed) == (1, 1)
    assert sorted(states(line)) == [Delivery.FAILED, Delivery.SENT]


def test_rows_for_which_no_time_is_left_go_in_the_next_batch_and_lose_no_try(line: Line) -> None:
    for sender in (ANA, BO):
        answered(line, sender)

    @dataclass
    class Slow(ProviderGateway):
        def send(self, outgoing: Outgoing) -> Accepted:
            later(line, timedelta(seconds=40))
            return super().send(outgoing)

    line.use(Slow(line.provider.port))
    tally = line.courier.run_once()
    assert (tally.sent, tally.retried) == (2, 1)
    assert sorted(row["tries"] for row in outbox_rows(line.clinic.crm)) == [1, 1]
    assert set(line.provider.times().values()) == {1}


def _deliver(settings: Settings, port: int, minutes: int) -> None:
    clock = ShiftedClock(MONDAY + timedelta(minutes=minutes))
    with open_crm(settings, master=MASTER, clock=clock) as crm:
        gate = Gate(gateways={Channel.SMS: ProviderGateway(port)})
        Courier(units=crm.units, gate=gate, observers=(InboxSendObserver(),)).run_once()


def queue_many(line: Line, count: int) -> None:
    """So many answers, queued."""
    number = line.clinic.text(BILL).conversation_id
    for at in range(count):
        line.clinic.do(line.clinic.agent, reply, line.gate, number, f"Answer {at}")


def test_two_processes_at_once_send_each_text_once(line: Line, settings: Settings) -> None:
    queue_many(line, 120)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_deliver, args=(settings, line.provider.port, 0)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
        assert worker.exitcode == 0
    assert set(line.provider.times().values()) == {1}
    assert len(line.provider.times()) == 120
    assert set(states(line)) == {Delivery.SENT}


def test_senders_killed_at_any_moment_lose_nothing_and_send_nothing_twice(line: Line, settings: Settings) -> None:
    queue_many(line, 60)
    context = multiprocessing.get_context("spawn")
    for kill in range(5):
        worker = context.Process(target=_deliver, args=(settings, line.provider.port, kill * 3))
        worker.start()
        line.provider.wait_for(kill * 7 + 4)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join(timeout=60)
    _deliver(settings, line.provider.port, 60)
    assert set(line.provider.times().values()) == {1}
    assert len(line.provider.times()) == 60
    assert set(states(line)) == {Delivery.SENT}
