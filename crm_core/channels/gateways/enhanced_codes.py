"""What mail servers' enhanced status codes mean (RFC 3463), in a refusal and in a report that comes later."""

from __future__ import annotations

import re

_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_ABOUT_THE_SENDER = frozenset({"5.1.7", "5.1.8"})
"""Addresses that do not work, too, but ours, not the recipient's."""
_SAYS = (
    ("5.1.", "no such address"),
    ("5.2.1", "the mailbox is closed"),
    ("5.2.2", "the mailbox is full"),
    ("5.2.3", "the letter is too large"),
    ("5.3.4", "the letter is too large"),
    ("5.7.", "their mail server will not have it"),
    ("4.2.2", "the mailbox is full"),
    ("4.4.7", "given up: their mail server was not reached in time"),
    ("5.4.", "their mail server cannot be reached"),
)


def enhanced_code(text: str) -> str | None:
    """The code that `text` begins with."""
    found = _CODE.match(text.strip())
    return found[0] if found else None


def no_such_address(code: str | None) -> bool:
    """Whether nothing will ever reach the recipient's address: it does not exist, or cannot."""
    return code is not None and code.startswith("5.1.") and code not in _ABOUT_THE_SENDER


def in_words(code: str | None) -> str | None:
    """What a code says, where that is of use to whoever must reach the patient."""
    if code is None or code in _ABOUT_THE_SENDER:
        return None
    return next((says for start, says in _SAYS if code.startswith(start)), None)
