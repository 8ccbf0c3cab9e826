"""Letters out: no downgrade by whoever stands on the way, dead addresses known at once, machines' letters marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_core.channels.gateways.base import Outgoing, Permanent, Temporary
from crm_core.channels.gateways.letter import letter
from crm_core.channels.gateways.smtp import SmtpGateway
from tests.channels.gateways.mail_server import MailServer, make_certificate, serving
from tests.channels.gateways.test_smtp import LETTER, table
from tests.channels.mail.imap_server import bad_server

OFFERS = ("EHLO", "250-localhost\n250-AUTH PLAIN\n250 STARTTLS\n")
WITHOUT = ("EHLO", "250-localhost\n250 AUTH PLAIN LOGIN\n")
TAKES_ALL = [("AUTH", "235 welcome\n"), ("MAIL", "250 OK\n"), ("RCPT", "250 OK\n"), ("DATA", "354 go on\n")]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[MailServer]:
    with serving(MailServer(), certificate) as running:
        yield running


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([WITHOUT], "offers no STARTTLS"),
        ([OFFERS, ("STARTTLS", "454 4.7.0 TLS not available\n")], "answered 454"),
        ([OFFERS, ("STARTTLS", "502 not here\n")], "answered 502"),
        ([OFFERS, ("STARTTLS", "220 go\nno TLS at all\n")], "no safe connection|was lost"),
        ([OFFERS, ("STARTTLS", None)], "was lost"),
    ],
)
def test_no_server_gets_a_password_or_a_letter_without_tls(
    tmp_path: Path, answers: list[tuple[str, str | None]], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STARTTLS stripped or refused by a server that would take everything in clear: it gets nothing."""
    monkeypatch.setattr("crm_core.channels.gateways.smtp.LONGEST_SEND", 1.0)
    with bad_server("220 localhost", *answers, *TAKES_ALL) as server:
        with pytest.raises((Temporary, Permanent), match=reason) as refused:
            SmtpGateway(table(server.port, tmp_path, None)).send(LETTER)
        assert isinstance(refused.value, Temporary) or "502" in reason
        assert not any(word in line.upper() for line in server.heard for word in (b"AUTH", b"MAIL", b"RCPT"))


@pytest.mark.parametrize(
    ("answer", "dead"),
    [
        ("550 5.1.1 no such user", True),
        ("550 5.1.2 no such host", True),
        ("550 5.7.1 not from you", False),
        ("550 5.1.8 your domain does not exist", False),
        ("550 no such user", False),
    ],
)
def test_a_refused_recipient_is_a_dead_address_by_its_code_alone(
    server: MailServer, certificate: tuple[Path, Path], tmp_path: Path, answer: str, *, dead: bool
) -> None:
    server.rcpt = answer
    gateway = SmtpGateway(table(server.port, tmp_path, certificate[0]))
    with pytest.raises(Permanent) as refused:
        gateway.send(LETTER)
    gateway.close()
    assert refused.value.bad_number is dead


def test_a_letter_that_no_person_wrote_says_so() -> None:
    wrote = letter(LETTER, "Front Desk <desk@clinic.example>")
    sent = letter(
        Outgoing(attempt_id="a", to="ann@example.org", body="x", automatic=True), "Front Desk <desk@clinic.example>"
    )
    assert [wrote[name] for name in ("Auto-Submitted", "X-Auto-Response-Suppress")] == [None, None]
    assert [sent[name] for name in ("Auto-Submitted", "X-Auto-Response-Suppress")] == ["auto-generated", "All"]
