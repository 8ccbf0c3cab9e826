"""A form of the clinic's site: from its server with a signature, from a browser with an Origin and a bound."""

from __future__ import annotations

from datetime import timedelta

import httpx
from starlette.requests import Request

from crm_core.app import Crm
from crm_core.channels.incoming.tables import Incoming
from crm_core.channels.tables import Message
from crm_core.clock import ShiftedClock
from crm_core.listen_settings import FormTable
from crm_tui.listening.forms import MOST_ADDRESSES, Bound, Form
from crm_tui.listening.taking import Taker
from tests.channels.incoming import count, handle
from tests.conftest import MONDAY
from tests.inbox.conftest import Clinic
from tests.listening.conftest import secret_of
from tests.listening.signing import post_signed

AT = "/form/website"
FILLED = {"name": "Ana Lopez", "contact": "+1 212 555 0101", "text": "May I come at four?", "category": "Appointment"}
SITE = {"Origin": "https://www.example.org"}


def test_the_sites_server_signs_what_it_brings(clinic: Clinic, web: httpx.Client) -> None:
    for _ in range(2):
        assert post_signed(web, AT, secret_of("website"), FILLED, at=MONDAY).status_code == 200
    handle(clinic.crm)
    assert count(clinic.crm, Message, Message.channel == "webform") == 1
    assert post_signed(web, AT, secret_of("portal"), FILLED, at=MONDAY).status_code == 403


def test_a_page_of_the_site_may_post_it_and_another_may_not(clinic: Clinic, web: httpx.Client) -> None:
    asked = web.request("OPTIONS", AT, headers={**SITE, "Access-Control-Request-Method": "POST"})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, SITE["Origin"])
    by_script = web.post(AT, json=FILLED, headers=SITE)
    assert (by_script.status_code, by_script.headers["access-control-allow-origin"]) == (200, SITE["Origin"])
    assert web.post(AT, data=FILLED, headers=SITE).status_code == 200
    handle(clinic.crm)
    assert count(clinic.crm, Message) == 2
    for origin in ("https://www.example.org.evil.example", "null", "http://www.example.org"):
        answer = web.post(AT, json=FILLED, headers={"Origin": origin})
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)
    assert web.post(AT, json=FILLED).status_code == 403
    assert web.request("OPTIONS", AT, headers={"Origin": "null"}).status_code == 403


def test_a_field_that_people_do_not_see_must_stay_empty_and_a_person_is_told(crm: Crm, web: httpx.Client) -> None:
    answer = web.post(AT, data={**FILLED, "leave_empty": "http://spam.example"}, headers=SITE)
    assert (answer.status_code, "leave_empty" in answer.json()["error"]) == (400, True)
    assert count(crm, Incoming) == 0
    assert web.post(AT, data={**FILLED, "leave_empty": ""}, headers=SITE).status_code == 200


def test_each_field_has_its_bound(crm: Crm, web: httpx.Client) -> None:
    secret = secret_of("website")
    wrong = [
        {"name": "x" * 121},
        {"contact": "x" * 251},
        {"contact": " "},
        {"text": "x" * 4_001},
        {"text": ""},
        {"category": "x" * 101},
        {"extra": "1"},
    ]
    for one in wrong:
        answer = post_signed(web, AT, secret, {**FILLED, **one}, at=MONDAY)
        assert (answer.status_code, next(iter(one)) in answer.json()["error"]) == (422, True)
    assert count(crm, Incoming) == 0


def test_one_address_sends_no_more_than_agreed_in_a_minute(crm: Crm, web: httpx.Client) -> None:
    answers = [web.post(AT, json=FILLED, headers=SITE) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["retry-after"] == "60"
    # Whoever signs is not counted with it.
    assert post_signed(web, AT, secret_of("website"), FILLED, at=MONDAY).status_code == 200
    assert count(crm, Incoming) == 4


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_wrote_and_no_other(crm: Crm) -> None:
    made = Form(
        taker=Taker(crm),
        name="website",
        table=FormTable(origins=("https://www.example.org",)),
        secret=None,
        behind_proxy=True,
        bound=Bound(1),
    )
    proxies = "198.51.100.7", "::ffff:198.51.100.7", "198.51.100.7:4711", "[::ffff:198.51.100.7]:4711"
    told = [(b"x-forwarded-for", f"203.0.113.9, {one}".encode()) for one in proxies]
    # Some proxies add a line of their own behind what the visitor sent.
    told += [(b"x-forwarded-for", b"198.51.100.7")]
    lets = []
    for number, one in enumerate(told):
        sent = (b"x-forwarded-for", f"203.0.113.{number}".encode())
        request = Request({"type": "http", "headers": [sent, one], "client": ("127.0.0.1", 1)})
        lets.append(made.bound.lets(made._address(request)))
    assert lets == [True, False, False, False, False]


def test_the_bound_is_of_a_household_and_of_a_minute_and_remembers_no_more_than_it_must() -> None:
    clock = ShiftedClock(MONDAY)
    bound = Bound(2, monotonic=lambda: clock.now().timestamp())
    assert [bound.lets(f"2001:db8::{each}") for each in (1, 2, 3)] == [True, True, False]
    assert bound.lets("2001:db8:0:1::1")
    clock.move(timedelta(seconds=61))
    assert bound.lets("2001:db8::9")
    for each in range(MOST_ADDRESSES + 10):
        bound.lets(f"address {each}")
    assert len(bound._seen) == MOST_ADDRESSES
    assert not any(b"2001" in key for key in bound._seen)
