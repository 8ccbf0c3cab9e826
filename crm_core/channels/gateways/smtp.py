"""E-mail out by SMTP submission, over verified TLS or not at all."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate, parseaddr

from crm_core.channels.gateways.base import (
    Accepted,
    CannotTell,
    Found,
    NotFound,
    Outgoing,
    Permanent,
    Temporary,
    UnknownFate,
)
from crm_core.settings import SmtpTable, read_secret

TIMEOUT = 20.0
"""Seconds for each step; well inside the courier's lease."""


class SmtpGateway:
    """Hands letters to a submission server; one connection serves a batch.

    A server that does not offer STARTTLS, or whose certificate does not verify, gets nothing:
    there is no falling back to plain text. SMTP cannot be asked about an earlier attempt, so a
    connection lost after the letter left is `UnknownFate`.
    """

    name = "smtp"
    real = True

    def __init__(self, table: SmtpTable) -> None:
        self._table = table
        self._connection: smtplib.SMTP | None = None

    @property
    def vendor(self) -> str:
        """Whose agreement covers it."""
        return self._table.vendor

    def send(self, outgoing: Outgoing) -> Accepted:
        """Submit one letter. 4xx is Temporary, 5xx Permanent; its Message-ID is the provider's id."""
        letter = _letter(outgoing, self._table.sender)
        connection = self._open()
        try:
            _envelope(connection, self._table.sender, outgoing.to)
        except smtplib.SMTPServerDisconnected:
            self.close()
            raise Temporary(reason="the server closed the connection") from None
        except OSError as error:
            self.close()
            raise Temporary(reason=_network(error)) from None
        self._data(connection, letter)
        return Accepted(provider_id=letter["Message-ID"])

    def find(self, attempt_id: str) -> Found | NotFound | CannotTell:  # noqa: ARG002 - SMTP has no such question
        """SMTP cannot be asked."""
        return CannotTell()

    def close(self) -> None:
        """Say goodbye, if anybody listens."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.quit()
        except (smtplib.SMTPException, OSError):
            connection.close()

    def _open(self) -> smtplib.SMTP:
        """The connection of this batch, or a new one where that has died."""
        if self._connection is not None:
            try:
                if self._connection.noop()[0] == 250:  # noqa: PLR2004 - SMTP's "fine"
                    return self._connection
            except (smtplib.SMTPException, OSError):
                pass
            self.close()
        try:
            self._connection = self._connect()
        except ssl.SSLError:
            raise Temporary(reason="the server's certificate does not verify") from None
        except smtplib.SMTPAuthenticationError:
            raise Temporary(reason="the server refused our password") from None
        except smtplib.SMTPNotSupportedError:
            raise Temporary(reason="the server offers no STARTTLS, or no way to sign in") from None
        except smtplib.SMTPException as error:
            raise Temporary(reason=_reply(error)) from None
        except OSError as error:
            raise Temporary(reason=_network(error)) from None
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        table = self._table
        context = ssl.create_default_context(cafile=str(table.ca_file) if table.ca_file else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        connection: smtplib.SMTP
        if table.security == "tls":
            connection = smtplib.SMTP_SSL(table.host, table.port, timeout=TIMEOUT, context=context)
        else:
            connection = smtplib.SMTP(table.host, table.port, timeout=TIMEOUT)
        try:
            if table.security != "tls":
                connection.starttls(context=context)
            if table.user is not None:
                password = read_secret(table.password_file) if table.password_file else ""
                connection.login(table.user, password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _data(self, connection: smtplib.SMTP, letter: EmailMessage) -> None:
        """The letter itself. From here on a lost connection may have delivered it."""
        try:
            code, said = connection.data(letter.as_bytes(policy=SMTP_POLICY))
        except smtplib.SMTPDataError as error:
            _rset(connection)
            raise _refusal(error.smtp_code, "letter refused") from None
        except (smtplib.SMTPServerDisconnected, OSError):
            self.close()
            raise UnknownFate(reason="the connection was lost after the letter left") from None
        if code != 250:  # noqa: PLR2004 - SMTP's "fine"
            _rset(connection)
            del said
            raise _refusal(code, "letter refused")


def _envelope(connection: smtplib.SMTP, sender: str, to: str) -> None:
    """Sender and recipient; nothing has left yet, so every failure is certain."""
    connection.ehlo_or_helo_if_needed()
    options = ["SMTPUTF8"] if not to.isascii() and connection.has_extn("smtputf8") else []
    code, _ = connection.mail(parseaddr(sender)[1], options)
    if code != 250:  # noqa: PLR2004 - SMTP's "fine"
        _rset(connection)
        raise _refusal(code, "sender refused")
    try:
        code, _ = connection.rcpt(to)
    except UnicodeEncodeError:
        _rset(connection)
        raise Permanent(reason="the server does not take this address") from None
    if code not in (250, 251):
        _rset(connection)
        raise _refusal(code, "recipient refused")


def _letter(outgoing: Outgoing, sender: str) -> EmailMessage:
    """The letter; its Message-ID is made of the attempt, so that a reply can be threaded."""
    letter = EmailMessage(policy=SMTP_POLICY)
    try:
        letter["From"] = sender
        letter["To"] = outgoing.to
        letter["Subject"] = " ".join((outgoing.subject or "A message from your clinic").split())
    except ValueError:
        raise Permanent(reason="the address is not one") from None
    letter["Date"] = formatdate(localtime=False)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    letter["Message-ID"] = f"<{outgoing.attempt_id}@{domain}>"
    letter["Auto-Submitted"] = "no"
    letter.set_content(outgoing.body)
    return letter


def _refusal(code: int, what: str) -> Temporary | Permanent:
    """4xx may pass, 5xx will not; the server's own words may hold the address and are dropped."""
    kind = Temporary if 400 <= code < 500 else Permanent  # noqa: PLR2004 - SMTP's classes of replies
    return kind(reason=f"{what} ({code})")


def _reply(error: smtplib.SMTPException) -> str:
    code = getattr(error, "smtp_code", None)
    return f"the server answered {code}" if code else "the server did not answer as a mail server does"


def _network(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    return f"the server cannot be reached ({error.strerror or type(error).__name__})"


def _rset(connection: smtplib.SMTP) -> None:
    """Begin the next letter afresh; a server that is gone shows at the next NOOP."""
    try:
        connection.rset()
    except (smtplib.SMTPException, OSError):
        return
