"""Mail leaves over verified TLS or not at all, and every end of an attempt is told apart."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_core.channels.gateways.base import CannotTell, Outgoing, Permanent, Sought, Temporary, UnknownFate
from crm_core.channels.gateways.smtp import SmtpGateway
from crm_core.settings import SmtpTable
from tests.channels.gateways.dripping import dripping
from tests.channels.gateways.mail_server import PASSWORD, USER, MailServer, make_certificate, serving
from tests.conftest import MONDAY

PEER = Path(__file__).resolve().parents[4] / "shared" / "peers" / "smtp"
LETTER = Outgoing(
    attempt_id="reply-1042", to="ann@example.org", subject="Your form", body="It is ready.\n.\nÉl está aquí."
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[MailServer]:
    with serving(MailServer(), certificate) as running:
        yield running


def secret(folder: Path, text: str = PASSWORD) -> Path:
    file = folder / "smtp-password"
    file.write_text(text + "\n")
    file.chmod(0o600)
    return file


def table(port: int, folder: Path, ca: Path | None, **changes: object) -> SmtpTable:
    """Settings for a server on this machine, as crm.toml would hold them."""
    values = {
        "kind": "smtp",
        "host": "localhost",
        "port": port,
        "user": USER,
        "password_file": secret(folder),
        "from": "Front Desk <desk@clinic.example>",
        "ca_file": ca,
        "vendor": "Example Mail",
        **changes,
    }
    return SmtpTable.model_validate(values)


@pytest.fixture
def gateway(server: MailServer, certificate: tuple[Path, Path], tmp_path: Path) -> Iterator[SmtpGateway]:
    made = SmtpGateway(table(server.port, tmp_path, certificate[0]))
    yield made
    made.close()


def test_a_letter_arrives_as_it_was_written(server: MailServer, gateway: SmtpGateway) -> None:
    accepted = gateway.send(LETTER)
    (kept,) = server.letters
    assert kept.get_content().replace("\r\n", "\n").rstrip("\n") == LETTER.body
    assert (kept["To"], kept["Subject"]) == (LETTER.to, "Your form")
    assert kept["From"] == "Front Desk <desk@clinic.example>"
    assert kept["Message-ID"] == accepted.provider_id


def test_the_same_attempt_has_the_same_message_id_and_another_has_another(
    server: MailServer, gateway: SmtpGateway
) -> None:
    again = gateway.send(LETTER).provider_id
    assert gateway.send(LETTER).provider_id == again
    assert gateway.send(Outgoing(attempt_id="reply-1043", to="b@example.org", body="x")).provider_id != again
    assert again is not None
    assert again.endswith("@clinic.example>")


def test_a_batch_shares_one_connection(server: MailServer, gateway: SmtpGateway) -> None:
    for number in range(5):
        gateway.send(Outgoing(attempt_id=f"a{number}", to="ann@example.org", body="x"))
    assert (len(server.letters), server.connections) == (5, 1)


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(server: MailServer, gateway: SmtpGateway) -> None:
    gateway.send(LETTER)
    assert gateway._server is not None
    assert gateway._server.sock is not None
    gateway._server.sock.shutdown(socket.SHUT_RDWR)
    gateway.send(LETTER)
    assert (len(server.letters), server.connections) == (2, 2)


def test_implicit_tls_serves_too(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    with serving(MailServer(implicit_tls=True), certificate) as server:
        gateway = SmtpGateway(table(server.port, tmp_path, certificate[0], security="tls"))
        gateway.send(LETTER)
        gateway.close()
        assert len(server.letters) == 1


def test_a_server_without_starttls_is_refused_before_anything_is_said(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    with serving(MailServer(starttls=False), certificate) as server:
        with pytest.raises(Temporary, match="offers no STARTTLS"):
            SmtpGateway(table(server.port, tmp_path, certificate[0])).send(LETTER)
        assert server.letters == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_refused(
    certificate: tuple[Path, Path], tmp_path: Path, security: str
) -> None:
    with serving(MailServer(implicit_tls=security == "tls"), certificate) as server:
        with pytest.raises(Temporary, match="certificate is not trusted"):
            SmtpGateway(table(server.port, tmp_path, None, security=security)).send(LETTER)
        assert server.letters == []


def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "mail.elsewhere.example")
    with serving(MailServer(), other) as server:
        with pytest.raises(Temporary, match="certificate is not trusted"):
            SmtpGateway(table(server.port, tmp_path, other[0])).send(LETTER)
        assert server.letters == []


@pytest.mark.parametrize(
    ("answers", "error", "reason"),
    [
        (("550 5.1.1 no such user ann@example.org", "250 OK"), Permanent, "answered 550 5.1.1"),
        (("451 4.7.1 greylisted", "250 OK"), Temporary, "answered 451 4.7.1"),
        (("250 OK", "552 5.3.4 too big"), Permanent, "answered 552 5.3.4"),
        (("250 OK", "452 4.3.1 full"), Temporary, "answered 452 4.3.1"),
        (("530 5.7.0 sign in first", "250 OK"), Temporary, "answered 530 5.7.0"),
        (("421 4.3.2 closing", "250 OK"), Temporary, "answered 421"),
    ],
)
def test_a_refusal_is_permanent_or_temporary_by_its_code_and_repeats_no_address(
    server: MailServer, gateway: SmtpGateway, answers: tuple[str, str], error: type[Exception], reason: str
) -> None:
    server.rcpt, server.data = answers
    with pytest.raises(error, match=reason) as caught:
        gateway.send(LETTER)
    assert "ann@" not in str(caught.value)
    server.rcpt = server.data = "250 OK"
    gateway.send(LETTER)
    assert len(server.letters) == 1


@pytest.mark.parametrize("cut", ["data", "data-unkept"])
def test_a_connection_lost_after_the_letter_was_handed_over_is_an_unknown_fate(
    server: MailServer, gateway: SmtpGateway, cut: str
) -> None:
    server.cut = cut
    with pytest.raises(UnknownFate, match="lost after the letter was sent"):
        gateway.send(LETTER)
    assert gateway.find(Sought(outgoing=LETTER, begun_at=MONDAY, asked_at=MONDAY)) == CannotTell()


def test_a_connection_lost_before_that_is_temporary(server: MailServer, gateway: SmtpGateway) -> None:
    server.cut = "rcpt"
    with pytest.raises(Temporary, match="lost"):
        gateway.send(LETTER)
    assert server.letters == []


def test_a_server_that_is_not_there_is_temporary(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(Temporary, match="cannot be reached"):
        SmtpGateway(table(port, tmp_path, certificate[0])).send(LETTER)


def test_a_server_that_says_nothing_is_given_up_in_time(
    certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_core.channels.gateways.smtp.LONGEST_SEND", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(Temporary):
        SmtpGateway(table(mute.getsockname()[1], tmp_path, certificate[0])).send(LETTER)


def test_a_server_whose_answers_drip_is_given_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_core.channels.gateways.smtp.LONGEST_SEND", 0.5)
    with dripping(b"220 here\r\n", b"250-" + b"x" * 200) as slow, pytest.raises(Temporary, match="lost"):
        SmtpGateway(table(slow.port, tmp_path, None)).send(LETTER)
    assert slow.given < len(slow.dripped)


def test_a_wrong_password_keeps_the_letter_for_later(
    server: MailServer, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    settings = table(server.port, tmp_path, certificate[0])
    secret(tmp_path, "wrong")
    with pytest.raises(Temporary, match=r"refused the login \(535\)") as caught:
        SmtpGateway(settings).send(LETTER)
    assert "wrong" not in str(caught.value)


def test_a_password_file_that_others_may_read_is_not_used(
    server: MailServer, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    settings = table(server.port, tmp_path, certificate[0])
    (tmp_path / "smtp-password").chmod(0o644)
    with pytest.raises(Temporary, match="password file cannot be used"):
        SmtpGateway(settings).send(LETTER)


@pytest.mark.parametrize(
    "to",
    ["", "ann", "ann@", "@example.org", "a b@example.org", "ann@example.org\r\nBcc: eve@example.org", "a@b@c.example"],
)
def test_what_is_no_address_is_refused_before_a_connection(server: MailServer, gateway: SmtpGateway, to: str) -> None:
    with pytest.raises(Permanent, match="not an e-mail address"):
        gateway.send(Outgoing(attempt_id="a", to=to, body="x"))
    assert server.connections == 0


def test_no_header_can_be_smuggled_in(server: MailServer, gateway: SmtpGateway) -> None:
    gateway.send(
        Outgoing(
            attempt_id="a\r\nX-Evil: 1",
            to="ann@example.org",
            subject="Hi\r\nBcc: eve@example.org\r\n\r\nbody",
            body="x\r\n.\r\nMAIL FROM:<eve@example.org>\r\n",
            in_reply_to="<1@x>\r\nX-Evil: 1",
        )
    )
    (kept,) = server.letters
    assert kept["Bcc"] is None
    assert kept["X-Evil"] is None
    assert kept["Subject"] == "Hi Bcc: eve@example.org body"
    assert "MAIL FROM:<eve@example.org>" in kept.get_content()


def test_a_thread_is_named_in_the_headers(server: MailServer, gateway: SmtpGateway) -> None:
    gateway.send(
        Outgoing(
            attempt_id="a",
            to="ann@example.org",
            body="x",
            reply_to="desk+7@clinic.example",
            in_reply_to="<2@x>",
            references=("<1@x>",),
        )
    )
    (kept,) = server.letters
    assert (kept["Reply-To"], kept["In-Reply-To"], kept["References"]) == (
        "desk+7@clinic.example",
        "<2@x>",
        "<1@x> <2@x>",
    )


def test_an_address_in_other_letters_is_written_to(server: MailServer, gateway: SmtpGateway) -> None:
    gateway.send(Outgoing(attempt_id="a", to="jos\u00e9@ex\u00e4mple.org", body="x"))
    assert "jos\u00e9@xn--exmple-cua.org" in str(server.letters[0]["To"])


def test_a_letter_in_a_log_shows_only_its_attempt() -> None:
    assert repr(LETTER) == "Outgoing('reply-1042')"


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The mail server that lies beside the project: its port and its run directory."""
    if not (PEER / "start.sh").is_file():
        pytest.skip(f"the mail server to try against is not here ({PEER})")
    run = tmp_path_factory.mktemp("peer")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "SMTP_PORT": str(port)}
    started = subprocess.run([PEER / "start.sh", run], env=environment, capture_output=True, check=False, timeout=240)
    if started.returncode != 0:
        pytest.skip("the mail server beside the project does not start here")
    yield port, run
    subprocess.run([PEER / "stop.sh", run], capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("reject@example.org", Permanent),
        ("defer@example.org", Temporary),
        ("drop@example.org", UnknownFate),
    ],
)
def test_the_real_peer_is_understood(peer: tuple[int, Path], tmp_path: Path, to: str, error: type[Exception]) -> None:
    port, run = peer
    gateway = SmtpGateway(table(port, tmp_path, run / "cert.pem"))
    secret(tmp_path, "crmpw")
    with pytest.raises(error):
        gateway.send(Outgoing(attempt_id="peer", to=to, body="x"))
    accepted = gateway.send(Outgoing(attempt_id="peer-2", to="ok@example.org", body="kept"))
    gateway.close()
    kept = [file.read_text("utf-8") for file in (run / "inbox").glob("*.eml")]
    assert any(str(accepted.provider_id) in letter for letter in kept)


def test_two_gateways_in_two_threads_do_not_disturb_each_other(
    server: MailServer, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    settings = table(server.port, tmp_path, certificate[0])

    def batch(start: int) -> None:
        gateway = SmtpGateway(settings)
        for number in range(start, start + 5):
            gateway.send(Outgoing(attempt_id=str(number), to="ann@example.org", body="x"))
        gateway.close()

    threads = [threading.Thread(target=batch, args=(start,)) for start in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len({letter["Message-ID"] for letter in server.letters}) == 10
