"""Messages, what delivering them can end in, and the values that cross this room's door."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from crm_core.words import Channel


class Direction(StrEnum):
    """Seen from the clinic."""

    IN = "in"
    OUT = "out"


class MessageKind(StrEnum):
    """What a message is; only a person's text or a call that reached stops a clock."""

    TEXT = "text"
    CALL = "call"
    AUTOMATIC = "automatic"


class Screened(StrEnum):
    """What the danger screening said of an inbound text; outbound texts are `not_needed`."""

    CLEAR = "clear"
    ALARM = "alarm"
    UNSCREENED = "unscreened"
    NOT_NEEDED = "not_needed"


class Delivery(StrEnum):
    """Where an outgoing message is.

    `unknown` means that the gateway may or may not have it: it is never resent blindly. `held`
    waits until staff decide, and no sender takes it; `expired` came to its time too late to be true.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    TAKEN_BACK = "taken_back"
    HELD = "held"
    EXPIRED = "expired"


class Report(StrEnum):
    """What a provider says, after it took a message, of whether the patient's device or mailbox has it."""

    DELIVERED = "delivered"
    FAILED = "failed"


FOUND_SENT = "a person found that it was sent"
"""What a row says that was `unknown` until somebody looked."""


class Withheld(StrEnum):
    """Why the bytes of an attachment were not taken: its name, type and size are all there is."""

    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    NOT_DELIVERED = "not_delivered"


class Handled(StrEnum):
    """Which part of the inbound pipeline took a message."""

    ROUTING = "routing"
    CONVERSATION = "conversation"
    CONFIRMATION = "confirmation"
    DECLINE = "decline"
    OPT_OUT = "opt_out"
    SUSPECTED_OPT_OUT = "suspected_opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A file that comes with a message, as its sender names it.

    `size` is in bytes; `content` is None where the file itself did not come along. One without
    a name, a size and a content says only that there was one.
    """

    name: str = ""
    media_type: str = ""
    size: int | None = None
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """One message as a gateway, a file or a person brings it; nothing in it is trusted.

    `sender` is a phone number, an e-mail address or whatever the channel calls its sender.
    `provider_id` makes a second delivery of the same message no second message.
    `at` is when it was sent, aware; never later than now in the store. A letter's `message_id`,
    `in_reply_to` and `references` are its headers. `automatic` says that by its headers no
    person sent it. `is_call` makes it a telephone call: the text is what the caller said.
    `category_hint` is what the sender chose in a portal or web form, in the form's own words.
    """

    channel: Channel
    sender: str
    text: str
    at: datetime
    provider_id: str | None = None
    subject: str | None = None
    attachments: tuple[Attached, ...] = ()
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    automatic: bool = False
    is_call: bool = False
    category_hint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Received:
    """What became of one inbound message."""

    message_id: int
    conversation_id: int | None
    patient_id: int | None
    lane: str | None
    category: str | None
    priority: str | None
    handled_by: Handled
    duplicate: bool
    why: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One step of a decision: which rule was asked, whether it let the thing pass, what it saw."""

    check: str
    passed: bool
    saw: str


HELD = "held"
"""The gate's step that asks whether staff are still to decide about a number."""

LOOK_AGAIN = timedelta(minutes=15)
"""After which what such a number keeps waiting is looked at again."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a message may go, with every reason in the order asked.

    Where it may not go now but later, `not_before` is when to ask again, aware. What has
    `expired` would be stale by then.
    """

    allowed: bool
    reasons: tuple[Reason, ...]
    not_before: datetime | None = None
    expired: bool = False

    @property
    def may_wait(self) -> bool:
        """Whether it goes, now or later."""
        return self.allowed or self.not_before is not None

    @property
    def held(self) -> bool:
        """Whether a person must decide first. Nothing new is queued meanwhile; what is written already waits."""
        return self.refusal is not None and self.refusal.check == HELD

    def again_at(self, now: datetime) -> datetime | None:
        """When what is written already is asked about again; None where it goes now, or never."""
        return now + LOOK_AGAIN if self.held else self.not_before

    @property
    def refusal(self) -> Reason | None:
        """The first reason that did not pass; of what is too late, that it is."""
        if self.expired:
            return self.reasons[-1]
        return next((reason for reason in self.reasons if not reason.passed), None)
