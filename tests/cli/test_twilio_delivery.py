"""Texts by Twilio, from the shell: what crm.toml may say, what the doctor sees, a text in and an answer delivered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.channels.gateways.fake_twilio import ACCOUNT, NUMBER, TOKEN, FakeTwilio, fake_twilio
from tests.cli.conftest import Caller

ANA = "+12125550101"
SETTINGS = {
    "kind": "twilio",
    "account": ACCOUNT,
    "token_file": "twilio-token",
    "from": NUMBER,
    "vendor": "Twilio",
    "per_second": 50,
}


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with fake_twilio() as running:
        yield running


def set_up(call: Caller, channel: str = "sms", **changes: Any) -> None:
    """crm.toml with that gateway in place of the file."""
    values = {name: value for name, value in {**SETTINGS, **changes}.items() if value is not None}
    lines = [f"[gateway.{channel}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    file = call.home / "crm.toml"
    kept = file.read_text("utf-8").replace('[gateway.sms]\nkind = "spool"\npath = "sms.jsonl"\n', "")
    file.write_text("\n".join((kept, *lines, "")), "utf-8")
    token = call.home / "twilio-token"
    token.touch(mode=0o600)
    token.write_text(TOKEN + "\n")


def seen(call: Caller, *arguments: str) -> dict[str, Any]:
    return {one["check"]: one for one in call("doctor", *arguments, "--json").json}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"account": "nobody"}, "gateway.sms.account: string should match pattern"),
        ({"token_file": None}, "gateway.sms.token_file: field required"),
        ({"from": None}, "gateway.sms: name either from or messaging_service"),
        ({"messaging_service": "MG" + "b" * 32}, "gateway.sms: name either from or messaging_service"),
        ({"from": "front desk!"}, "gateway.sms.from: string should match pattern"),
        ({"base_url": "http://api.twilio.com"}, "gateway.sms: base_url is an https address"),
        ({"base_url": "https://a:b@api.twilio.com"}, "gateway.sms: base_url is an https address"),
        ({"per_second": 0}, "gateway.sms.per_second: input should be greater than 0"),
        ({"every": 1}, "gateway.sms.every: input should be greater than or equal to 5"),
        ({"colour": "red"}, "gateway.sms.colour: extra inputs are not permitted"),
    ],
)
def test_a_mistake_in_the_settings_is_one_sentence_with_its_name(
    crm_home: Caller, changes: dict[str, Any], said: str
) -> None:
    set_up(crm_home, **changes)
    answer = crm_home("outbox")
    assert answer.code == 2
    assert said in answer.err
    assert TOKEN not in answer.err
    assert "nobody" not in answer.err


def test_a_gateway_on_a_channel_that_it_does_not_carry_is_one_sentence_too(crm_home: Caller) -> None:
    set_up(crm_home, "email")
    answer = crm_home("outbox")
    assert answer.code == 2
    assert 'gateway.email: kind "twilio" carries sms, whatsapp' in answer.err


def test_the_doctor_signs_in_where_it_is_asked_to_and_sends_nothing(crm_home: Caller, twilio: FakeTwilio) -> None:
    set_up(crm_home, base_url=twilio.url)
    assert "no agreement in date" in seen(crm_home)["gateways"]["detail"]
    crm_home("vendor", "add", "Twilio", "--gateway", "sms", "--from", "2026-01-01", "--until", "2036-12-31")
    assert seen(crm_home)["gateways"]["ok"]
    assert twilio.asked == []
    assert seen(crm_home, "--probe")["reachable"] == {
        "check": "reachable",
        "ok": True,
        "detail": f"sms: Twilio ACaaaa… from {NUMBER} answers, account active",
    }
    assert [method for method, _, _ in twilio.asked] == ["GET"]
    (crm_home.home / "twilio-token").write_text("another\n")
    refused = seen(crm_home, "--probe")["reachable"]
    assert (refused["ok"], refused["detail"]) == (False, "sms: Twilio answered 401 (20003: the login is refused)")
    (crm_home.home / "twilio-token").unlink()
    assert "cannot be read; create it with mode 0600" in seen(crm_home)["gateways"]["detail"]


def test_a_text_comes_in_and_its_answer_is_delivered(crm_home: Caller, twilio: FakeTwilio, tmp_path: Path) -> None:
    set_up(crm_home, base_url=twilio.url)
    crm_home("vendor", "add", "Twilio", "--gateway", "sms", "--from", "2026-01-01", "--until", "2036-12-31")
    patient = {
        "resourceType": "Patient",
        "id": "ana",
        "name": [{"family": "Quillfeather", "given": ["Ana"]}],
        "birthDate": "1975-06-01",
        "identifier": [{"system": "urn:example:mrn", "value": "QF-1"}],
        "telecom": [{"system": "phone", "value": ANA}],
    }
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}
    (tmp_path / "ana.json").write_text(json.dumps(bundle))
    assert crm_home("import", "fhir", str(tmp_path / "ana.json")).code == 0
    twilio.arrive(ANA, "Could you send me a copy of my invoice from last month?")
    assert crm_home("poll", "--once", "--json").json["done"] == 2
    assert crm_home("reply", "C-1", "--text", "Hello Ana, we posted it today.").code == 0
    twilio.journey = (("delivered", None),)
    # The outbox stands behind the texts in one round; what it sent is asked about in the next.
    assert crm_home("poll", "--once", "--json").json["sent"] == 1
    (row,) = crm_home("outbox", "--json").json
    assert (row["state"], row["reported"]) == ("sent", "delivered")
    assert "sent, delivered" in crm_home("outbox").out
    assert row["why"][-1] == "then: delivered, says its provider"
    assert [(one.to, one.body) for one in twilio.sent()] == [(ANA, "Hello Ana, we posted it today.")]
