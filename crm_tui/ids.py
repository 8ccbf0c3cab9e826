"""Ids as people say them: a letter for the kind, then the number: `P-12`, `C-1042`."""

from __future__ import annotations

import re
from enum import StrEnum

from crm_core.errors import UsageError

_ID = re.compile(r"([A-Za-z])-([1-9][0-9]{0,17})")


class Kind(StrEnum):
    """The records that carry such an id, by their letter."""

    PATIENT = "P"
    CONVERSATION = "C"
    APPOINTMENT = "A"
    REFERRAL = "R"
    TASK = "T"
    ATTACHMENT = "F"
    NOTICE = "N"


class BadId(UsageError):
    """That is not the id of a {kinds}; write it like {example}."""


def show_id(kind: Kind, number: int | None) -> str | None:
    """`P-12`; None for None."""
    return None if number is None else f"{kind}-{number}"


def read_id(text: str, *kinds: Kind) -> tuple[Kind, int]:
    """The kind and number of an id of one of `kinds` (all where none is named); BadId."""
    allowed = kinds or tuple(Kind)
    found = _ID.fullmatch(text.strip())
    if found is None or found[1].upper() not in allowed:
        words = " or ".join(kind.name.lower() for kind in allowed)
        raise BadId(kinds=words, example=f"{allowed[0]}-12")
    return Kind(found[1].upper()), int(found[2])


def patient_id(text: str) -> int:
    """The number of a `P-…`; BadId."""
    return read_id(text, Kind.PATIENT)[1]


def conversation_id(text: str) -> int:
    """The number of a `C-…`; BadId."""
    return read_id(text, Kind.CONVERSATION)[1]
