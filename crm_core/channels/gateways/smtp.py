"""A mail gateway: a submission server over verified TLS, one connection for a batch.

A letter's fate is known until its text is handed over. What fails before is Temporary, or
Permanent where the server refused it for good; a connection lost after that is UnknownFate,
since SMTP cannot be asked about the past. Reasons are the server's codes, never its words,
which may repeat an address.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from crm_core.channels.gateways.base import (
    Accepted,
    CannotTell,
    Found,
    NotFound,
    Outgoing,
    Permanent,
    Sought,
    Temporary,
    UnknownFate,
)
from crm_core.channels.gateways.ending import ended_after
from crm_core.channels.gateways.enhanced_codes import enhanced_code, no_such_address
from crm_core.channels.gateways.letter import domain_of, letter, mailbox
from crm_core.errors import CrmError
from crm_core.settings import SmtpTable, read_secret

LONGEST_SEND = 20.0
"""Seconds for one letter, connecting included: below delivery.LONGEST_CALL."""

_CLOSING = 421
_LOGIN = frozenset({530, 534, 535, 538})
"""Answers that are about our account and not about the letter: it stays queued."""
_TEMPORARY, _PERMANENT = 400, 500
_READY, _STARTED = 250, 354


class SmtpGateway:
    """Sends letters by one submission server. Not shared between threads.

    `answers_are_read` says that what is sent to its own address comes into a mailbox of ours.
    """

    real = True

    def __init__(self, settings: SmtpTable, *, answers_are_read: bool = False) -> None:
        self._answers_are_read = answers_are_read
        self.name = "smtp"
        self._settings = settings
        self._server: smtplib.SMTP | None = None
        self._deadline = 0.0

    @property
    def vendor(self) -> str:
        """The vendor whose BAA covers this server."""
        return self._settings.vendor

    def send(self, outgoing: Outgoing) -> Accepted:
        """Send one letter; its provider id is its Message-ID."""
        self._deadline = time.monotonic() + LONGEST_SEND
        message = letter(outgoing, self._settings.sender, answers_are_read=self._answers_are_read)
        to = mailbox(outgoing.to)
        with ended_after(LONGEST_SEND, self._talking_on):
            server = self._offered(to)
            text = message.as_bytes()
            self._handed_over(server, text)
        return Accepted(provider_id=str(message["Message-ID"]))

    def find(self, sought: Sought) -> Found | NotFound | CannotTell:  # noqa: ARG002 - the protocol's
        """SMTP keeps nothing that could be asked."""
        return CannotTell()

    def probe(self) -> str:
        """Connect and log in, send nothing, and say what was reached; raises as `send` does."""
        self._deadline = time.monotonic() + LONGEST_SEND
        with ended_after(LONGEST_SEND, self._talking_on):
            self._connect()
            self.close()
        return self._settings.host

    def close(self) -> None:
        """End the connection; sending again opens a new one."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _offered(self, to: str) -> smtplib.SMTP:
        """A connection that has accepted sender and recipient and waits for the text.

        A kept connection that the server closed meanwhile is replaced once.
        """
        kept = self._server is not None
        try:
            return self._open_letter(self._server or self._connect(), to)
        except _Lost:
            self._drop()
            if not kept:
                raise
        return self._open_letter(self._connect(), to)

    def _open_letter(self, server: smtplib.SMTP, to: str) -> smtplib.SMTP:
        options = ["SMTPUTF8"] if not to.isascii() else []
        if options and not server.has_extn("smtputf8"):
            raise Permanent(reason="the mail server takes no address with such letters")
        with self._talking(server):
            self._expect(server, server.mail(mailbox(self._settings.sender), options))
            self._expect(server, server.rcpt(to), of_the_address=True)
            self._expect(server, server.docmd("data"), _STARTED)
        return server

    def _handed_over(self, server: smtplib.SMTP, text: bytes) -> None:
        """Send the text after DATA was granted: from here on a lost connection says nothing."""
        stuffed = re.sub(rb"(?m)^\.", b"..", text)
        try:
            self._limit(server)
            server.send(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
            self._limit(server)
            code, words = server.getreply()
        except (OSError, smtplib.SMTPException):
            self._drop()
            raise UnknownFate(reason="the connection was lost after the letter was sent") from None
        self._expect(server, (code, words))

    def _connect(self) -> smtplib.SMTP:
        """Connect, over TLS whose certificate is verified for the host's name, and log in."""
        table = self._settings
        domain = domain_of(mailbox(table.sender))
        try:
            context = ssl.create_default_context(cafile=table.ca_file)
            if table.security == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    table.host, table.port, domain, timeout=self._remaining(), context=context
                )
            else:
                server = smtplib.SMTP(table.host, table.port, domain, timeout=self._remaining())
        except ssl.SSLCertVerificationError:
            raise Temporary(reason="the mail server's certificate is not trusted") from None
        except (OSError, smtplib.SMTPException):
            raise Temporary(reason="the mail server cannot be reached") from None
        self._server = server
        with self._talking(server):
            server.ehlo()
            if table.security != "tls":
                self._secure(server, context)
            self._log_in(server)
        return server

    def _secure(self, server: smtplib.SMTP, context: ssl.SSLContext) -> None:
        if not server.has_extn("starttls"):
            self._drop()
            raise Temporary(reason="the mail server offers no STARTTLS")
        self._expect(server, server.starttls(context=context), 220)
        server.ehlo()

    def _log_in(self, server: smtplib.SMTP) -> None:
        table = self._settings
        if table.user is None:
            return
        try:
            if table.password_file is None:
                raise Temporary(reason="no password_file is set for the mail server")
            server.login(table.user, read_secret(table.password_file))
        except smtplib.SMTPAuthenticationError as error:
            self._drop()
            raise Temporary(reason=f"the mail server refused the login ({error.smtp_code})") from None
        except smtplib.SMTPNotSupportedError:
            self._drop()
            raise Temporary(reason="the mail server offers no login") from None
        except CrmError as error:
            self._drop()
            known = error.reason if isinstance(error, Temporary) else "the mail password file cannot be used"
            raise Temporary(reason=known) from None

    @contextmanager
    def _talking(self, server: smtplib.SMTP) -> Iterator[None]:
        """Turn what breaks a conversation before the text into Temporary, and forget the connection."""
        self._limit(server)
        try:
            yield
        except ssl.SSLCertVerificationError:
            self._drop()
            raise Temporary(reason="the mail server's certificate is not trusted") from None
        except ssl.SSLError:
            self._drop()
            raise Temporary(reason="no safe connection to the mail server") from None
        except smtplib.SMTPResponseException as error:
            self._drop()
            raise Temporary(reason=f"the mail server answered {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException):
            self._drop()
            raise _Lost(reason="the connection to the mail server was lost") from None

    def _expect(
        self, server: smtplib.SMTP, reply: tuple[int, bytes], wanted: int = _READY, *, of_the_address: bool = False
    ) -> None:
        """Go on only if the server said yes; otherwise take this letter back and say why.

        `of_the_address`: a refusal here may mean that the recipient's address will never work.
        """
        code, words = reply
        if code == wanted or (wanted == _READY and code // 100 == _READY // 100):
            self._limit(server)
            return
        if code == _CLOSING or code < _TEMPORARY:
            self._drop()
            raise _Lost(reason=f"the mail server answered {code}")
        enhanced = enhanced_code((words or b"").decode("ascii", "replace"))
        reason = f"the mail server answered {code}" + (f" {enhanced}" if enhanced else "")
        self._take_back(server)
        if code in _LOGIN or code < _PERMANENT:
            raise Temporary(reason=reason)
        raise Permanent(reason=reason, code=enhanced, bad_number=of_the_address and no_such_address(enhanced))

    def _take_back(self, server: smtplib.SMTP) -> None:
        try:
            server.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _talking_on(self) -> tuple[socket.socket, ...]:
        sock = self._server.sock if self._server is not None else None
        return (sock,) if sock is not None else ()

    def _limit(self, server: smtplib.SMTP) -> None:
        """Let the next answer take no longer than what is left of the time for this letter."""
        if server.sock is not None:
            server.sock.settimeout(self._remaining())

    def _remaining(self) -> float:
        return max(0.1, self._deadline - time.monotonic())


class _Lost(Temporary):
    """The gateway cannot take this now: {reason}; it is tried again later."""
