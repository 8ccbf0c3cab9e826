"""What comes in by Twilio is taken in with its files, nothing lost and nothing twice, on both stores."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_core.access.model import SYSTEM
from crm_core.channels.attachments import LARGEST, attachments_of
from crm_core.channels.gateways.base import Temporary
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.model import Attached, Inbound, Withheld
from crm_core.channels.vendors import add_vendor, end_vendor
from crm_core.inbox.answering.answers import reply
from crm_core.timers.model import Tally
from crm_core.words import Channel
from tests.channels.gateways.fake_twilio import NUMBER, SERVICE, FakeTwilio
from tests.channels.gateways.texting import ANA_AT_TWILIO, ANSWER, BILL, BO_AT_TWILIO, Line, line, twilio
from tests.inbox.conftest import Clinic, clinic, read_once
from tests.inbox.looking import messages

__all__ = ["clinic", "line", "read_once", "twilio"]


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


def test_one_that_never_ends_arriving_holds_up_what_follows_no_longer_than_a_minute(line: Line) -> None:
    line.twilio.arrive(ANA_AT_TWILIO, "See the picture", status="receiving")
    line.twilio.arrive(BO_AT_TWILIO, "I have chest pain")
    line.later(timedelta(minutes=1))
    assert line.poll().done == 2
    assert line.poll().done == 0


@pytest.mark.parametrize("odd", ["Fri, 01 Jan 2099 00:00:00 +0000", "2026-11-23", "yesterday"])
def test_a_date_of_no_known_form_or_far_ahead_stops_nothing_now_or_later(line: Line, odd: str) -> None:
    line.twilio.arrive(ANA_AT_TWILIO, "Dated by a wrong clock", dated=odd)
    line.twilio.arrive(BO_AT_TWILIO, "Dated by a right one")
    assert line.poll().done == 2
    line.later(timedelta(minutes=30))
    line.twilio.arrive(ANA_AT_TWILIO, "And what came after")
    assert line.poll().done == 1
    assert line.poll().done == 0


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


def test_files_that_take_too_long_come_after_the_texts(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    for sender in (ANA_AT_TWILIO, BO_AT_TWILIO):
        line.twilio.arrive(sender, "My rash is better, thank you")
        line.twilio.messages[-1].media = [("ME1", "image/jpeg", b"a photo")]
    monkeypatch.setattr("crm_core.channels.gateways.twilio_inbound.LONGEST_FILES", 0.0)
    assert line.poll().done == 2
    assert not any("/Media" in path for _, path, _ in line.twilio.asked)
    monkeypatch.undo()
    assert line.poll().done == 0
    numbers = [message["id"] for message in messages(line.clinic.crm)]
    with line.clinic.crm.read(SYSTEM) as unit:
        files = attachments_of(unit, numbers)
    assert [[(str(one.name), one.size) for one in files[number]] for number in numbers] == [[("ME1.jpg", 7)]] * 2


def test_files_that_a_webhook_only_named_are_added_to_its_text(line: Line) -> None:
    sid = line.twilio.arrive(ANA_AT_TWILIO, "My rash is better, thank you").sid
    line.twilio.messages[-1].media = [("ME1", "image/jpeg", b"a photo"), ("ME2", "image/png", b"x" * (LARGEST + 1))]
    crm = line.clinic.crm
    by_webhook = Inbound(
        channel=Channel.SMS,
        sender=ANA_AT_TWILIO,
        text="My rash is better, thank you",
        at=crm.clock.now(),
        provider_id=sid,
        attachments=(Attached(name="media 1", media_type="image/jpeg"), Attached(name="media 2")),
    )
    with crm.write(SYSTEM) as unit:
        take_in(unit, "twilio", by_webhook)
    for _ in range(3):  # the first look comes before that text has been handled
        assert line.poll().done == 0
    (message,) = messages(crm)
    with crm.read(SYSTEM) as unit:
        files = attachments_of(unit, [message["id"]])[message["id"]]
        assert [(str(one.name), one.size, one.withheld) for one in files] == [
            ("ME1.jpg", 7, None),
            ("ME2.png", LARGEST + 1, Withheld.TOO_LARGE),
        ]
    assert sum(path.endswith("Media.json") for _, path, _ in line.twilio.asked) == 2


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
