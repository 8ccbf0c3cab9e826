"""What a letter's headers say of who wrote it, where they can be read at all."""

from __future__ import annotations

from email.message import Message

_BY_MACHINES = frozenset({"bulk", "junk", "list", "auto_reply"})
_SUPPRESSED = frozenset({"all", "oof", "autoreply"})
_OF_MACHINES = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponse",
    "X-Mail-Autoreply",
    "X-Failed-Recipients",
    "List-Id",
    "List-Post",
    "List-Unsubscribe",
)
"""Headers that no person's letter to a clinic bears: of responders, of mail servers, of lists (RFC 2369, 2919)."""


def header(letter: Message, name: str) -> str:
    """A header's text; one that cannot be read counts as none."""
    try:
        return str(letter.get(name, ""))
    except (ValueError, LookupError, IndexError, AttributeError, TypeError):
        # The standard library's header parser fails in all these ways on broken headers.
        return ""


def written_by_a_machine(letter: Message) -> bool:
    """Whether its headers say that no person wrote it (RFC 3834, RFC 3464, and what came before them).

    Such a letter is never answered automatically, so that two machines never answer each other.
    """
    submitted = _first_word(letter, "Auto-Submitted")
    if submitted and submitted != "no":
        return True
    if any(letter.get(name) is not None for name in _OF_MACHINES) or header(letter, "Return-Path").strip() == "<>":
        return True
    suppressed = {word.strip().lower() for word in header(letter, "X-Auto-Response-Suppress").split(",")}
    if suppressed & _SUPPRESSED or _first_word(letter, "Precedence") in _BY_MACHINES:
        return True
    return letter.get_content_type() == "multipart/report"


def _first_word(letter: Message, name: str) -> str:
    return header(letter, name).partition(";")[0].strip().lower()
