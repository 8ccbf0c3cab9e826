"""What happened in the demo clinic, one frozen event each, for the services to play.

`thread` names a conversation of the plan: the first Arrival of a thread makes it, and every
later event of that thread is about the conversation that came of it. `by` is a staff login.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_core.access.model import Role
from crm_core.words import Channel


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something at a time, aware UTC."""

    at: datetime
    thread: str


@dataclass(frozen=True, kw_only=True)
class Arrival(Event):
    """A message came in: `row` is what `crm receive --file` reads.

    `expect` is the category that the plan had in mind; what is decided is the playbook's.
    """

    id: str
    channel: Channel
    sender: str
    text: str
    subject: str | None = None
    expect: str | None = None

    @property
    def row(self) -> dict[str, Any]:
        """One line of NDJSON, as a dict."""
        row = {"channel": self.channel.value, "from": self.sender, "text": self.text, "id": self.id}
        row["at"] = self.at.isoformat().replace("+00:00", "Z")
        return row if self.subject is None else {**row, "subject": self.subject}


@dataclass(frozen=True, kw_only=True)
class Deed(Event):
    by: str


@dataclass(frozen=True, kw_only=True)
class Linked(Deed):
    """Staff said which patient an unlinked conversation is with."""

    mrn: str


@dataclass(frozen=True, kw_only=True)
class Claimed(Deed):
    """Staff took it and has not answered yet."""


@dataclass(frozen=True, kw_only=True)
class Replied(Deed):
    """An answer from a template, in `language` where there is such a variant."""

    template: str
    language: str
    personal: str | None = None


@dataclass(frozen=True, kw_only=True)
class Called(Deed):
    """A logged call with its coded outcome."""

    outcome: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Noted(Deed):
    """An internal note."""

    words: str


@dataclass(frozen=True, kw_only=True)
class Moved(Deed):
    """To another lane, with a coded reason."""

    lane: str
    reason: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Escalated(Deed):
    """Raised to a role with one question."""

    to: Role
    reason: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Snoozed(Deed):
    """Put off until a time, with what is to be done then."""

    until: datetime
    words: str


@dataclass(frozen=True, kw_only=True)
class Acknowledged(Deed):
    """A clinician took a danger."""


@dataclass(frozen=True, kw_only=True)
class Closed(Deed):
    """Ended with a coded outcome."""

    outcome: str
