"""A clinic whose texts go by Twilio: sent once, followed to the end, and answered, on both stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from crm_core.access.model import SYSTEM
from crm_core.channels.asking import ASKED_FOR
from crm_core.channels.attachments import LARGEST, attachments_of
from crm_core.channels.claiming import LEASE
from crm_core.channels.delivery import Courier
from crm_core.channels.gate import Gate
from crm_core.channels.gateways.base import Temporary
from crm_core.channels.gateways.texts import TextsChore
from crm_core.channels.gateways.twilio import VISIBLE_AFTER, TwilioGateway
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.model import Delivery, Direction, Report, Withheld
from crm_core.channels.tables import Message, Outbox
from crm_core.channels.vendors import add_vendor, end_vendor
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.answering.deliveries import InboxSendObserver
from crm_core.inbox.model import State
from crm_core.timers.chore import TimersChore
from crm_core.timers.model import Tally
from crm_core.words import Channel
from tests.channels.gateways.fake_twilio import NUMBER, SERVICE, FakeTwilio, fake_twilio
from tests.channels.gateways.test_twilio import table
from tests.inbox.conftest import ANA, BO, Clinic, clinic, read_once
from tests.inbox.looking import messages, outbox_rows

__all__ = ["clinic", "read_once"]

ANA_AT_TWILIO, BO_AT_TWILIO = "+12125550101", "+12125550102"
BILL, ANSWER = "How much is my bill?", "It is 20 dollars."


class Line:
    """The clinic, its Twilio, and the poller's part of it."""

    def __init__(
        self, clinic: Clinic, twilio: FakeTwilio, folder: Path, channel: Channel = Channel.SMS, **changes: Any
    ):
        self.clinic, self.twilio, self.channel = clinic, twilio, channel
        self.table = table(twilio.url, folder, **changes)
        self.gateway = TwilioGateway(channel, self.table)
        self.gate = Gate(gateways={channel: self.gateway})
        self.courier = Courier(units=clinic.crm.units, gate=self.gate, observers=(InboxSendObserver(),))
        self.chore = self.another_chore()
        with clinic.crm.write(SYSTEM) as unit:
            add_vendor(unit, name="Twilio", gateway=channel, baa_from=date(2026, 1, 1), baa_until=date(2026, 12, 31))

    def another_chore(self) -> TextsChore:
        """As another poller, or this one after a crash, has it."""
        return TextsChore(self.clinic.crm.units, {self.channel: self.table}, (InboxSendObserver(),))

    def answered(self, text: str = ANSWER, sender: str = ANA) -> int:
        """A conversation with an answer queued; its id."""
        number = self.clinic.text(BILL, sender).conversation_id
        assert number is not None
        self.clinic.do(self.clinic.agent, reply, self.gate, number, text)
        return number

    def poll(self, chore: TextsChore | None = None) -> Tally:
        """One run of the chore, and of what it set off."""
        tally = (chore or self.chore).run(lambda: False)
        TimersChore(self.clinic.crm.units, self.clinic.crm.timer_handlers).run(lambda: False)
        return tally

    def later(self, by: timedelta) -> None:
        """Let that much time pass."""
        self.clinic.at(self.clinic.crm.clock.now() + by)

    def received(self) -> list[str]:
        """What was said to us, in the order in which it was taken in."""
        with self.clinic.crm.read(SYSTEM) as unit:
            rows = unit.scalars(select(Message.body).where(Message.direction == Direction.IN).order_by(Message.id))
            return [str(unit.open(body)) for body in rows]

    def close(self) -> None:
        self.gateway.close()
        self.chore.close()


@pytest.fixture
def twilio(clinic: Clinic) -> Iterator[FakeTwilio]:
    with fake_twilio(clinic.crm.clock.now) as running:
        yield running


@pytest.fixture
def line(clinic: Clinic, twilio: FakeTwilio, tmp_path: Path) -> Iterator[Line]:
    made = Line(clinic, twilio, tmp_path)
    yield made
    made.close()


def row(line: Line) -> Any:
    return outbox_rows(line.clinic.crm)[-1]


def test_a_text_that_twilio_took_before_it_hung_up_is_found_and_not_sent_again(line: Line) -> None:
    line.answered()
    line.twilio.moods.append("drop")
    assert line.courier.run_once().sent == 1
    (taken,) = line.twilio.sent()
    assert (row(line)["state"], row(line)["provider_id"]) == (Delivery.SENT, taken.sid)


def test_one_that_shows_late_is_asked_after_and_not_sent_again(line: Line) -> None:
    line.answered()
    line.twilio.moods.append("drop")
    line.twilio.hidden = True
    assert line.courier.run_once().retried == 1
    line.later(LEASE)
    line.twilio.hidden = False
    assert line.courier.run_once().sent == 1
    assert len(line.twilio.sent()) == 1


def test_one_that_never_shows_is_sent_again_only_after_it_would_have_shown(line: Line) -> None:
    line.answered()
    line.twilio.moods.append("deaf")
    assert line.courier.run_once().retried == 1
    line.later(VISIBLE_AFTER - timedelta(seconds=10))
    line.courier.run_once()
    assert line.twilio.sent() == []
    line.later(timedelta(minutes=2))
    assert line.courier.run_once().sent == 1
    assert len(line.twilio.sent()) == 1


def test_the_same_words_sent_before_are_not_taken_for_a_lost_attempt(line: Line) -> None:
    number = line.answered()
    assert line.courier.run_once().sent == 1
    line.later(timedelta(minutes=1))
    line.clinic.text("Sorry, how much?")
    line.clinic.do(line.clinic.agent, reply, line.gate, number, ANSWER)
    line.twilio.moods.append("deaf")
    line.courier.run_once()
    line.later(VISIBLE_AFTER + LEASE)
    assert line.courier.run_once().sent == 1
    assert len({one["provider_id"] for one in outbox_rows(line.clinic.crm)}) == len(line.twilio.sent()) == 2


def test_two_with_the_same_words_of_which_one_arrived_are_for_a_person(line: Line) -> None:
    number = line.answered()
    line.clinic.do(line.clinic.agent, reply, line.gate, number, ANSWER)
    line.twilio.moods += ["drop", "deaf"]
    line.twilio.hidden = True
    line.courier.run_once()
    line.twilio.hidden = False
    line.later(VISIBLE_AFTER + LEASE)
    assert line.courier.run_once().unknown == 2
    assert len(line.twilio.sent()) == 1


def test_a_text_is_followed_until_it_is_delivered(line: Line) -> None:
    line.twilio.journey = (("sending", None), ("sent", None), ("delivered", None))
    number = line.answered()
    line.courier.run_once()
    looks = 0
    for seconds in (1, 6, 15):
        line.later(timedelta(seconds=seconds))
        looks += line.poll().done
    assert looks == 1
    assert (row(line)["state"], row(line)["reported"]) == (Delivery.SENT, Report.DELIVERED)
    asked = len(line.twilio.asked)
    line.later(timedelta(hours=1))
    line.poll()
    assert len(line.twilio.asked) == asked + 1  # what came in, and nothing else
    assert line.clinic.now_at(number).state is State.WAITING_PATIENT


def test_one_that_is_not_delivered_comes_back_with_the_reason(line: Line) -> None:
    line.twilio.journey = (("undelivered", 30003),)
    number = line.answered()
    line.courier.run_once()
    assert line.poll().failed == 1
    assert row(line)["failure"] == "not delivered: 30003 the device is off or cannot be reached"
    seen = line.clinic.now_at(number)
    assert seen.state is State.OPEN
    assert "not delivered" in str(seen.next_action)


def test_a_silent_carrier_is_asked_less_and_less_and_at_last_no_more(line: Line) -> None:
    line.answered()
    line.courier.run_once()
    asked, seconds = [], 1.0
    for _ in range(12):
        line.poll()
        asked.append(sum("/Messages/" in path for _, path, _ in line.twilio.asked))
        line.later(timedelta(seconds=seconds))
        seconds *= 2
    # At 0 s, and then whenever the text has become about twice as old: 1, 3, 7, 15, 31, … seconds.
    assert asked == [1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    line.later(ASKED_FOR)
    line.poll()
    assert sum("/Messages/" in path for _, path, _ in line.twilio.asked) == 10
    with line.clinic.crm.read(SYSTEM) as unit:
        assert line.chore.behind(unit) is None


def test_two_pollers_ask_about_a_text_once(line: Line) -> None:
    line.answered()
    line.courier.run_once()
    other = line.another_chore()
    line.poll()
    line.poll(other)
    other.close()
    assert sum("/Messages/" in path for _, path, _ in line.twilio.asked) == 1


def test_a_stop_that_only_twilio_heard_opts_the_number_out(line: Line) -> None:
    number = line.answered()
    line.twilio.moods.append("refuse 21610")
    assert line.courier.run_once().failed == 1
    line.clinic.text("Hello? How much?")
    with pytest.raises(Exception, match="opted out"):
        line.clinic.do(line.clinic.agent, reply, line.gate, number, ANSWER)


def test_a_busy_twilio_gets_the_text_when_it_said(line: Line) -> None:
    line.answered()
    line.twilio.moods.append("busy 300")
    before = line.clinic.crm.clock.now()
    assert line.courier.run_once().retried == 1
    assert row(line)["due_at"] == before + timedelta(seconds=300)
    line.later(timedelta(seconds=301))
    assert line.courier.run_once().sent == 1


def test_what_came_in_is_taken_in_page_by_page_the_oldest_first_and_once(line: Line) -> None:
    line.twilio.largest_page = 2
    for number in range(5):
        line.twilio.arrive(ANA_AT_TWILIO if number % 2 else BO_AT_TWILIO, f"Question {number} about my bill")
        line.later(timedelta(seconds=1))
    assert line.poll().done == 5
    assert line.received() == [f"Question {number} about my bill" for number in range(5)]
    again = line.another_chore()
    assert line.poll(again).done == line.poll().done == 0
    again.close()
    line.later(timedelta(days=30))
    line.twilio.arrive(ANA_AT_TWILIO, "One more question about my bill")
    assert line.poll().done == 1
    assert len(line.received()) == 6


def test_a_poller_that_dies_at_any_point_loses_nothing_and_takes_nothing_in_twice(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        line.twilio.arrive(ANA_AT_TWILIO, f"Question {number} about my bill")
        line.later(timedelta(seconds=1))
    took = 0

    def dies(*args: Any) -> Any:
        nonlocal took
        took += 1
        if took in (2, 5):
            raise KeyboardInterrupt
        return take_in(*args)

    monkeypatch.setattr("crm_core.channels.gateways.twilio_inbound.take_in", dies)
    for _ in range(3):
        chore = line.another_chore()
        try:
            line.poll(chore)
        except KeyboardInterrupt:
            continue
        finally:
            chore.close()
    assert line.received() == [f"Question {number} about my bill" for number in range(3)]


def test_one_that_shows_late_in_the_list_is_not_passed_over(line: Line) -> None:
    late = line.clinic.crm.clock.now()
    line.later(timedelta(minutes=5))
    line.twilio.arrive(ANA_AT_TWILIO, "I come first in the list")
    line.poll()
    line.twilio.arrive(BO_AT_TWILIO, "I was sent before", at=late)
    assert line.poll().done == 1


def test_one_whose_picture_still_arrives_is_waited_for_and_what_follows_with_it(line: Line) -> None:
    line.twilio.arrive(ANA_AT_TWILIO, "First of all")
    line.later(timedelta(seconds=1))
    arriving = line.twilio.arrive(ANA_AT_TWILIO, "See the picture", status="receiving")
    line.later(timedelta(seconds=1))
    line.twilio.arrive(BO_AT_TWILIO, "And after that")
    assert line.poll().done == 1
    arriving.status = "received"
    assert line.poll().done == 2


def test_files_come_along_up_to_the_limits_and_the_login_stays_with_twilio(line: Line) -> None:
    sid = line.twilio.arrive(ANA_AT_TWILIO, "My rash is better, thank you").sid
    line.twilio.messages[-1].media = [
        ("ME1", "image/jpeg", b"\xff\xd8 a photo"),
        ("ME2", "image/png", b"x" * (LARGEST + 1)),
    ]
    line.poll()
    (message,) = messages(line.clinic.crm)
    with line.clinic.crm.read(SYSTEM) as unit:
        files = attachments_of(unit, [message["id"]])[message["id"]]
        told = [(str(one.name), one.media_type, one.withheld) for one in files]
    assert told == [("ME1.jpg", "image/jpeg", None), ("ME2.png", "image/png", Withheld.TOO_LARGE)]
    assert files[0].size == 10
    assert sid


def test_a_file_that_cannot_be_had_does_not_keep_its_text_back(line: Line) -> None:
    line.twilio.arrive(ANA_AT_TWILIO, "See the picture")
    line.twilio.messages[-1].media = [("no/such", "image/jpeg", b"")]
    assert line.poll().done == 1
    assert messages(line.clinic.crm)[0]["attachments"] == 1


def test_whatsapp_comes_in_as_whatsapp_and_answers_go_there(clinic: Clinic, twilio: FakeTwilio, tmp_path: Path) -> None:
    line = Line(clinic, twilio, tmp_path, Channel.WHATSAPP)
    twilio.arrive(f"whatsapp:{ANA_AT_TWILIO}", BILL, to=f"whatsapp:{NUMBER}")
    twilio.arrive(ANA_AT_TWILIO, "An SMS is another gateway's", to=NUMBER)
    assert line.poll().done == 1
    (message,) = messages(clinic.crm)
    assert message["channel"] is Channel.WHATSAPP
    clinic.do(clinic.agent, reply, line.gate, message["conversation_id"], ANSWER)
    assert line.courier.run_once().sent == 1
    assert twilio.sent()[0].to == f"whatsapp:{ANA_AT_TWILIO}"
    line.close()


def test_a_messaging_service_brings_what_came_to_its_numbers_alone(
    clinic: Clinic, twilio: FakeTwilio, tmp_path: Path
) -> None:
    by_service: dict[str, Any] = {"from": None, "messaging_service": SERVICE}
    line = Line(clinic, twilio, tmp_path, **by_service)
    twilio.arrive(ANA_AT_TWILIO, BILL, to="+15550002000", service=SERVICE)
    twilio.arrive(BO_AT_TWILIO, "For somebody else", to="+15550003000", service="MG" + "c" * 32)
    assert line.poll().done == 1
    assert line.received() == [BILL]
    line.close()


def test_without_an_agreement_nothing_is_read_and_nothing_is_lost(line: Line) -> None:
    with line.clinic.crm.write(SYSTEM) as unit:
        end_vendor(unit, "Twilio")
    line.twilio.arrive(ANA_AT_TWILIO, BILL)
    assert line.poll() == Tally()
    with line.clinic.crm.write(SYSTEM) as unit:
        add_vendor(unit, name="Twilio", gateway="sms", baa_from=date(2026, 2, 1), baa_until=date(2026, 12, 31))
    assert line.poll().done == 1


def test_a_twilio_that_is_away_is_told_and_asked_again(line: Line) -> None:
    line.table.token_file.write_text("another\n")
    with pytest.raises(Temporary, match="401"):
        line.poll()
    line.chore.close()
    line.table.token_file.write_text("an-auth-token\n")
    line.twilio.arrive(ANA_AT_TWILIO, BILL)
    assert line.poll().done == 1


def test_one_that_twilio_does_not_know_is_not_asked_about_again(line: Line) -> None:
    line.answered(sender=BO)
    line.courier.run_once()
    with line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Outbox).values(provider_id="SM0"))
    for _ in range(3):
        line.poll()
        line.later(timedelta(hours=2))
    assert sum("/Messages/" in path for _, path, _ in line.twilio.asked) == 1
