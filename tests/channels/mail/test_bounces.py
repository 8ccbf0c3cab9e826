"""What comes back: reports of mail servers are believed of our own letters alone, and no machine is answered."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import func, select

from crm_core.access.model import SYSTEM
from crm_core.app import Crm
from crm_core.channels.incoming.tables import Incoming
from crm_core.channels.letters import letter_name
from crm_core.channels.mail.bounces import returned_in
from crm_core.channels.mail.handing_in import hand_in
from crm_core.channels.mail.letters_in import taken
from crm_core.channels.mail_reading import parsed
from crm_core.channels.model import Delivery
from crm_core.inbox.answering.answers import reply
from crm_core.inbox.answering.deliveries import InboxSendObserver
from crm_core.inbox.handling import close
from crm_core.inbox.model import State
from crm_core.patients.tables import ContactPoint
from tests.conftest import MONDAY
from tests.inbox.conftest import Clinic
from tests.inbox.looking import outbox_rows
from tests.inbox.test_letters import letter, patient

MIA = "mia@example.org"
REPORT = """\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: frontdesk@clinic.example
Subject: {subject}
Message-ID: <report-1@mx.example.org>
Date: Mon, 23 Nov 2026 10:00:05 -0500
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

This is the mail system. Your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Mon, 23 Nov 2026 10:00:01 -0500

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <{recipient}>: no such user

--b1
Content-Type: {returned}

Message-ID: <{name}@clinic.example>
From: Front Desk <frontdesk@clinic.example>
To: {recipient}
Subject: Your bill

--b1--
"""


def bounce(name: str, **changes: str) -> bytes:
    """The report that a mail server would send of our letter."""
    values = {
        "name": name,
        "subject": "Undelivered Mail Returned to Sender",
        "recipient": MIA,
        "action": "failed",
        "status": "5.1.1",
        "returned": "text/rfc822-headers",
        **changes,
    }
    return REPORT.format(**values).replace("\n", "\r\n").encode()


def came(crm: Crm, raw: bytes) -> None:
    """That letter lies in the mailbox and is handed in."""
    with crm.write(SYSTEM) as unit:
        hand_in(unit, "front_desk", raw, taken(raw, "front_desk", MONDAY), (InboxSendObserver(),))


def taken_in(crm: Crm) -> int:
    """How many letters were taken in as messages."""
    with crm.read(SYSTEM) as unit:
        return int(unit.scalar(select(func.count()).select_from(Incoming)))


def invalid(crm: Crm) -> list[str]:
    """Why addresses are marked as ones that do not work."""
    with crm.read(SYSTEM) as unit:
        return list(unit.scalars(select(ContactPoint.invalid_reason).where(ContactPoint.invalid_at.is_not(None))))


@pytest.fixture
def answered(clinic: Clinic) -> tuple[int, str]:
    """A conversation with Mia, whose answer by e-mail has left, and the name of that letter."""
    patient(clinic, "Mia", MIA, "2001")
    number = letter(clinic, "How much is my bill?", sender=MIA).conversation_id
    assert number is not None
    clinic.do(clinic.agent, reply, clinic.crm.gate, number, "It is 20 dollars.", subject="Your bill")
    clinic.crm.courier.run_once()
    with clinic.crm.read(SYSTEM) as unit:
        return number, letter_name(unit, outbox_rows(clinic.crm)[0]["dedup_key"])


@pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
def test_a_bounce_opens_the_conversation_and_makes_none(
    clinic: Clinic, answered: tuple[int, str], returned: str
) -> None:
    number, name = answered
    clinic.do(clinic.agent, close, number, outcome="resolved")
    came(clinic.crm, bounce(name, returned=returned))
    (row,) = outbox_rows(clinic.crm)
    assert (row["state"], row["failure"]) == (Delivery.FAILED, "not delivered: 5.1.1 no such address")
    after = clinic.now_at(number)
    assert (after.state, "not delivered" in str(after.next_action)) == (State.OPEN, True)
    assert taken_in(clinic.crm) == 0
    assert invalid(clinic.crm) == ["smtp 5.1.1"]


def test_the_same_bounce_again_changes_nothing_more(clinic: Clinic, answered: tuple[int, str]) -> None:
    came(clinic.crm, bounce(answered[1]))
    before = outbox_rows(clinic.crm), clinic.now_at(answered[0]).state
    came(clinic.crm, bounce(answered[1]))
    assert (outbox_rows(clinic.crm), clinic.now_at(answered[0]).state) == before
    assert taken_in(clinic.crm) == 0


@pytest.mark.parametrize(
    ("status", "action", "means", "dead"),
    [
        ("5.1.1", "failed", "failed", True),
        ("5.1.2", "Failed", "failed", True),
        ("5.1.8", "failed", "failed", False),
        ("5.2.2", "failed", "failed", False),
        ("5.7.1", "failed", "failed", False),
        ("4.4.7", "failed", "failed", False),
        ("4.4.1", "delayed", "delayed", False),
        ("2.1.5", "delivered", "delivered", False),
        ("5.1.1", "", "failed", True),
        ("4.2.2", "", "delayed", False),
    ],
)
def test_what_a_report_means_goes_by_its_codes(status: str, action: str, means: str, *, dead: bool) -> None:
    """5.1.x says that the address will never work (5.1.7 and 5.1.8: ours); 4.x that it is still being tried."""
    (told,) = returned_in(parsed(bounce("x", status=status, action=action)))
    assert (told.action, told.no_such_address, told.letters) == (means, dead, ("<x@clinic.example>",))


def test_a_letter_that_is_late_or_passed_on_has_not_failed(clinic: Clinic, answered: tuple[int, str]) -> None:
    for status, action in (("4.4.1", "delayed"), ("2.0.0", "relayed"), ("2.1.5", "delivered")):
        came(clinic.crm, bounce(answered[1], status=status, action=action))
    assert outbox_rows(clinic.crm)[0]["state"] == Delivery.SENT
    came(clinic.crm, bounce(answered[1], status="5.2.2"))
    assert outbox_rows(clinic.crm)[0]["state"] == Delivery.FAILED
    assert (taken_in(clinic.crm), invalid(clinic.crm)) == (0, [])


def test_a_report_that_is_of_no_letter_of_ours_changes_nothing_and_is_a_machines_letter(
    clinic: Clinic, answered: tuple[int, str]
) -> None:
    forged = [
        {"name": "0" * 32},
        {"name": sha256(b"message-1").hexdigest()[:32]},
        {"recipient": "someone.else@example.org"},
        {"recipient": "not an address"},
        {"recipient": ""},
        {"action": "exploded"},
    ]
    before = outbox_rows(clinic.crm), clinic.now_at(answered[0]).state, invalid(clinic.crm)
    for number, changes in enumerate(forged, start=1):
        raw = bounce(**{"name": answered[1], "subject": f"Returned {number}", **changes})
        came(clinic.crm, raw)
        assert (outbox_rows(clinic.crm), clinic.now_at(answered[0]).state, invalid(clinic.crm)) == before
        assert taken_in(clinic.crm) == number
        assert taken(raw, "front_desk", MONDAY).automatic


def test_what_a_patient_quotes_of_a_report_reports_nothing(clinic: Clinic, answered: tuple[int, str]) -> None:
    """Somebody who has the bounce of our letter forwards it: the report is a file then, not the letter itself."""
    forwarded = EmailMessage(policy=SMTP)
    forwarded["From"], forwarded["To"], forwarded["Subject"] = MIA, "frontdesk@clinic.example", "Fwd"
    forwarded.set_content("What is this?")
    forwarded.add_attachment(parsed(bounce(answered[1])))
    came(clinic.crm, forwarded.as_bytes())
    assert outbox_rows(clinic.crm)[0]["state"] == Delivery.SENT
    assert taken_in(clinic.crm) == 1


def test_a_report_in_an_international_address_is_read(clinic: Clinic) -> None:
    told = returned_in(parsed(bounce("x", recipient="mia@example.org").replace(b"rfc822; mia", b"utf-8; m\xc3\xafa")))
    assert [one.status for one in told] == ["5.1.1"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "Auto-Generated; owner-email=x"},
        {"X-Auto-Response-Suppress": "DR, OOF, AutoReply"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"List-Id": "<news.example.org>"},
        {"List-Unsubscribe": "<mailto:off@example.org>"},
        {"X-Autoreply": "yes"},
        {"X-Failed-Recipients": "x@example.org"},
        {"Return-Path": "<>"},
    ],
)
def test_machines_are_known_by_their_headers(headers: dict[str, str]) -> None:
    assert taken(_plain(headers), "front_desk", MONDAY).automatic


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Subject": "Automatic reply: out of office, undeliverable"},
        {"Auto-Submitted": "no"},
        {"Precedence": "first-class"},
        {"X-Auto-Response-Suppress": "DR, NDR, RN, NRN"},
        {"Return-Path": "<mia@example.org>"},
    ],
)
def test_people_are_not_taken_for_machines_by_their_words(headers: dict[str, str]) -> None:
    assert not taken(_plain(headers), "front_desk", MONDAY).automatic


def _plain(headers: dict[str, Any]) -> bytes:
    made = EmailMessage(policy=SMTP)
    for name, value in {"From": MIA, "Subject": "Hello", **headers}.items():
        made[name] = value
    made.set_content("x")
    return made.as_bytes()
