"""A letter of the mailbox as an inbound message, whatever it is: too large, of no known form, without a sender."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr

from crm_core.channels.mail.headers import header, written_by_a_machine
from crm_core.channels.mail_reading import NotALetter, parsed, read_letter
from crm_core.channels.model import Attached, Inbound
from crm_core.words import Channel

MOST_BYTES = 25_000_000
"""Of a letter as it travels; of a larger one the beginning is taken in, and the letter stays in its folder."""
BEGINNING = 256_000
_READABLE = 20_000
LONGEST_WAY = timedelta(days=5)
"""How long a letter may have been on its way: mail servers give up by then (RFC 5321, 4.5.4.1)."""
_NAMED_IN = ("From", "Sender", "Reply-To", "Return-Path", "X-Original-From")


def taken(raw: bytes, mailbox: str, came_at: datetime) -> Inbound:
    """The letter; never an error. One that cannot be read says so, with what can be, and the whole of it as a file."""
    try:
        inbound = read_letter(raw, came_at)
    except NotALetter:
        inbound = _odd(raw, came_at, "This letter names no sender.")
    except Exception:  # noqa: BLE001 - whatever is in a letter, it must not stop the ones behind it
        inbound = _odd(raw, came_at, "This letter cannot be read as a letter.")
    return _dated(_named(inbound, raw, mailbox), came_at)


def _dated(inbound: Inbound, came_at: datetime) -> Inbound:
    """With the time at which it came, where its own date cannot be: whoever waits the longest is answered first."""
    may_be = came_at - LONGEST_WAY <= inbound.at <= came_at
    return inbound if may_be else replace(inbound, at=came_at)


def beginning(raw: bytes, size: int, mailbox: str, came_at: datetime) -> Inbound:
    """As `taken`, of a letter of `size` bytes of which only the first were fetched."""
    inbound = taken(raw, mailbox, came_at)
    weight = f"{size / 1_000_000:.0f} MB"
    says = f"[{weight}, too large to be taken in whole: the letter lies flagged in the mailbox {mailbox}.]"
    files = [replace(file, size=None, content=None) for file in inbound.attachments]
    whole = Attached(name="the whole letter", media_type="message/rfc822", size=size)
    return replace(inbound, text=f"{inbound.text}\n\n{says}".lstrip("\n"), attachments=(*files, whole))


def _odd(raw: bytes, came_at: datetime, what: str) -> Inbound:
    readable = raw[:_READABLE].decode("utf-8", "replace")
    whole = Attached(name="letter.eml", media_type="application/octet-stream", size=len(raw), content=raw)
    sender, automatic = _written_by(raw)
    return Inbound(
        channel=Channel.EMAIL,
        sender=sender,
        text=f"[{what} It came by e-mail and is attached as letter.eml.]\n\n{readable}",
        at=came_at,
        attachments=(whole,),
        automatic=automatic,
    )


def _written_by(raw: bytes) -> tuple[str, bool]:
    """Whoever the letter names as having to do with its sending, empty where nobody; and whether a machine wrote it."""
    try:
        letter = parsed(raw)
        sender = next((found for name in _NAMED_IN if (found := parseaddr(header(letter, name))[1])), "")
        return sender, written_by_a_machine(letter)
    except Exception:  # noqa: BLE001 - as in `taken`
        return "", False


def unread(raw: bytes, mailbox: str, came_at: datetime) -> Inbound:
    """As `taken`, without reading the letter at all: of one that what was read of it could not be taken in."""
    return _named(_odd(raw, came_at, "This letter could not be taken in as a letter."), raw, mailbox)


def _named(inbound: Inbound, raw: bytes, mailbox: str) -> Inbound:
    """With an id by which the same letter of this mailbox is known again, and another one never taken for it.

    Message-IDs are made up by machines that err and people who lie: what the letter says counts,
    too. Its other headers do not, as each way that it takes adds to them.
    """
    said = raw.partition(b"\r\n\r\n")[2] or raw.partition(b"\n\n")[2] or raw
    facts = [mailbox, inbound.sender, inbound.subject or ""]
    if inbound.message_id is None:
        facts.append(inbound.at.isoformat())
    digest = hashlib.sha256(said)
    for fact in facts:
        digest.update(hashlib.sha256(fact.encode("utf-8", "replace")).digest())
    return replace(inbound, provider_id=f"{inbound.message_id or 'no Message-ID'} {mailbox} {digest.hexdigest()}")
