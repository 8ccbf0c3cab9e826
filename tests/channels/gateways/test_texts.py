"""Texts by Twilio leave once and are followed to their end, on both stores."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from crm_core.access.model import SYSTEM
from crm_core.channels.asking import ASKED_FOR
from crm_core.channels.claiming import LEASE
from crm_core.channels.delivery import Courier
from crm_core.channels.gate import Gate
from crm_core.channels.gateways.base import Temporary
from crm_core.channels.gateways.rates import Pace, Paced
from crm_core.channels.gateways.twilio import VISIBLE_AFTER
from crm_core.channels.model import Delivery, Report
from crm_core.channels.outbox import resolve
from crm_core.channels.tables import Outbox
from crm_core.errors import AlreadyInUse
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.model import State
from crm_core.words import Channel
from tests.channels.gateways.texting import ANSWER, Line, line, row, twilio
from tests.inbox.conftest import ANA, BO, clinic, read_once
from tests.inbox.looking import outbox_rows

__all__ = ["clinic", "line", "read_once", "twilio"]


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


def test_one_that_was_sent_again_is_given_its_own_time_to_show(line: Line) -> None:
    line.answered()
    line.twilio.moods += ["deaf", "drop"]
    line.twilio.hidden = True
    line.courier.run_once()
    line.later(VISIBLE_AFTER + timedelta(seconds=10))
    line.courier.run_once()
    (taken,) = line.twilio.sent()
    line.later(VISIBLE_AFTER - timedelta(seconds=10))
    line.courier.run_once()
    line.twilio.hidden = False
    line.later(timedelta(minutes=10))
    assert line.courier.run_once().sent == 1
    assert (line.twilio.sent(), row(line)["provider_id"]) == ([taken], taken.sid)


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


def test_what_a_person_found_to_be_sent_is_not_taken_for_another_with_the_same_words(line: Line) -> None:
    number = line.answered()
    line.courier.run_once()
    with line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Outbox).values(state=Delivery.UNKNOWN, provider_id=None, settled_at=None))
        resolve(unit, row(line)["id"], sent=True)
    line.later(timedelta(minutes=1))
    line.clinic.do(line.clinic.agent, reply, line.gate, number, ANSWER)
    line.twilio.moods.append("deaf")
    assert line.courier.run_once().unknown == 1
    assert row(line)["state"] is Delivery.UNKNOWN


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


def test_a_text_whose_turn_is_far_off_goes_back_and_has_used_up_no_try(line: Line, tmp_path: Path) -> None:
    number = line.answered()
    line.clinic.do(line.clinic.agent, reply, line.gate, number, "And one more thing.")
    pace = Pace(tmp_path / "gateway-sms.pace", 0.1, lambda: line.clinic.crm.clock.now().timestamp())
    gate = Gate(gateways={Channel.SMS: Paced(line.gateway, pace)})
    courier = Courier(units=line.clinic.crm.units, gate=gate, observers=())
    before = line.clinic.crm.clock.now()
    tally = courier.run_once()
    assert (tally.sent, tally.retried) == (1, 1)
    assert (row(line)["state"], row(line)["tries"], row(line)["begun_at"]) == (Delivery.QUEUED, 0, None)
    assert row(line)["due_at"] == before + timedelta(seconds=10)
    line.later(timedelta(seconds=10))
    assert courier.run_once().sent == 1


def test_two_rows_never_hold_one_message_of_twilios(line: Line) -> None:
    line.answered()
    line.answered(sender=BO)
    line.courier.run_once()
    with pytest.raises(AlreadyInUse), line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Outbox).values(provider_id="SM1"))


def test_one_whose_answer_cannot_be_read_holds_up_no_other(line: Line) -> None:
    for sender in (ANA, BO):
        line.answered(sender=sender)
        assert line.courier.run_once().sent == 1
        line.later(timedelta(minutes=10))
    first, second = line.twilio.sent()
    first.journey.append(("delivered", None))
    line.twilio.unreadable.add(second.sid)
    with pytest.raises(Temporary, match="cannot be read"):
        line.poll()
    line.poll()
    assert outbox_rows(line.clinic.crm)[0]["reported"] is Report.DELIVERED


def test_one_that_twilio_does_not_know_is_not_asked_about_again(line: Line) -> None:
    line.answered(sender=BO)
    line.courier.run_once()
    with line.clinic.crm.write(SYSTEM) as unit:
        unit.execute(update(Outbox).values(provider_id="SM0"))
    for _ in range(3):
        line.poll()
        line.later(timedelta(hours=2))
    assert sum("/Messages/" in path for _, path, _ in line.twilio.asked) == 1
