"""A letter as it travels (RFC 5322) read into an inbound message: text, files, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import parseaddr, parsedate_to_datetime

from crm_core.channels.html_text import html_text
from crm_core.channels.letters import letter_ids
from crm_core.channels.mail.headers import header, written_by_a_machine
from crm_core.channels.model import Attached, Inbound
from crm_core.errors import UsageError
from crm_core.words import Channel

LARGEST_LETTER = 40_000_000
"""Bytes of a letter as it travels: the files that providers carry, written in base64."""
_MOST_PARTS = 500


class NotALetter(UsageError):
    """This is no e-mail: it names no sender; give the letter as it was received, with its headers."""


def read_letter(raw: bytes, now: datetime) -> Inbound:
    """The letter as an inbound message; `now` stands where it bears no date. NotALetter without a sender.

    Its text is the plain part, or the HTML part's words where there is no other. What else came
    with it is attached, an attached letter whole. The provider's id is made of Message-ID and
    sender, so that the same letter again is no second message.
    """
    letter = parsed(raw)
    sender = parseaddr(header(letter, "From"))[1]
    if not sender:
        raise NotALetter
    own = letter_ids(header(letter, "Message-ID"))
    return Inbound(
        channel=Channel.EMAIL,
        sender=sender,
        text=_text(letter),
        at=_date(letter, now),
        provider_id=f"{own[0]} {sender}" if own else None,
        subject=header(letter, "Subject") or None,
        attachments=tuple(_attached(letter)),
        message_id=own[0] if own else None,
        in_reply_to=header(letter, "In-Reply-To") or None,
        references=letter_ids(header(letter, "References")),
        automatic=written_by_a_machine(letter),
    )


def parsed(raw: bytes) -> EmailMessage:
    """The letter's headers and parts."""
    letter = message_from_bytes(raw, policy=default)
    assert isinstance(letter, EmailMessage)
    return letter


def _date(letter: Message, now: datetime) -> datetime:
    try:
        at = parsedate_to_datetime(header(letter, "Date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return now
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        return now


def _text(letter: EmailMessage) -> str:
    plain = [_decoded(part) for part in _shown(letter) if part.get_content_type() == "text/plain"]
    said = "\n".join(text for text in plain if text.strip())
    if said:
        return said
    return "\n".join(html_text(_decoded(part)) for part in _shown(letter) if part.get_content_type() == "text/html")


def _shown(letter: EmailMessage) -> Iterator[Message]:
    """The parts that are the letter itself."""
    return (part for part in _parts(letter) if not _is_file(part))


def _attached(letter: EmailMessage) -> Iterator[Attached]:
    for part in _parts(letter):
        if _is_file(part):
            content = _bytes(part)
            yield Attached(
                name=_file_name(part), media_type=part.get_content_type(), size=len(content), content=content
            )


def _parts(letter: EmailMessage) -> Iterator[Message]:
    """Every part that holds something; an attached letter is one, and is not looked into."""
    waiting: list[Message] = [letter]
    given = 0
    while waiting and given < _MOST_PARTS:
        part = waiting.pop(0)
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting = [one for one in part.get_payload() if isinstance(one, Message)] + waiting
        else:
            given += 1
            yield part


def _is_file(part: Message) -> bool:
    if part.get_content_disposition() == "attachment" or _file_name(part):
        return True
    return part.get_content_type() not in ("text/plain", "text/html")


def _file_name(part: Message) -> str:
    try:
        return part.get_filename() or ""
    except (ValueError, LookupError, IndexError, AttributeError, TypeError):
        return ""


def _decoded(part: Message) -> str:
    charset = part.get_content_charset() or "utf-8"
    content = _bytes(part)
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _bytes(part: Message) -> bytes:
    if part.is_multipart():
        return b"".join(one.as_bytes() for one in part.get_payload() if isinstance(one, Message))
    try:
        decoded = part.get_payload(decode=True)
    except (LookupError, ValueError):
        # It names a charset that is none: as it lies there, behind its headers.
        return part.as_bytes().partition(b"\n\n")[2]
    return decoded if isinstance(decoded, bytes) else b""
