"""The password and the letters go over verified TLS or not at all, and each failure is told in our own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_core.channels.mail import imap
from crm_core.channels.mail.imap import Imap, Unreadable
from crm_core.settings import MailboxTable
from tests.channels.gateways.mail_server import make_certificate
from tests.channels.mail.conftest import Box, MailClinic, letter
from tests.channels.mail.imap_server import bad_server
from tests.channels.mail.test_mailbox import state_of

HELLO = "* OK ready"
PLAIN = ("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\n{tag} OK done\n")
WITH_STARTTLS = ("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN STARTTLS\n{tag} OK done\n")


@pytest.fixture
def table(tmp_path: Path) -> MailboxTable:
    """Settings for a server on this machine; the password is `secret`."""
    file = tmp_path / "imap-password"
    file.touch(mode=0o600)
    file.write_text("secret\n")
    return MailboxTable(host="localhost", user="desk", password_file=file, vendor="Example Mail", security="starttls")


def refused(table: MailboxTable) -> str:
    with pytest.raises(Unreadable) as error:
        Imap(table)
    return error.value.reason


def at(table: MailboxTable, **changes: object) -> MailboxTable:
    return table.model_copy(update=changes)


@pytest.mark.parametrize(
    ("greeting", "answers", "reason"),
    [
        (HELLO, [PLAIN], "the mail server offers no STARTTLS"),
        ("* PREAUTH welcome", [WITH_STARTTLS], "the mail server broke off the login"),
        (HELLO, [WITH_STARTTLS, ("STARTTLS", "{tag} NO not now\n")], "the mail server broke off the login"),
        (HELLO, [WITH_STARTTLS, ("STARTTLS", "{tag} BAD what\n")], "the mail server broke off the login"),
        (HELLO, [WITH_STARTTLS, ("STARTTLS", None)], "the mail server broke off the login: it hung up"),
        ("* BYE go away", [], "the mail server cannot be reached"),
        ("HTTP/1.1 400 Bad Request", [], "the mail server cannot be reached"),
    ],
)
def test_no_server_gets_the_password_without_tls(
    table: MailboxTable, greeting: str, answers: list[tuple[str, str | None]], reason: str
) -> None:
    """STARTTLS stripped, refused, skipped by PREAUTH, answered by rubbish: nothing is sent in clear."""
    with bad_server(greeting, *answers) as server:
        assert refused(at(table, port=server.port)).startswith(reason)
        assert not any(word in line for line in server.heard for word in (b"desk", b"AUTHENTICATE", b"LOGIN"))


@pytest.mark.parametrize(
    "answers", [[], [WITH_STARTTLS, ("STARTTLS", "{tag} OK go\n* OK injected before TLS\n{tag} OK too\n")]]
)
def test_a_server_that_does_not_go_on_is_given_up(
    table: MailboxTable, answers: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody on the way writes behind the answer to STARTTLS is thrown away."""
    monkeypatch.setattr(imap, "CONNECT_LIMIT", 0.3)
    monkeypatch.setattr(imap, "ANSWER_LIMIT", 0.3)
    with bad_server(HELLO, *answers) as server:
        assert refused(at(table, port=server.port)) == "the mail server did not answer in time"
        assert not any(b"desk" in line for line in server.heard)


def test_a_server_that_is_not_there_cannot_be_reached(table: MailboxTable) -> None:
    assert refused(at(table, port=9)) == "the mail server cannot be reached"


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_both_ways_to_tls_work(box: Box, security: str) -> None:
    port = box.server.imaps if security == "tls" else box.server.imap
    opened = Imap(box.table(security=security, port=port))
    assert (opened.look().uid_next, opened.waits) == (1, True)
    opened.close()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_is_not_trusted_or_of_another_host_is_refused(
    box: Box, tmp_path: Path, security: str
) -> None:
    port = box.server.imaps if security == "tls" else box.server.imap
    foreign, _ = make_certificate(tmp_path)
    for ca_file in (None, foreign):
        with pytest.raises(Unreadable, match="certificate is not trusted"):
            Imap(box.table(security=security, port=port, ca_file=ca_file))
    with pytest.raises(Unreadable, match="certificate is not trusted"):
        Imap(box.table(security=security, port=port, host="127.1"))


def test_a_wrong_password_is_told_to_the_doctor_and_the_mailbox_tried_again(mail_clinic: MailClinic) -> None:
    mail_clinic.box.deliver(letter())
    right = mail_clinic.box.password_file.read_text()
    mail_clinic.box.password_file.write_text("guessed\n")
    assert (mail_clinic.read().retried, state_of(mail_clinic)) == (1, "the mail server refused the login")
    mail_clinic.box.password_file.write_text(right)
    assert (mail_clinic.read().done, state_of(mail_clinic)) == (1, None)


def test_a_password_file_that_others_may_read_is_not_used(box: Box) -> None:
    box.password_file.chmod(0o644)
    with pytest.raises(Unreadable, match="password file cannot be used"):
        Imap(box.table())


def test_a_folder_that_is_not_there_is_said_so(box: Box) -> None:
    opened = Imap(box.table(folder="No such folder"))
    with pytest.raises(Unreadable, match="the folder cannot be opened"):
        opened.look()
    opened.close()


def test_a_connection_that_is_cut_while_waiting_is_made_anew(mail_clinic: MailClinic) -> None:
    chore = mail_clinic.chore()
    chore.run(lambda: False)
    reader = chore._reader
    assert reader is not None
    reader._connected()._client._imap.sock.shutdown(2)
    chore._connected_at -= 60
    chore.wait(lambda: False)
    mail_clinic.box.deliver(letter())
    assert chore.run(lambda: False).done == 1
    chore.close()
