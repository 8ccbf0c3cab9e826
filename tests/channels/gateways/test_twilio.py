"""Twilio as a gateway: what leaves, how each end is told apart, and how a lost answer is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_core.channels.gateways.base import (
    CannotTell,
    Found,
    NotFound,
    Outgoing,
    Permanent,
    Sought,
    Temporary,
    UnknownFate,
)
from crm_core.channels.gateways.twilio import LONGEST, VISIBLE_AFTER, TwilioGateway
from crm_core.channels.gateways.twilio_api import TwilioApi
from crm_core.channels.gateways.twilio_reports import reported
from crm_core.twilio_settings import TwilioTable
from crm_core.words import Channel
from tests.channels.gateways.dripping import dripping
from tests.channels.gateways.fake_twilio import ACCOUNT, NUMBER, SERVICE, TOKEN, FakeTwilio, Kept, fake_twilio
from tests.conftest import MONDAY

ANA = "+12125550101"
WORDS = Outgoing(attempt_id="message-7", to=ANA, body="It’s ready — Él\nwaits.")


def table(url: str, folder: Path, **changes: Any) -> TwilioTable:
    """Settings as crm.toml would hold them."""
    token = folder / "twilio-token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    values = {
        "kind": "twilio",
        "account": ACCOUNT,
        "token_file": token,
        "from": NUMBER,
        "base_url": url,
        "vendor": "Twilio",
        **changes,
    }
    return TwilioTable.model_validate({name: value for name, value in values.items() if value is not None})


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with fake_twilio(lambda: MONDAY) as running:
        yield running


@contextmanager
def gateway_to(settings: TwilioTable, channel: Channel = Channel.SMS) -> Iterator[TwilioGateway]:
    made = TwilioGateway(channel, settings)
    yield made
    made.close()


@pytest.fixture
def gateway(twilio: FakeTwilio, tmp_path: Path) -> Iterator[TwilioGateway]:
    with gateway_to(table(twilio.url, tmp_path)) as made:
        yield made


def sought(after: timedelta = timedelta(0), **more: Any) -> Sought:
    return Sought(**{"outgoing": WORDS, "begun_at": MONDAY, "asked_at": MONDAY + after, **more})


def lying(twilio: FakeTwilio, body: str = WORDS.body, **more: Any) -> str:
    """A text of ours lies there; its id."""
    values = {"to": ANA, "sender": NUMBER, "status": "queued", "inbound": False, "at": MONDAY, "queued": True, **more}
    return twilio.keep(Kept(sid=twilio.new_sid("SM"), body=body, **values)).sid


def test_a_text_leaves_with_its_number_and_its_words_and_is_known_by_twilios_id(
    twilio: FakeTwilio, gateway: TwilioGateway
) -> None:
    accepted = gateway.send(WORDS)
    (taken,) = twilio.sent()
    assert (taken.to, taken.sender, taken.body) == (ANA, NUMBER, WORDS.body)
    assert accepted.provider_id == taken.sid


def test_whatsapp_is_addressed_as_such(twilio: FakeTwilio, tmp_path: Path) -> None:
    with gateway_to(table(twilio.url, tmp_path), Channel.WHATSAPP) as made:
        made.send(WORDS)
    (taken,) = twilio.sent()
    assert (taken.to, taken.sender) == (f"whatsapp:{ANA}", f"whatsapp:{NUMBER}")


def test_a_messaging_service_picks_the_number(twilio: FakeTwilio, tmp_path: Path) -> None:
    with gateway_to(table(twilio.url, tmp_path, **{"from": None}, messaging_service=SERVICE)) as made:
        sid = made.send(WORDS).provider_id
        form = {"To": ANA, "Body": WORDS.body, "MessagingServiceSid": SERVICE}
        assert [one for _, _, one in twilio.asked] == [form]
        assert made.find(sought()) == Found(provider_id=sid)


def test_a_text_that_twilio_would_not_take_whole_is_not_handed_over(twilio: FakeTwilio, gateway: TwilioGateway) -> None:
    for body in ("x" * (LONGEST + 1), "👍" * (LONGEST // 2 + 1)):
        with pytest.raises(Permanent, match="longer than 1600"):
            gateway.send(Outgoing(attempt_id="a", to=ANA, body=body))
    gateway.send(Outgoing(attempt_id="a", to=ANA, body="x" * LONGEST))
    assert len(twilio.sent()) == 1


@pytest.mark.parametrize(
    ("mood", "error", "reason"),
    [
        ("busy 7", Temporary, "429"),
        ("status 503", Temporary, "503"),
        ("status 401", Temporary, "401"),
        ("status 403", Temporary, "403"),
        ("status 404", Temporary, "404"),
        ("status 301", Temporary, "301"),
        ("refuse 20003", Temporary, "20003"),
        ("refuse 21606", Temporary, "from cannot send"),
        ("refuse 21408", Permanent, "that country"),
        ("refuse 29999", Permanent, "29999"),
        ("status 400", Permanent, "400"),
        ("status 500", UnknownFate, "500"),
        ("mute 502", UnknownFate, "502"),
        ("mute 504", UnknownFate, "504"),
        ("mute 201", UnknownFate, "cannot be read"),
        ("drop", UnknownFate, "lost"),
        ("deaf", UnknownFate, "lost"),
    ],
)
def test_each_end_of_an_attempt_is_told_apart_and_names_nobody(
    twilio: FakeTwilio, gateway: TwilioGateway, mood: str, error: type[Exception], reason: str
) -> None:
    twilio.moods.append(mood)
    with pytest.raises(error, match=reason) as caught:
        gateway.send(WORDS)
    assert ANA not in str(caught.value)
    gateway.send(WORDS)


def test_a_busy_twilio_is_left_alone_as_long_as_it_says(twilio: FakeTwilio, gateway: TwilioGateway) -> None:
    waits = []
    for word in ("7", "0", "99999999999", "Mon, 23 Nov 2026 10:00:00 GMT", "soon", ""):
        twilio.moods.append(f"busy {word}")
        with pytest.raises(Temporary) as caught:
            gateway.send(WORDS)
        waits.append(caught.value.wait)
    assert waits[:3] == [timedelta(seconds=7), timedelta(0), timedelta(hours=1)]
    assert waits[4:] == [None, None]


@pytest.mark.parametrize(
    ("code", "bad_number", "opted_out"),
    [(21211, True, False), (21614, True, False), (21610, False, True), (21612, False, False)],
)
def test_a_refusal_may_say_something_of_the_number(
    twilio: FakeTwilio, gateway: TwilioGateway, code: int, bad_number: bool, opted_out: bool
) -> None:
    twilio.moods.append(f"refuse {code}")
    with pytest.raises(Permanent) as caught:
        gateway.send(WORDS)
    said = caught.value
    assert (said.code, said.bad_number, said.opted_out) == (str(code), bad_number, opted_out)


def test_a_number_that_whatsapp_does_not_reach_is_not_called_dead(twilio: FakeTwilio, tmp_path: Path) -> None:
    twilio.moods.append("refuse 21211")
    with gateway_to(table(twilio.url, tmp_path), Channel.WHATSAPP) as made, pytest.raises(Permanent) as caught:
        made.send(WORDS)
    assert (caught.value.code, caught.value.bad_number) == ("21211", False)
    for whatsapp in (False, True):
        told = reported(sid="SM1", status="undelivered", code=30006, whatsapp=whatsapp, at=MONDAY)
        assert told is not None
        assert told.permanent is not whatsapp


def test_nobody_there_is_temporary_and_so_is_a_token_that_others_may_read(tmp_path: Path) -> None:
    with fake_twilio() as gone:
        url = gone.url
    settings = table(url, tmp_path)
    with gateway_to(settings) as made, pytest.raises(Temporary, match="cannot be reached"):
        made.send(WORDS)
    settings.token_file.chmod(0o644)
    with gateway_to(settings) as made, pytest.raises(Temporary, match="token file"):
        made.send(WORDS)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_keeps_the_text_queued(
    twilio: FakeTwilio, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with gateway_to(table(twilio.url, tmp_path, ca_file=file)) as made, pytest.raises(Temporary, match="ca_file"):
        made.send(WORDS)
    assert twilio.sent() == []


@pytest.mark.parametrize("port", ["0", "99999", "x"])
def test_a_base_url_whose_port_is_none_is_refused_with_the_settings(tmp_path: Path, port: str) -> None:
    with pytest.raises(ValueError, match=r"base_url|[Pp]ort"):
        table(f"https://api.twilio.com:{port}", tmp_path)


def test_an_answer_that_drips_is_given_up_like_one_that_never_comes(tmp_path: Path) -> None:
    with dripping(b"", b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200) as slow:
        api = TwilioApi(table(f"http://127.0.0.1:{slow.port}", tmp_path))
        with pytest.raises(Temporary, match="lost"):
            next(api.texts({}, page_size=1, longest=0.5))
        api.close()
    assert slow.given < len(slow.dripped)


def test_a_wrong_token_keeps_the_text_queued(twilio: FakeTwilio, tmp_path: Path) -> None:
    settings = table(twilio.url, tmp_path)
    settings.token_file.write_text("another\n")
    with gateway_to(settings) as made, pytest.raises(Temporary, match="20003"):
        made.send(WORDS)


def test_an_attempt_that_arrived_is_found_by_number_words_and_time(twilio: FakeTwilio, gateway: TwilioGateway) -> None:
    lying(twilio, at=MONDAY - timedelta(minutes=6))
    lying(twilio, to="+12125550102")
    lying(twilio, sender="+15550009999")
    lying(twilio, body="Something else")
    twilio.arrive(NUMBER, WORDS.body, to=ANA)
    sid = lying(twilio)
    assert gateway.find(sought()) == Found(provider_id=sid)
    assert gateway.find(sought(VISIBLE_AFTER, taken=frozenset({sid}))) == NotFound()


@pytest.mark.parametrize(
    "shown",
    [
        "It's ready - Él waits.",
        "IT’S READY — ÉL\nWAITS. ",
        "Sent from your Twilio trial account - It's ready - Él waits.",
    ],
)
def test_words_that_twilio_replaced_by_likenesses_are_known_again(
    twilio: FakeTwilio, gateway: TwilioGateway, shown: str
) -> None:
    sid = lying(twilio, body=shown)
    assert gateway.find(sought()) == Found(provider_id=sid)


def test_two_that_fit_and_one_that_could_be_a_twins_are_for_a_person(
    twilio: FakeTwilio, gateway: TwilioGateway
) -> None:
    first = lying(twilio)
    assert gateway.find(sought(twins=1)) == CannotTell()
    lying(twilio)
    assert gateway.find(sought()) == CannotTell()
    assert isinstance(gateway.find(sought(taken=frozenset({first}))), Found)


def test_what_does_not_show_is_looked_for_again_until_it_would_have_shown(
    twilio: FakeTwilio, gateway: TwilioGateway
) -> None:
    twilio.hidden = True
    lying(twilio)
    with pytest.raises(Temporary, match="not show it yet") as caught:
        gateway.find(sought(timedelta(minutes=1)))
    assert caught.value.wait == VISIBLE_AFTER - timedelta(minutes=1)
    assert gateway.find(sought(VISIBLE_AFTER)) == NotFound()


def test_a_list_of_many_pages_is_read_as_far_as_the_attempt_and_not_for_ever(
    twilio: FakeTwilio, gateway: TwilioGateway
) -> None:
    for minute in range(7, 0, -1):
        lying(twilio, body="Something else", at=MONDAY - timedelta(minutes=minute))
    sid = lying(twilio)
    lying(twilio, body="Something else")
    twilio.largest_page = 2
    assert gateway.find(sought()) == Found(provider_id=sid)
    assert len(twilio.asked) == 4


def test_a_list_that_cannot_be_read_is_asked_for_again(tmp_path: Path) -> None:
    with fake_twilio() as gone:
        url = gone.url
    with gateway_to(table(url, tmp_path)) as made, pytest.raises(Temporary, match="cannot be reached"):
        made.find(sought())


def test_the_doctor_asks_after_the_account_and_sends_nothing(twilio: FakeTwilio, gateway: TwilioGateway) -> None:
    assert gateway.probe() == "account active"
    assert [(method, path) for method, path, _ in twilio.asked] == [("GET", f"/2010-04-01/Accounts/{ACCOUNT}.json")]
