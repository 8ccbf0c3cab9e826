"""What portals, chats and telephone systems bring: signed, fresh, and each delivery once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.channels.incoming.tables import Incoming
from crm_core.channels.ringing.queries import rings
from crm_core.channels.ringing.tables import Ring
from crm_core.channels.tables import Message
from tests.channels.incoming import count, handle
from tests.conftest import MONDAY
from tests.inbox.conftest import ANA, Clinic
from tests.listening.conftest import secret_of
from tests.listening.signing import post_signed, webhook_headers

TEXT = {"from": ANA, "text": "My refill has run out", "category": "Refill", "subject": "Refill"}
PORTAL, RECEPTION = secret_of("portal"), secret_of("reception")


def test_a_portal_message_is_routed_like_any_other(clinic: Clinic, web: httpx.Client) -> None:
    answer = post_signed(web, "/hook/portal", PORTAL, TEXT, at=MONDAY)
    assert (answer.status_code, answer.json()) == (200, {"taken": True, "duplicate": False})
    handle(clinic.crm)
    assert count(clinic.crm, Message, Message.channel == "portal") == 1


def test_a_delivery_is_taken_once_and_its_id_stands_for_nothing_else(clinic: Clinic, web: httpx.Client) -> None:
    first = post_signed(web, "/hook/portal", PORTAL, TEXT, at=MONDAY)
    replayed = post_signed(web, "/hook/portal", PORTAL, TEXT, at=MONDAY)
    clinic.at(MONDAY + timedelta(minutes=4))
    handle(clinic.crm)
    sent_again = post_signed(web, "/hook/portal", PORTAL, TEXT, at=MONDAY + timedelta(minutes=4))
    assert [answer.json()["duplicate"] for answer in (first, replayed, sent_again)] == [False, True, True]
    other = post_signed(web, "/hook/portal", PORTAL, {**TEXT, "text": "another"}, at=MONDAY + timedelta(minutes=4))
    assert other.status_code == 409
    handle(clinic.crm)
    assert count(clinic.crm, Message) == count(clinic.crm, Incoming) == 1


def test_what_is_not_signed_as_agreed_is_refused(crm: Crm, web: httpx.Client) -> None:
    body = b'{"from": "x", "text": "hello"}'
    good = webhook_headers(PORTAL, "d-1", MONDAY, body)
    others = webhook_headers(secret_of("chat"), "d-1", MONDAY, body)
    attempts: list[tuple[bytes, dict[str, str]]] = [
        (body + b" ", good),
        (body, {**good, "webhook-id": "d-2"}),
        (body, {**good, "webhook-timestamp": str(int(MONDAY.timestamp()) + 1)}),
        (body, {**good, "webhook-signature": good["webhook-signature"][:-2] + "=="}),
        (body, {**good, "webhook-signature": ""}),
        (body, {**good, "webhook-id": "d 1"}),
        (body, {**good, "webhook-timestamp": "99999999999999"}),
        (body, {**good, "webhook-timestamp": "٣"}),
        (body, {"content-type": "application/json"}),
        (body, others),
        (body, webhook_headers(PORTAL, "d-1", MONDAY - timedelta(minutes=5, seconds=1), body)),
        (body, webhook_headers(PORTAL, "d-1", MONDAY + timedelta(minutes=5, seconds=1), body)),
    ]
    for content, headers in attempts:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        assert web.post("/hook/portal", content=content, headers=raw).status_code == 403
    assert count(crm, Incoming) == 0
    while_it_changes = f"v1,bm90aGluZw== {good['webhook-signature']}"
    told = web.post("/hook/portal", content=body, headers={**good, "webhook-signature": while_it_changes})
    assert told.status_code == 200


def test_what_cannot_be_understood_is_named_by_its_field_and_never_by_what_it_says(crm: Crm, web: httpx.Client) -> None:
    wrong: list[tuple[Any, str]] = [
        ([TEXT], "not a JSON object"),
        ({"from": ANA}, "text"),
        ({**TEXT, "channel": "sms"}, "leave out channel"),
        ({**TEXT, "at": "yesterday"}, "at"),
        ({**TEXT, "at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({**TEXT, "attachments": [{"name": "a", "data": "???"}]}, "base64"),
        ({**TEXT, "from": "x" * 400}, "from"),
    ]
    for said, names in wrong:
        answer = post_signed(web, "/hook/portal", PORTAL, said, at=MONDAY)
        assert (answer.status_code, names in answer.json()["error"]) == (422, True)
        assert ANA not in answer.text
        assert "refill" not in answer.text.lower()
    assert count(crm, Incoming) == 0


def test_hostile_text_and_files_arrive_as_they_were(clinic: Clinic, web: httpx.Client) -> None:
    said = {
        **TEXT,
        "text": "\x1b]52;c;x\x07 [@click=app.quit]Bob[/] \ud83d \u202e",
        "attachments": [{"name": "../../a.jpg", "type": "image/jpeg", "data": "AP8b"}],
    }
    assert post_signed(web, "/hook/portal", PORTAL, said, at=MONDAY).status_code == 200
    handle(clinic.crm)
    assert count(clinic.crm, Message, Message.attachments == 1, Message.hidden > 0) == 1


def test_a_chats_session_is_one_thread_and_two_sessions_are_two(clinic: Clinic, web: httpx.Client) -> None:
    texts = [("s-1", "Hello"), ("s-2", "Are you open?"), ("s-1", "I need a refill")]
    for number, (session, text) in enumerate(texts):
        said = {"from": session, "text": text}
        post_signed(web, "/hook/chat", secret_of("chat"), said, at=MONDAY, delivery=f"d-{number}")
    handle(clinic.crm)
    with clinic.crm.read(SYSTEM) as unit:
        first, second, third = unit.scalars(select(Message.conversation_id).order_by(Message.id))
    assert first == third != second


def test_a_call_rings_with_whom_it_may_be_and_ends(clinic: Clinic, web: httpx.Client) -> None:
    call = {"call": "4711", "from": ANA, "line": "front desk"}
    for delivery, state in (("d-1", "ringing"), ("d-2", "ended")):
        answer = post_signed(web, "/phone/reception", RECEPTION, {**call, "state": state}, at=MONDAY, delivery=delivery)
        assert answer.status_code == 200
        handle(clinic.crm)
        with clinic.crm.read(SYSTEM) as unit:
            row = unit.execute(select(Ring.state, Ring.contact_point_id, Ring.line)).one()
        assert (row.state, row.contact_point_id is not None, row.line) == (state, True, "front desk")
    for wrong in (
        {**call, "at": "0001-01-01T00:00:00+14:00"},
        {**call, "state": "gone"},
        {"from": ANA},
        {**call, "who": "Ana"},
    ):
        assert post_signed(web, "/phone/reception", RECEPTION, wrong, at=MONDAY).status_code == 422


def test_a_telephone_system_whose_clock_is_slow_rings_all_the_same(clinic: Clinic, web: httpx.Client) -> None:
    call = {"call": "4711", "from": ANA}
    post_signed(web, "/phone/reception", RECEPTION, call, at=MONDAY - timedelta(minutes=4))
    handle(clinic.crm)
    with clinic.crm.read(SYSTEM) as unit:
        assert [one.known for one in rings(unit)] == [1]
