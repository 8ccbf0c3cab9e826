"""The border: what is too large, too slow, of another kind or not ours; a store that is away; and what is logged."""

from __future__ import annotations

import logging
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select, text

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.audit.tables import AuditRow
from crm_core.audit.tags import Tag
from crm_core.channels.incoming.tables import Incoming
from crm_core.clock import ShiftedClock
from crm_core.errors import Unavailable
from crm_tui.listening import reading, server, taking
from crm_tui.listening.server import Listener
from tests.channels.incoming import count
from tests.conftest import MONDAY, run_sql
from tests.listening.conftest import PUBLIC, secret_of
from tests.listening.signing import post_as_twilio, post_signed, text_form, twilio_signature, webhook_headers

AT = "/twilio/message"
PORTAL = "/hook/portal"


def test_bodies_have_a_bound_whether_they_state_their_length_or_not(crm: Crm, url: str, web: httpx.Client) -> None:
    stated = web.post(PORTAL, content=b"x" * 20_001, headers={"content-type": "application/json"})
    pieces = iter([b"x" * 10_000] * 3)
    unstated = web.post(PORTAL, content=pieces, headers={"content-type": "application/json"})
    assert [answer.status_code for answer in (stated, unstated)] == [413, 413]
    assert stated.json() == {"error": "at most 20,000 bytes"}
    head = b"POST /hook/portal HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
    assert raw(url, head + b"9" * 19 + b"\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    assert count(crm, Incoming) == 0


def test_other_types_methods_and_paths_are_answered_in_a_sentence(crm: Crm, web: httpx.Client) -> None:
    form = text_form()
    signed = {"X-Twilio-Signature": twilio_signature(PUBLIC + AT, form)}
    answers = [
        web.post(AT, json=form, headers=signed),
        web.post(PORTAL, content=b"{}", headers={"content-type": "text/plain"}),
        web.get(AT),
        web.put(PORTAL, content=b"{}"),
        web.post("/hook/another", content=b"{}"),
        web.post(f"{PORTAL}/", content=b"{}"),
        web.get("/"),
    ]
    assert [answer.status_code for answer in answers] == [415, 415, 405, 405, 404, 404, 404]
    assert all(set(answer.json()) == {"error"} for answer in answers)
    assert all("server" not in answer.headers for answer in answers)
    assert count(crm, Incoming) == 0


def test_a_form_that_is_none_and_json_that_is_none_are_refused(web: httpx.Client) -> None:
    form = {"content-type": "application/x-www-form-urlencoded", "Origin": "https://www.example.org"}
    for content in (b"text=%ff", b"&".join(b"a=1" for _ in range(300))):
        assert web.post("/form/website", content=content, headers=form).status_code == 422
    deep = b"[" * 10_000
    signed = webhook_headers(secret_of("portal"), "d-1", MONDAY, deep)
    assert web.post(PORTAL, content=deep, headers=signed).status_code == 422


def raw(url: str, sent: bytes) -> bytes:
    """What comes back for these bytes until the other side ends the connection."""
    address = urlsplit(url)
    assert address.hostname
    with socket.create_connection((address.hostname, address.port or 0), timeout=30) as connection:
        connection.sendall(sent)
        heard = b""
        while piece := connection.recv(10_000):
            heard += piece
    return heard


def test_whoever_dawdles_is_hung_up_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SLOWEST_HEAD", 0.2)
    monkeypatch.setattr(reading, "SLOWEST_BODY", 0.2)
    assert raw(url, b"") == b""
    assert raw(url, b"POST /hook/portal HTTP/1.1\r\nHost: x\r\nX-Sl") == b""
    head = b"POST /hook/portal HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    assert raw(url, head + b"{").startswith(b"HTTP/1.1 408 ")
    # Also the second request of a connection.
    assert raw(url, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /hea").count(b"HTTP/1.1 404 ") == 1


def test_what_is_no_http_is_refused(url: str) -> None:
    assert raw(url, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert not raw(url, b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000).startswith(b"HTTP/1.1 2")


@contextmanager
def away(crm: Crm, request: pytest.FixtureRequest) -> Iterator[None]:
    """The store does not answer: its folder is gone, or its server takes no connection."""
    if crm.settings.database is not None:
        home = crm.settings.home
        moved = home.rename(home.with_name("moved"))
        try:
            yield
        finally:
            moved.rename(home)
        return
    server_url: str = request.getfixturevalue("postgres_url")
    name = urlsplit(crm.settings.store_url).path.strip("/")
    run_sql(server_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    run_sql(server_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
    finally:
        run_sql(server_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_store_that_is_away_is_no_success_and_what_comes_again_is_taken(
    crm: Crm, web: httpx.Client, request: pytest.FixtureRequest
) -> None:
    with away(crm, request):
        answer = post_as_twilio(web, AT, text_form(), public=PUBLIC)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert post_as_twilio(web, AT, text_form(), public=PUBLIC).status_code == 200
    assert count(crm, Incoming) == 1


def test_a_store_that_is_too_slow_is_no_success_and_what_comes_again_is_known(
    crm: Crm, web: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "LONGEST_WAIT", 0.2)
    with crm.write(SYSTEM) as unit:
        if unit.dialect == "postgresql":
            unit.execute(text("LOCK TABLE incoming"))
        assert post_as_twilio(web, AT, text_form(), public=PUBLIC).status_code == 503
    monkeypatch.undo()
    while count(crm, Incoming) == 0:  # the thread that was abandoned writes it now
        pass
    assert post_as_twilio(web, AT, text_form(), public=PUBLIC).status_code == 200
    assert count(crm, Incoming) == 1


def test_health_says_whether_somebody_handles_what_comes_and_no_fact(web: httpx.Client, clock: ShiftedClock) -> None:
    assert web.get("/health").json() == {"ok": True, "handled": True}
    post_as_twilio(web, AT, text_form(), public=PUBLIC)
    clock.move(timedelta(seconds=11))
    assert web.get("/health").json() == {"ok": True, "handled": False}


def test_a_mistake_of_ours_is_an_incident_and_tells_no_value(
    crm: Crm, web: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> int:
        raise LookupError("Ana Lopez, +12125550101")

    monkeypatch.setattr(taking, "take_in", broken)
    with caplog.at_level(logging.INFO):
        answer = post_as_twilio(web, AT, text_form(), public=PUBLIC)
    assert (answer.status_code, set(answer.json())) == (500, {"error", "incident"})
    assert "Lopez" not in answer.text + caplog.text
    assert answer.json()["incident"] in caplog.text


def test_the_log_has_a_line_a_request_without_query_body_or_address(web: httpx.Client) -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("crm_tui.listening.access").addHandler(handler)
    post_as_twilio(web, f"{AT}?patient=Lopez", text_form(), public=PUBLIC)
    web.get("/patients/Lopez?x=1")
    assert [line.rpartition(" ms")[0].rpartition(" ")[0] for line in lines] == [
        "POST /twilio/message 200",
        "GET (none of ours) 404",
    ]


def test_the_whole_face_opens_no_patient_and_acts_with_no_other_permission(crm: Crm, web: httpx.Client) -> None:
    def tags() -> Counter[str]:
        with crm.read(SYSTEM) as unit:
            return Counter(unit.scalars(select(AuditRow.tag)))

    before = tags()
    post_as_twilio(web, AT, text_form(), public=PUBLIC)
    post_as_twilio(web, AT, text_form(), public=PUBLIC)
    post_as_twilio(web, "/twilio/status", text_form(MessageStatus="delivered"), public=PUBLIC)
    said = {"from": "+12125550101", "text": "chest pain"}
    post_signed(web, PORTAL, secret_of("portal"), said, at=MONDAY)
    post_signed(web, "/hook/chat", secret_of("chat"), {"from": "session-1", "text": "hello"}, at=MONDAY)
    call = {"call": "1", "from": "+12125550101"}
    post_signed(web, "/phone/reception", secret_of("reception"), call, at=MONDAY)
    filled = {"contact": "a@b.example", "text": "x"}
    web.post("/form/website", json=filled, headers={"Origin": "https://www.example.org"})
    web.get("/health")
    assert tags() - before == {Tag.INCOMING_TAKEN: 6}


def test_two_cannot_listen_on_one_port(crm: Crm, url: str) -> None:
    taken = crm.settings.listen.model_copy(update={"port": urlsplit(url).port})
    crm.settings = replace(crm.settings, listen=taken)
    with pytest.raises(Unavailable, match="cannot be listened on"):
        Listener(crm, lambda _: None).run(lambda _: None)
