"""An outgoing message as an e-mail: headers that nothing can be injected into, a UTF-8 body."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from crm_core.channels.gateways.base import Outgoing, Permanent
from crm_core.cleaning import single_line

_LONGEST_ADDRESS = 254
_NEVER_IN_AN_ADDRESS = frozenset('<>(),;:"\\[]')


def message_id(outgoing: Outgoing, domain: str) -> str:
    """The Message-ID of an attempt: the same each time, so that a reply names what it answers.

    By what stands before the @ alone we know our own, whatever the domain was.
    """
    unnamed = hashlib.sha256(outgoing.attempt_id.encode("utf-8", "replace")).hexdigest()[:32]
    return f"<{outgoing.letter_name or unnamed}@{domain}>"


def domain_of(address: str) -> str:
    """The part after the last @, in the ASCII form that mail servers know."""
    return address.rpartition("@")[2].encode("idna").decode("ascii")


def mailbox(text: str) -> str:
    """The bare address in `text`; Permanent where it is none that can be written to."""
    address = parseaddr(text)[1]
    local, at, domain = address.rpartition("@")
    odd = any(each.isspace() or each in _NEVER_IN_AN_ADDRESS for each in address) or "@" in local
    if not (text.isprintable() and at and local and domain) or odd or len(address) > _LONGEST_ADDRESS:
        raise Permanent(reason="not an e-mail address")
    try:
        return f"{local}@{domain_of(address)}"
    except UnicodeError:
        raise Permanent(reason="not an e-mail address") from None


def letter(outgoing: Outgoing, sender: str, *, answers_are_read: bool = False) -> EmailMessage:
    """The message from `sender` ("Name <address>"); a subject with line breaks becomes one line.

    Where answers to it are read, an optional one says how to unsubscribe (unsubscribing.py).
    """
    message = EmailMessage(policy=SMTP.clone(utf8=not outgoing.to.isascii()))
    try:
        message["From"] = sender
        message["To"] = mailbox(outgoing.to)
        message["Subject"] = single_line(outgoing.subject or "")
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = message_id(outgoing, domain_of(mailbox(sender)))
        if outgoing.reply_to:
            message["Reply-To"] = mailbox(outgoing.reply_to)
        if outgoing.in_reply_to:
            message["In-Reply-To"] = single_line(outgoing.in_reply_to)
            message["References"] = " ".join(map(single_line, (*outgoing.references, outgoing.in_reply_to)))
        if outgoing.automatic:
            # RFC 3834: whoever answers by machine leaves this alone; Exchange goes by a header of its own.
            message["Auto-Submitted"] = "auto-generated"
            message["X-Auto-Response-Suppress"] = "All"
        if outgoing.optional and outgoing.letter_name and answers_are_read:
            asked = f"mailto:{mailbox(sender)}?subject=unsubscribe%20{outgoing.letter_name}"
            message["List-Unsubscribe"] = f"<{asked}>"
        message.set_content(outgoing.body.encode("utf-8", "replace").decode("utf-8"), cte="quoted-printable")
    except (ValueError, MessageError):
        raise Permanent(reason="the letter cannot be written as e-mail") from None
    return message
