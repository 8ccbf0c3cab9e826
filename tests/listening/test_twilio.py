"""Twilio's webhooks: taken where Twilio signed them for our address, once each, and nowhere else."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.channels.gateways.twilio_reports import SOURCE
from crm_core.channels.incoming.tables import Incoming
from crm_core.channels.incoming.taking import take_in
from crm_core.channels.model import Attached, Inbound
from crm_core.channels.tables import Message
from crm_core.words import Channel
from crm_tui.listening.signing import TwilioToken
from tests.channels.incoming import count, handle
from tests.inbox.conftest import Clinic
from tests.listening.conftest import PEERS, PUBLIC
from tests.listening.signing import TOKEN, post_as_twilio, text_form, twilio_signature

AT = "/twilio/message"


def test_the_published_example_fits() -> None:
    # The worked example of Twilio's documentation on webhook security.
    form = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309",
        "To": "+18005551212",
    }  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert TwilioToken("12345").fits("RSOYDt4T1cUTdK1PDd93/VVr8B8=", url, list(form.items()))
    assert twilio_signature(url, form, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize("told", ["https://crm.example.org/in", "https://crm.example.org:443/in"])
@pytest.mark.parametrize("signed", ["https://crm.example.org/in", "https://crm.example.org:443/in"])
def test_a_port_that_is_the_default_may_be_named_or_left_out(told: str, signed: str) -> None:
    form = text_form()
    token = TwilioToken(TOKEN)
    assert token.fits(twilio_signature(signed, form), told, list(form.items()))
    assert not token.fits(twilio_signature(signed.replace("443", "444") + "/", form), told, list(form.items()))


def test_a_signed_text_is_answered_with_nothing_to_say_and_lies_in_its_lane_once_handled(
    clinic: Clinic, web: httpx.Client
) -> None:
    answer = post_as_twilio(web, AT, text_form(), public=PUBLIC)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert answer.text.endswith("<Response/>")
    assert count(clinic.crm, Message) == 0
    handle(clinic.crm)
    again = clinic.text("same sender", sender="+12125550101")
    assert again.patient_id == clinic.patients["Ana"]
    assert count(clinic.crm, Message) == 2


def test_what_twilio_did_not_sign_is_refused_and_nothing_is_kept(crm: Crm, web: httpx.Client) -> None:
    form = text_form()
    good = twilio_signature(PUBLIC + AT, form)
    elsewhere = twilio_signature("https://crm.example.com/in" + AT, form)
    another = twilio_signature(PUBLIC + AT, form, token="0" * 32)
    others = text_form(AccountSid="AC" + "b" * 32)
    attempts = [
        (form, good[::-1]),
        (form, elsewhere),
        (form, another),
        (form, ""),
        ({**form, "Body": "Yes"}, good),
        ({**form, "More": "1"}, good),
        (others, twilio_signature(PUBLIC + AT, others)),
    ]
    for fields, signature in attempts:
        answer = web.post(AT, data=fields, headers={"X-Twilio-Signature": signature})
        assert (answer.status_code, set(answer.json())) == (403, {"error"})
    assert web.post(f"{AT}?clinic=1", data=form, headers={"X-Twilio-Signature": good}).status_code == 403
    assert count(crm, Incoming) == 0


def test_a_field_whose_end_was_moved_is_no_other_text(crm: Crm, web: httpx.Client) -> None:
    # Names and values are signed in a row: where one ends is not. The ids' form tells it.
    form = text_form()
    signed = {"X-Twilio-Signature": twilio_signature(PUBLIC + AT, form)}
    assert web.post(AT, data=form, headers=signed).status_code == 200
    sid = form.pop("MessageSid")
    moved = {**form, "MessageSid": f"{sid}NumMedia{form['NumMedia']}"}
    del moved["NumMedia"]
    assert twilio_signature(PUBLIC + AT, moved) == signed["X-Twilio-Signature"]
    assert web.post(AT, data=moved, headers=signed).status_code == 422
    assert count(crm, Incoming) == 1


def test_a_query_in_the_address_is_signed_with_it(crm: Crm, web: httpx.Client) -> None:
    assert post_as_twilio(web, f"{AT}?clinic=1&x=%20", text_form(), public=PUBLIC).status_code == 200
    assert count(crm, Incoming) == 1


def test_one_sid_is_one_message_however_often_and_how_close_together_it_comes(
    clinic: Clinic, web: httpx.Client
) -> None:
    def once(_: int) -> int:
        return post_as_twilio(web, AT, text_form(), public=PUBLIC).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(once, range(12))) == {200}
    handle(clinic.crm)
    assert once(0) == 200
    assert handle(clinic.crm) == 0
    assert count(clinic.crm, Message) == count(clinic.crm, Incoming) == 1


def test_what_the_accounts_list_brought_first_is_known_by_its_sid(crm: Crm, web: httpx.Client) -> None:
    listed = Inbound(
        channel=Channel.SMS, sender="+12125550101", text="", at=crm.clock.now(), provider_id="SM" + "1" * 32,
        attachments=(Attached(name="ME1.jpg", media_type="image/jpeg", content=b"jpeg"),),
    )  # fmt: skip
    with crm.write(SYSTEM) as unit:
        assert take_in(unit, SOURCE, listed) is not None
    assert post_as_twilio(web, AT, text_form(Body="", NumMedia="1"), public=PUBLIC).status_code == 200
    assert count(crm, Incoming) == 1


def test_pictures_are_named_by_type_and_whatsapp_is_its_own_channel(clinic: Clinic, web: httpx.Client) -> None:
    form = text_form(From="whatsapp:+12125550101", Body="", NumMedia="2", MediaContentType0="image/jpeg")
    assert post_as_twilio(web, AT, form, public=PUBLIC).status_code == 200
    handle(clinic.crm)
    assert count(clinic.crm, Message, Message.channel == "whatsapp", Message.attachments == 2) == 1


def test_what_became_of_a_message_is_taken_and_its_way_there_is_not(crm: Crm, web: httpx.Client) -> None:
    for status, code in (("queued", ""), ("sent", ""), ("delivered", ""), ("undelivered", "30003")):
        form = text_form(MessageStatus=status, ErrorCode=code)
        assert post_as_twilio(web, "/twilio/status", form, public=PUBLIC).status_code == 204
    assert count(crm, Incoming, Incoming.kind == "report") == 2


def test_twilios_own_library_signs_what_is_taken(clinic: Clinic, url: str, twilio_library: Path) -> None:
    def send(*arguments: str, public: str = PUBLIC) -> tuple[int, str]:
        command = [str(twilio_library), str(PEERS / "twilio-webhook" / "send.py"), url + AT, *arguments]
        done = subprocess.run([*command, "--public-url", public + AT], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout[:3]

    assert send("+12125550101", "Olá, é só uma pergunta & mais +1") == (0, "200")
    assert send("+12125550101", "YES", "--bad-signature") == (1, "403")
    assert send("+12125550101", "YES", "--token", "0" * 32) == (1, "403")
    assert send("+12125550101", "YES", public="https://elsewhere.example.org") == (1, "403")
    handle(clinic.crm)
    assert count(clinic.crm, Message) == 1
