"""What mail servers say became of a letter (RFC 3464), read from their reports.

Whether to believe it is not asked here. Only the fields that are made for machines are read,
never the words around them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from email.policy import default

from crm_core.channels.gateways.enhanced_codes import enhanced_code, no_such_address
from crm_core.channels.letters import letter_ids
from crm_core.channels.mail.headers import header

_MOST_PARTS, _MOST_RECIPIENTS, _MOST_LETTERS = 50, 20, 10


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What became of one letter for one recipient.

    `letters` are the Message-IDs that the report names, the likeliest first; `recipients` the
    address that failed and the one that was written to, where they differ. `action` is the
    report's word: failed, delayed, delivered, relayed, expanded. `status` is as RFC 3463 has it.
    """

    letters: tuple[str, ...]
    recipients: tuple[str, ...]
    action: str
    status: str | None

    @property
    def no_such_address(self) -> bool:
        """Whether nothing will ever reach the address."""
        return self.action == "failed" and no_such_address(self.status)


def returned_in(letter: Message) -> tuple[Returned, ...]:
    """What the report tells of each recipient; empty where the letter is none."""
    if letter.get_content_type() != "multipart/report":
        return ()
    parts = list(_parts(letter))
    letters = tuple(dict.fromkeys([*_returned_ids(parts), *_answered_ids(letter)]))[:_MOST_LETTERS]
    told = [block for part in parts if part.get_content_type() == "message/delivery-status" for block in _blocks(part)]
    found = (_recipient(block, letters) for block in told[:_MOST_RECIPIENTS])
    return tuple(one for one in found if one is not None)


def _parts(letter: Message) -> Iterator[Message]:
    """The report's own parts, one level deep: what is quoted in it reports nothing."""
    inner = letter.get_payload()
    if isinstance(inner, list):
        yield from (part for part in inner[:_MOST_PARTS] if isinstance(part, Message))


def _blocks(part: Message) -> list[Message]:
    """The groups of fields: of the message, then of each recipient."""
    inner = part.get_payload()
    return [block for block in inner if isinstance(block, Message)] if isinstance(inner, list) else []


def _returned_ids(parts: list[Message]) -> Iterator[str]:
    """The Message-IDs of the letters that came back with the report, whole or as headers alone."""
    for part in parts:
        inner = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(inner, list):
            yield from (found for one in inner if isinstance(one, Message) for found in _own_id(one))
        elif part.get_content_type() == "text/rfc822-headers":
            content = part.get_payload(decode=True)
            text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
            yield from _own_id(message_from_string(text, policy=default))
        elif part.get_content_type() == "message/delivery-status":
            for block in _blocks(part)[:1]:
                yield from letter_ids(header(block, "Original-Message-ID"))


def _own_id(letter: Message) -> tuple[str, ...]:
    return letter_ids(header(letter, "Message-ID"))[:1]


def _answered_ids(letter: Message) -> Iterator[str]:
    yield from letter_ids(header(letter, "In-Reply-To"))[:1]
    yield from reversed(letter_ids(header(letter, "References")))


def _recipient(block: Message, letters: tuple[str, ...]) -> Returned | None:
    """One recipient's group; None where it is the message's own group, or says nothing."""
    named = (_address(header(block, name)) for name in ("Original-Recipient", "Final-Recipient"))
    recipients = tuple(dict.fromkeys(address for address in named if address))
    status = enhanced_code(header(block, "Status"))
    action = header(block, "Action").strip().lower()
    if not action and status is not None:
        action = {"2": "delivered", "4": "delayed", "5": "failed"}[status[0]]
    if not recipients or not action:
        return None
    return Returned(letters=letters, recipients=recipients, action=action, status=status)


def _address(field: str) -> str:
    """The address of `rfc822; ann@example.org`, in whatever way it is bracketed."""
    kind, semicolon, address = field.partition(";")
    if semicolon and kind.strip().lower() not in ("rfc822", "utf-8", "smtp"):
        return ""
    return (address if semicolon else kind).strip().strip("<>").strip()
